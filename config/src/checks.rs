//! The checks of 6.824's config on elections: which server leads?

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;

use cluster::hung_handlers;
use history::{Incarnation, Rule};
use verdict::{Class, Failure};

use crate::config::Config;

/// [`Config::check_one_leader`] asks the servers this many times.
const LOOKS_FOR_A_LEADER: usize = 10;
/// Correct servers can disagree for a moment. The original asks once; the lab asks again after this
/// time.
const SECOND_LOOK_AFTER: Duration = Duration::from_millis(100);

/// The answer of one connected server to `get_state`.
#[derive(Debug, Clone, Copy)]
struct State {
    server: usize,
    term: u64,
    leads: bool,
    of: Option<Incarnation>,
}

impl Config {
    /// Waits up to five seconds for a leader among the connected servers, and returns it: 6.824's
    /// checkOneLeader.
    ///
    /// If several terms have a leader, which is allowed, it returns the leader of the highest term.
    /// Two leaders in one term fail the test.
    pub fn check_one_leader(&self) -> usize {
        let _waits = self.wait_for("a leader".into());
        let mut states = Vec::new();
        for _ in 0..LOOKS_FOR_A_LEADER {
            let pause_ms = self.rng.lock().random_range(450..=549);
            self.look_again_after(Duration::from_millis(pause_ms));
            states = self.connected_states();
            let leader = self.the_leader(&states);
            self.note_leaders(&states);
            if let Some(leader) = leader {
                return leader;
            }
        }
        let sentence = format!("expected one leader within 5 s, got none: {}", self.tell(&states));
        let failure = Failure::new(Class::Liveness, sentence).with_rule(Rule::L1);
        self.referee().stop(failure.with_notes(hung_handlers(self.network())));
    }

    fn note_leaders(&self, states: &[State]) {
        for State { term, leads, of, .. } in states {
            self.note_leader(*of, (*term, *leads));
        }
    }

    fn the_leader(&self, states: &[State]) -> Option<usize> {
        let mut leaders: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for state in states.iter().filter(|state| state.leads) {
            leaders.entry(state.term).or_default().push(state.server);
        }
        for (term, servers) in &leaders {
            if servers.len() > 1 {
                let sentence = format!(
                    "term {term} has {} leaders according to `get_state`, servers {}: {}",
                    servers.len(),
                    list(servers),
                    self.tell(states)
                );
                self.referee().stop(Failure::new(Class::Safety, sentence).with_rule(Rule::S1));
            }
        }
        leaders.into_values().next_back().map(|servers| servers[0])
    }

    /// The term that all connected servers are in: 6.824's checkTerms. The test fails if they
    /// disagree.
    pub fn check_terms(&self) -> u64 {
        let states = self.look_until(|states| states.iter().all(|s| s.term == states[0].term));
        let Some(first) = states.first() else {
            let sentence = "expected a term, but no server is connected";
            self.referee().stop(Failure::new(Class::Infra, sentence));
        };
        if states.iter().any(|state| state.term != first.term) {
            let sentence = format!("servers disagree on the term: {}", self.tell(&states));
            self.referee().stop(Failure::new(Class::Liveness, sentence).with_rule(Rule::L4));
        }
        first.term
    }

    /// Fails the test if a connected server believes that it leads: 6.824's checkNoLeader.
    pub fn check_no_leader(&self) {
        let states = self.look_until(|states| states.iter().all(|state| !state.leads));
        let leaders: Vec<usize> =
            states.iter().filter(|state| state.leads).map(|state| state.server).collect();
        if !leaders.is_empty() {
            let sentence = format!(
                "expected no leader among the connected servers, but {} to lead: {}",
                match &leaders[..] {
                    [one] => format!("server {one} claims"),
                    more => format!("servers {} claim", list(more)),
                },
                self.tell(&states)
            );
            self.referee().stop(Failure::new(Class::Safety, sentence).with_rule(Rule::L5));
        }
    }

    /// The answers of the connected servers. If they are not `good`, asks once more after a moment
    /// and returns the second answers.
    fn look_until(&self, good: impl Fn(&[State]) -> bool) -> Vec<State> {
        let mut states = self.connected_states();
        if !good(&states) {
            self.look_again_after(SECOND_LOOK_AFTER);
            states = self.connected_states();
        }
        if good(&states) {
            self.note_leaders(&states);
        }
        states
    }

    fn connected_states(&self) -> Vec<State> {
        let connected = (0..self.n()).filter(|server| self.is_connected(*server));
        connected
            .filter_map(|server| {
                let (of, (term, leads)) = self.ask_state(server)?;
                Some(State { server, term, leads, of })
            })
            .collect()
    }

    /// A phrase for each server, including servers that were not asked.
    fn tell(&self, states: &[State]) -> String {
        let phrase = |server: usize| match states.iter().find(|state| state.server == server) {
            Some(State { term, leads: true, .. }) => format!("server {server} leads term {term}"),
            Some(State { term, leads: false, .. }) => format!("server {server} is in term {term}"),
            None if self.is_paused(server) => format!("server {server} is paused"),
            None if self.is_running(server) => format!("server {server} is disconnected"),
            None => format!("server {server} is down"),
        };
        (0..self.n()).map(phrase).collect::<Vec<_>>().join(", ")
    }
}

/// `0, 1 and 2`.
fn list(servers: &[usize]) -> String {
    let words: Vec<String> = servers.iter().map(usize::to_string).collect();
    match &words[..] {
        [] => "none".into(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

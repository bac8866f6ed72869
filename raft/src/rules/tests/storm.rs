//! Whole clusters of states in a storm: messages are lost, repeated and reordered without bounds,
//! servers crash and lose what they did not save, and the clock jumps. Whatever happens, the
//! properties of Figure 3 hold; and when the storm is over, all servers agree.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use raftapi::{ApplyMsg, Persister};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::HandClock;
use super::messages::{Message, Reply, answer, note_reply};
use crate::rules::clock::ELECTION_TIMEOUT_MS;
use crate::rules::messages::Request;
use crate::rules::state::State;

struct Cluster {
    rng: ChaCha8Rng,
    clock: HandClock,
    states: Vec<State>,
    persisters: Vec<Persister>,
    messages: VecDeque<Message>,
    commands: u64,
    /// The commands that any server applied, by index.
    applied: BTreeMap<u64, Vec<u8>>,
    leaders: BTreeMap<u64, usize>,
    votes: BTreeMap<(u64, usize), usize>,
}

impl Cluster {
    fn new(seed: u64, servers: usize) -> Cluster {
        let persisters: Vec<Persister> = (0..servers).map(|_| Persister::new()).collect();
        let clock = HandClock::new();
        let restored = |(me, persister)| State::restored_from(me, servers, persister, &clock);
        Cluster {
            rng: ChaCha8Rng::seed_from_u64(seed),
            states: persisters.iter().enumerate().map(restored).collect(),
            persisters,
            clock,
            messages: VecDeque::new(),
            commands: 0,
            applied: BTreeMap::new(),
            leaders: BTreeMap::new(),
            votes: BTreeMap::new(),
        }
    }

    fn storm(&mut self, steps: usize) {
        // The fewer of the steps are deliveries, the more messages are on their way at the same
        // time.
        let deliveries = self.rng.random_range(200..600);
        for _ in 0..steps {
            let server = self.rng.random_range(0..self.states.len());
            match self.rng.random_range(0..1000) {
                step if step < deliveries => self.deliver_any(),
                // Mostly in time for heartbeats, so that elections are rare enough to have winners.
                0..950 if self.states[server].is_leader() => self.reach_deadline(server),
                950..960 => self.reach_deadline(server),
                960..985 => self.start(),
                985..990 => self.make_snapshot(server),
                990..995 => self.restart(server),
                _ => {}
            }
        }
    }

    fn deliver_any(&mut self) {
        if self.messages.is_empty() {
            return;
        }
        let in_order = self.rng.random_bool(0.5);
        let any = if in_order { 0 } else { self.rng.random_range(0..self.messages.len()) };
        let message = self.messages.remove(any).expect("it is in range");
        if self.rng.random_bool(0.1) {
            return; // It is lost.
        }
        if self.rng.random_bool(0.2) && message.reply.is_none() {
            let Message { from, to, ref request, .. } = message;
            self.messages.push_back(Message { from, to, request: request.clone(), reply: None });
        }
        self.deliver(message);
    }

    fn deliver(&mut self, message: Message) {
        let Message { from, to, request, reply } = message;
        self.draw_election_timeout();
        let (state, clock) = (&mut self.states[to], &self.clock);
        let Some(reply) = reply else {
            let reply = answer(state, &request, clock);
            if let (Request::Vote(args), Reply::Vote(vote)) = (&request, &reply)
                && vote.vote_granted
            {
                let voted_for = *self.votes.entry((args.term, to)).or_insert(from);
                assert_eq!(voted_for, from, "server {to} voted twice in term {}", args.term);
            }
            self.settle(to);
            let (from, to) = (to, from);
            self.messages.push_back(Message { from, to, request, reply: Some(reply) });
            return;
        };
        note_reply(state, from, &request, &reply, clock);
        self.settle(to);
    }

    /// Decides how long the next election timeout will be.
    fn draw_election_timeout(&mut self) {
        let timeout = Duration::from_millis(self.rng.random_range(ELECTION_TIMEOUT_MS));
        self.clock.election_timeout.set(timeout);
    }

    fn reach_deadline(&mut self, server: usize) {
        self.draw_election_timeout();
        let state = &mut self.states[server];
        let Some(deadline) = state.deadline() else { return };
        self.clock.now.set(deadline);
        let requests = state.on_deadline(&self.clock);
        self.settle(server);
        let to_message = |(to, request)| Message { from: server, to, request, reply: None };
        self.messages.extend(requests.into_iter().map(to_message));
    }

    fn start(&mut self) {
        self.commands += 1;
        let command = format!("command {}", self.commands).into_bytes();
        for server in 0..self.states.len() {
            self.states[server].start(command.clone(), &self.clock);
            self.settle(server);
        }
    }

    /// The service's snapshot is the list of all commands that it got, so a snapshot shows whether
    /// they are right.
    fn snapshot_up_to(&self, index: u64) -> Vec<u8> {
        let commands: Vec<&Vec<u8>> = self.applied.range(..=index).map(|(_, c)| c).collect();
        labrpc::codec::encode(&commands).unwrap()
    }

    fn make_snapshot(&mut self, server: usize) {
        let index = self.states[server].last_applied;
        let snapshot = self.snapshot_up_to(index);
        self.states[server].snapshot(index, snapshot);
        self.settle(server);
    }

    /// A crash: state that was not saved is lost.
    fn restart(&mut self, server: usize) {
        self.draw_election_timeout();
        let servers = self.states.len();
        self.states[server] =
            State::restored_from(server, servers, &self.persisters[server], &self.clock);
        let state = &self.states[server];
        let (index, snapshot) = (state.last_applied, state.persistent.snapshot());
        if snapshot.is_empty() {
            assert_eq!(index, 0, "server {server} starts with entries that its service never got");
        } else {
            assert_eq!(snapshot, self.snapshot_up_to(index));
        }
    }

    /// Saves, as a server does after each step, and checks the properties.
    fn settle(&mut self, server: usize) {
        self.states[server].save_to(&self.persisters[server]);
        if self.rng.random_bool(0.5) {
            self.apply(server);
        }
        let state = &self.states[server];
        state.assert_consistent();
        if state.is_leader() {
            let leader = *self.leaders.entry(state.current_term()).or_insert(server);
            assert_eq!(leader, server, "Election Safety in term {}", state.current_term());
            for (index, command) in self.applied.range(state.log().last_included_index() + 1..) {
                let own = state.log().get(*index).map(|entry| &entry.command);
                assert_eq!(own, Some(command), "Leader Completeness at index {index}");
            }
        }
    }

    /// The service gets everything that can be applied.
    fn apply(&mut self, server: usize) {
        let mut last_applied = self.states[server].last_applied;
        while let Some(message) = self.states[server].next_to_apply() {
            match message {
                ApplyMsg::Command { index, command } => {
                    assert_eq!(index, last_applied + 1, "server {server} applies in order");
                    let first = self.applied.entry(index).or_insert_with(|| command.clone());
                    assert_eq!(*first, command, "State Machine Safety at index {index}");
                    last_applied = index;
                }
                ApplyMsg::Snapshot { index, snapshot, .. } => {
                    assert!(index > last_applied, "server {server} goes back");
                    assert_eq!(snapshot, self.snapshot_up_to(index));
                    last_applied = index;
                }
            }
        }
    }

    fn check_log_matching(&self) {
        for (a, b) in self.states.iter().flat_map(|a| self.states.iter().map(move |b| (a, b))) {
            let first = a.log().last_included_index().max(b.log().last_included_index()) + 1;
            let last = a.log().last_index().min(b.log().last_index());
            let agreement =
                (first..=last).rev().find(|i| a.log().term_at(*i) == b.log().term_at(*i));
            for index in first..=agreement.unwrap_or(0) {
                assert_eq!(a.log().get(index), b.log().get(index), "Log Matching at index {index}");
            }
        }
    }

    /// From now on no message is lost, and deadlines are reached in order.
    fn calm_down(&mut self) {
        for round in 0.. {
            assert!(round < 1000, "the servers do not agree");
            while let Some(message) = self.messages.pop_front() {
                self.deliver(message);
            }
            for server in 0..self.states.len() {
                self.apply(server);
            }
            let last = *self.applied.keys().last().unwrap_or(&0);
            let agree =
                |state: &State| state.last_applied == last && state.log().last_index() == last;
            if last > 0 && self.states.iter().all(agree) {
                return;
            }
            if round % 20 == 0 {
                self.start(); // An entry of its own term is what a leader commits old ones by.
            }
            let next = (0..self.states.len()).min_by_key(|server| self.states[*server].deadline());
            self.reach_deadline(next.expect("there are servers"));
        }
    }
}

#[test]
fn the_properties_of_figure_3_hold_in_any_storm() {
    for seed in 0..150 {
        let mut cluster = Cluster::new(seed, [3, 5, 4][seed as usize % 3]);
        for _ in 0..8 {
            cluster.storm(400);
            cluster.check_log_matching();
        }
        cluster.calm_down();
        cluster.check_log_matching();
    }
}

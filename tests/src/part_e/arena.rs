//! A cluster under attack, and the checks that hold whatever the faults are.
//!
//! Safety is checked all the time: by the lab when a server applies an entry, and here when a
//! server says that it leads. Liveness is checked only of a majority of healthy servers that reach
//! one another. Each bound is a multiple of what an ordinary Raft needs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use choice::Stream;
use config::{Class, Config, Failure, RAFT_ELECTION_TIMEOUT, Rule, Setup};
use rand::seq::SliceRandom;
use runner::Lab;

use crate::draw;

/// A leader is elected within this time (L1): some five election timeouts.
pub(crate) const LEADER_LIMIT: Duration = Duration::from_secs(5);
/// A command is committed (L2), and applied by servers that were away (L3), within this time: some
/// twenty heartbeats.
const COMMIT_LIMIT: Duration = Duration::from_secs(2);
/// The leader that gets a command may have been deposed already. The command is offered this many
/// times.
const AGREE_TRIES: usize = 5;
/// How often the servers are asked who leads.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// The same interval where a scenario waits for a moment that does not last.
const CLOSE_LOOK_INTERVAL: Duration = Duration::from_millis(2);
/// A scenario waits this long for each of its moments: no server takes so long to stand for
/// election. If the moment does not come, the scenario does not occur.
const SCENARIO_LIMIT: Duration = RAFT_ELECTION_TIMEOUT.saturating_mul(3);

/// No round of a scenario begins after this.
const LAST_ROUND: Duration = Duration::from_secs(60);

/// A cluster, the random numbers of its test, and which server led which term.
pub(crate) struct Arena<'a> {
    lab: &'a Lab,
    /// Shared with the clients of a test, if it has any.
    pub(crate) cfg: Arc<Config>,
    pub(crate) rng: Stream,
    /// The server that was seen to lead each term.
    leaders: BTreeMap<u64, usize>,
    /// The network needs up to this time after a heal: failing calls and delayed messages are still
    /// on their way.
    pub(crate) calm_after: Duration,
}

impl<'a> Arena<'a> {
    /// A new cluster without faults.
    pub(crate) fn new(lab: &'a Lab, setup: Setup) -> Arena<'a> {
        let (cfg, rng) = (Arc::new(lab.make_config(setup)), lab.rng());
        // Calls that fail do so quickly, unless a test changes that: many are made here.
        cfg.network().long_delays(false);
        cfg.begin();
        let calm_after = Duration::from_millis(500);
        Arena { lab, cfg, rng, leaders: BTreeMap::new(), calm_after }
    }

    /// The numbers of up to `most` rounds, none of which begins after [`LAST_ROUND`]: a correct
    /// Raft may take 5 s for each election (rule L1), and the test must still end.
    pub(crate) fn rounds(&self, most: usize) -> impl Iterator<Item = usize> + use<> {
        let network = self.cfg.network().clone();
        (0..most).take_while(move |_| network.now() < LAST_ROUND)
    }

    pub(crate) fn n(&self) -> usize {
        self.cfg.n()
    }

    pub(crate) fn all(&self) -> Vec<usize> {
        (0..self.n()).collect()
    }

    pub(crate) fn majority(&self) -> usize {
        self.n() / 2 + 1
    }

    /// All servers, in an order drawn at random.
    pub(crate) fn shuffled(&mut self) -> Vec<usize> {
        let mut servers = self.all();
        servers.shuffle(&mut self.rng);
        servers
    }

    /// A leader of the healthy cluster, and the others in an order drawn at random.
    pub(crate) fn roles<const N: usize>(&mut self) -> [usize; N] {
        let all = self.all();
        let leader = self.leader_of(&all);
        let mut roles = self.shuffled();
        roles.retain(|server| *server != leader);
        roles.insert(0, leader);
        roles.try_into().expect("a role for every server")
    }

    /// A command that differs from all others.
    pub(crate) fn command(&mut self) -> Vec<u8> {
        draw::command(&mut self.rng)
    }

    /// Asks one server for agreement on a new command. Returns its index, if that server took it.
    pub(crate) fn start(&mut self, server: usize) -> Option<u64> {
        self.start_known(server).map(|(index, _)| index)
    }

    /// The same, but returns the command, too.
    pub(crate) fn start_known(&mut self, server: usize) -> Option<(u64, Vec<u8>)> {
        let command = self.command();
        self.cfg.start(server, command.clone()).map(|started| (started.index, command))
    }

    /// Waits until some server has applied the entry at an index. False if none did in time.
    pub(crate) fn until_committed(&mut self, index: u64) -> bool {
        self.until(|arena| arena.cfg.n_committed(index).0 > 0)
    }

    pub(crate) fn term(&self, server: usize) -> u64 {
        self.cfg.get_state(server).map_or(0, |(term, _)| term)
    }

    pub(crate) fn leads(&self, server: usize) -> bool {
        self.cfg.get_state(server).is_some_and(|(_, leads)| leads)
    }

    /// Asks every server whether it leads, and records the answers. A second leader of a term is a
    /// failure (5.2). Returns the leader of the highest term among `servers`.
    fn record_leaders(&mut self, servers: &[usize]) -> Option<(u64, usize)> {
        let mut latest = None;
        for server in 0..self.n() {
            let Some((term, true)) = self.cfg.get_state(server) else { continue };
            let first = *self.leaders.entry(term).or_insert(server);
            if first != server {
                let sentence =
                    format!("servers {first} and {server} both led term {term} (section 5.2)");
                self.lab.referee().stop(Failure::new(Class::Safety, sentence));
            }
            if servers.contains(&server) {
                latest = latest.max(Some((term, server)));
            }
        }
        latest
    }

    /// The server that says that it leads the highest term, if any does.
    pub(crate) fn latest_leader(&mut self) -> Option<usize> {
        let all = self.all();
        self.record_leaders(&all).map(|(_, server)| server)
    }

    /// Lets time pass, and watches which server leads.
    pub(crate) fn sleep(&mut self, time: Duration) {
        let end = Instant::now() + self.cfg.choices().wait(time);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.cfg.look_again_after(left.min(LOOK_INTERVAL));
            self.record_leaders(&[]);
        }
    }

    pub(crate) fn sleep_ms(&mut self, ms: u64) {
        self.sleep(Duration::from_millis(ms));
    }

    /// Waits for a moment of a scenario. False if it did not come in time.
    pub(crate) fn until(&mut self, moment: impl Fn(&Arena<'_>) -> bool) -> bool {
        self.poll(|arena| moment(arena).then_some(())).is_some()
    }

    /// Asks a question again and again until there is an answer. None if there is none in time.
    pub(crate) fn poll<T>(&mut self, question: impl FnMut(&Arena<'_>) -> Option<T>) -> Option<T> {
        self.poll_within(SCENARIO_LIMIT, question)
    }

    /// The same with another limit.
    pub(crate) fn poll_within<T>(
        &mut self,
        limit: Duration,
        mut question: impl FnMut(&Arena<'_>) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + limit;
        loop {
            let answer = question(self);
            if answer.is_some() || Instant::now() >= end {
                return answer;
            }
            self.cfg.look_again_after(CLOSE_LOOK_INTERVAL);
            self.record_leaders(&[]);
        }
    }

    /// Waits for a leader among servers that are a healthy majority.
    pub(crate) fn leader_of(&mut self, servers: &[usize]) -> usize {
        let end = Instant::now() + LEADER_LIMIT;
        loop {
            if let Some((term, leader)) = self.record_leaders(servers)
                && servers.iter().all(|server| self.term(*server) <= term)
            {
                return leader;
            }
            if Instant::now() >= end {
                let sentence = format!(
                    "expected a leader among the servers {servers:?}, which reach one another, \
                     within {} s, got none",
                    LEADER_LIMIT.as_secs()
                );
                self.fail(Rule::L1, sentence);
            }
            self.cfg.look_again_after(LOOK_INTERVAL);
        }
    }

    /// Has servers that are a healthy majority agree on a new command. Returns its index.
    pub(crate) fn agree(&mut self, servers: &[usize]) -> u64 {
        let mut applied = 0;
        for _ in 0..AGREE_TRIES {
            let leader = self.leader_of(servers);
            let command = self.command();
            let started = self.cfg.start_for_check(leader, command.clone());
            let Some(started) = started else { continue };
            let end = Instant::now() + COMMIT_LIMIT;
            while Instant::now() < end {
                let (count, committed) = self.cfg.n_committed(started.index);
                applied = if committed.as_ref() == Some(&command) { count } else { 0 };
                if applied >= servers.len() {
                    return started.index;
                }
                self.cfg.look_again_after(LOOK_INTERVAL);
                self.record_leaders(&[]);
            }
        }
        let (rule, seconds) =
            (self.cfg.rule_of_delay(applied), (COMMIT_LIMIT * AGREE_TRIES as u32).as_secs());
        let sentence = if rule == Rule::L3 {
            format!(
                "the servers {servers:?} reach one another and have a leader, but of {AGREE_TRIES} \
                 commands in {seconds} s none was applied by all of them, the last by {applied}"
            )
        } else {
            format!(
                "the servers {servers:?} reach one another and have a leader, but {AGREE_TRIES} \
                 commands in {seconds} s were not applied by all of them"
            )
        };
        self.fail(rule, sentence);
    }

    fn fail(&self, rule: Rule, sentence: String) -> ! {
        self.lab.referee().stop(Failure::new(Class::Liveness, sentence).with_rule(rule));
    }

    /// Ends the first phase: heals a majority, drawn at random, and cuts it off from the rest,
    /// which stays as it is. The majority has to elect a leader and to commit.
    pub(crate) fn judge_a_majority(&mut self) {
        let size = self.majority();
        let mut members = self.shuffled();
        let rest = members.split_off(size);
        let network = self.cfg.network();
        network.reliable(true);
        network.long_reordering(false);
        for member in &members {
            self.cfg.relieve(*member);
            for other in members.iter().filter(|other| *other != member) {
                self.cfg.faults().heal(*member, *other);
                self.cfg.faults().calm(*member, *other);
                self.cfg.faults().release(*member, *other);
            }
            for other in &rest {
                self.cfg.faults().cut(*member, *other);
                self.cfg.faults().cut(*other, *member);
            }
        }
        // A pause must not last long, because it delays the lab's own calls.
        rest.iter().for_each(|server| self.cfg.faults().resume(*server));
        self.sleep(self.calm_after);
        self.agree(&members);
    }

    /// Heals everything. All servers have to catch up.
    pub(crate) fn judge_all(&mut self) {
        for server in self.shuffled() {
            self.cfg.relieve(server);
        }
        self.cfg.faults().heal_all();
        self.sleep(self.calm_after);
        let all = self.all();
        self.agree(&all);
    }

    /// Notes that a part of the test never occurred, if it did not. `part` is a noun phrase, and no
    /// two parts of a test share one.
    pub(crate) fn note_tries(&self, part: &str, tried: usize) {
        if tried == 0 {
            let sentence = format!("the scenario never occurred (not a failure): {part}");
            self.lab.find(sentence);
        }
    }

    pub(crate) fn end(self) {
        self.cfg.end();
    }
}

//! All that is known of one cluster, and the checkers in the order in which they look at it.
//!
//! The board is plain data behind one lock: whoever sees something tells it, in the order of the
//! kit's own clock of questions and answers. Nothing here waits, calls a peer or reads a clock.

use std::collections::BTreeMap;
use std::time::Duration;

use labrpc::{Event, Name, Step};

use crate::failure::{Class, Failure};
use crate::invariants::committed::Committed;
use crate::invariants::elected::Elected;
use crate::invariants::falls::Floor;
use crate::invariants::leader_log::LeaderLog;
use crate::invariants::leaders::Leaders;
use crate::invariants::majority::Majority;
use crate::invariants::matching::Matching;
use crate::invariants::restart::{self, Memory};
use crate::invariants::rule::Rule;
use crate::invariants::sighting::{Look, Sighting};
use crate::invariants::survey::Survey;
use crate::invariants::up_to_date::UpToDate;
use crate::invariants::votes::Votes;
use crate::invariants::{broken, taken_back};
use raftapi::{Inspect, Role, Started};

/// An index beyond this is nonsense.
const INDEX_MAX: u64 = 1 << 40;

/// The board of one cluster.
#[derive(Debug)]
pub(crate) struct Board {
    servers: Vec<Seat>,
    /// The last inspection of each server, of the incarnation that runs.
    last: Vec<Option<Sighting>>,
    /// Counts questions and answers.
    moment: u64,
    leaders: Leaders,
    votes: Votes,
    up_to_date: UpToDate,
    elected: Elected,
    leader_log: LeaderLog,
    matching: Matching,
    committed: Committed,
    majority: Majority,
    /// The highest number of a call.
    calls: u64,
    /// Calls that were sent while their caller was down.
    from_the_dead: BTreeMap<u64, usize>,
}

/// What the board knows of one server.
#[derive(Debug, Default)]
struct Seat {
    incarnation: u32,
    alive: bool,
    /// It is cut off from everything, until it starts again.
    down: bool,
    floor: Floor,
    /// The handlers that run, by call, with the term that was known when they began.
    running: BTreeMap<(u64, bool), u64>,
    /// Calls with a lower number may reach an incarnation that has crashed.
    first_call: u64,
    handlers_begun: usize,
    /// Of those, how many had begun at the last inspection and had returned by then.
    handlers_seen: usize,
    memory: Memory,
}

/// A question that was put to a peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) server: usize,
    pub(crate) incarnation: u32,
    asked: u64,
    floor: Floor,
}

impl Board {
    pub(crate) fn new(servers: usize) -> Board {
        Board {
            servers: (0..servers).map(|_| Seat::default()).collect(),
            last: vec![None; servers],
            moment: 0,
            leaders: Leaders::default(),
            votes: Votes::default(),
            up_to_date: UpToDate::default(),
            elected: Elected::default(),
            leader_log: LeaderLog::default(),
            matching: Matching::default(),
            committed: Committed::default(),
            majority: Majority::default(),
            calls: 0,
            from_the_dead: BTreeMap::new(),
        }
    }

    /// A new incarnation begins.
    pub(crate) fn start(&mut self, server: usize, incarnation: u32) {
        let seat = &mut self.servers[server];
        (seat.incarnation, seat.alive, seat.down) = (incarnation, true, false);
        seat.floor = Floor::default();
        seat.running.clear();
        seat.first_call = self.calls + 1;
        (seat.handlers_begun, seat.handlers_seen) = (0, 0);
        self.last[server] = None;
    }

    /// Nothing that a server does from now on counts.
    pub(crate) fn crash(&mut self, server: usize) {
        let seat = &mut self.servers[server];
        if !seat.alive {
            return;
        }
        seat.alive = false;
        let last = self.last[server].take();
        // Without an inspection it still has whatever it had said before.
        seat.memory.settled =
            last.filter(|last| last.quiet && seat.handlers_begun == seat.handlers_seen);
        self.votes.crash(server);
        self.up_to_date.crash(server);
        self.elected.crash(server);
        self.majority.crash(server);
    }

    /// The network has no way left from a crashed server, nor to it.
    pub(crate) fn cut_off(&mut self, server: usize) {
        self.servers[server].down = true;
    }

    /// A peer is about to be asked something; nobody is there to be asked of a crashed one.
    pub(crate) fn ask(&mut self, server: usize) -> Option<Question> {
        let seat = &self.servers[server];
        if !seat.alive {
            return None;
        }
        self.moment += 1;
        let Seat { incarnation, floor, .. } = *seat;
        Some(Question { server, incarnation, asked: self.moment, floor })
    }

    /// Whether the incarnation that was asked still runs: else its answer does not count.
    pub(crate) fn is_alive(&self, question: &Question) -> bool {
        self.runs(question.server, question.incarnation)
    }

    /// Whether this incarnation of a server runs.
    pub(crate) fn runs(&self, server: usize, incarnation: u32) -> bool {
        let seat = &self.servers[server];
        seat.alive && seat.incarnation == incarnation
    }

    /// `get_state` has answered, or `start` has by taking a command.
    pub(crate) fn says_term(&mut self, question: &Question, term: u64) -> Result<(), Failure> {
        question.floor.check_term(question.server, term)?;
        if self.is_alive(question) {
            let floor = &mut self.servers[question.server].floor;
            floor.term = floor.term.max(term);
        }
        Ok(())
    }

    /// A peer says that it leads a term.
    pub(crate) fn leads(&mut self, server: usize, term: u64, at: Duration) -> Result<(), Failure> {
        let vote = self.votes.of(server, term).map(|vote| vote.candidate);
        let is_new = match self.leaders.claim(server, term, at) {
            Ok(is_new) => is_new,
            // That of which more is known goes first.
            Err(_) if vote.is_some_and(|vote| vote != server) => true,
            Err(failure) => return Err(failure),
        };
        if vote.is_some_and(|vote| vote != server) {
            let mut said = Leaders::default();
            said.claim(server, term, at)?;
            said.check_vote(server, term, vote)?;
        }
        if is_new {
            let voters = self.survey();
            self.elected.claim(server, term, at, voters);
        }
        Ok(())
    }

    /// A peer has taken a command.
    pub(crate) fn takes(
        &mut self,
        question: &Question,
        started: Started,
        command: &[u8],
        at: Duration,
    ) -> Result<(), Failure> {
        let server = question.server;
        if !self.is_alive(question) {
            return Ok(());
        }
        self.says_term(&Question { floor: Floor::default(), ..*question }, started.term)?;
        self.leads(server, started.term, at)?;
        self.leader_log.take(server, started, command, at)?;
        self.matching.compare(started.index, &self.committed, &self.leader_log)
    }

    /// A peer has applied a command.
    pub(crate) fn applies(
        &mut self,
        server: usize,
        incarnation: u32,
        index: u64,
        command: &[u8],
    ) -> Result<(), Failure> {
        if !self.runs(server, incarnation) {
            return Ok(());
        }
        let seat = &mut self.servers[server];
        seat.floor.applied = seat.floor.applied.max(index);
        self.matching.apply(server, index, command);
        self.matching.compare(index, &self.committed, &self.leader_log)
    }

    /// A peer starts, and shows what it has restored; `covers` is the index up to which the
    /// snapshot goes that it found.
    pub(crate) fn restores(
        &mut self,
        question: &Question,
        state: Inspect,
        at: Duration,
        covers: u64,
    ) -> Result<(), Failure> {
        check_shape(question.server, self.servers.len(), &state)?;
        let now = self.sighting(question, state, at);
        restart::check_snapshot(&now, covers)?;
        let memory = std::mem::take(&mut self.servers[question.server].memory);
        let lost = memory.check(&now, &self.votes, &self.leaders)?;
        // What it was told to keep, it keeps through the next crash as well.
        self.servers[question.server].memory.told_term = memory.told_term;
        if let Some(entry) = lost {
            let holders = self.survey();
            self.majority.lost(&now, entry, holders)?;
        }
        self.sees(question, now.state, at)
    }

    /// A peer has shown its state.
    pub(crate) fn sees(
        &mut self,
        question: &Question,
        state: Inspect,
        at: Duration,
    ) -> Result<(), Failure> {
        let server = question.server;
        if !self.is_alive(question) {
            return Ok(());
        }
        check_shape(server, self.servers.len(), &state)?;
        let now = self.sighting(question, state, at);
        let before = self.last[server].take();
        let look = Look::new(before.as_ref(), &now);
        question.floor.see(&look)?;
        self.look_at_elections(&look)?;
        self.look_at_logs(&look)?;
        let seat = &mut self.servers[server];
        seat.floor.term = seat.floor.term.max(now.state.current_term);
        seat.handlers_seen = seat.handlers_begun - seat.running.len();
        self.last[server] = Some(now);
        Ok(())
    }

    fn look_at_elections(&mut self, look: &Look<'_>) -> Result<(), Failure> {
        let Sighting { server, at, ref state, .. } = *look.now;
        self.votes.see(look.now)?;
        let vote = self.votes.of(server, state.current_term).map(|vote| vote.candidate);
        if state.role == Role::Leader {
            self.leads(server, state.current_term, at)?;
        }
        self.leaders.check_vote(server, state.current_term, vote)?;
        self.up_to_date.see(look)?;
        self.elected.see(look.now, &self.votes)
    }

    fn look_at_logs(&mut self, look: &Look<'_>) -> Result<(), Failure> {
        let term = look.now.state.current_term;
        self.leader_log.see(look)?;
        let leader = self.leaders.of(term).filter(|leader| *leader != look.now.server);
        let leader = leader.and_then(|leader| self.last[leader].as_ref());
        let leader =
            leader.filter(|l| l.state.role == Role::Leader && l.state.current_term == term);
        taken_back::see(look, leader)?;
        self.matching.see(look)?;
        let new = self.committed.see(look, &self.last)?;
        for index in &new {
            self.matching.compare(*index, &self.committed, &self.leader_log)?;
        }
        if let Some(last) = new.last() {
            let holders = self.survey();
            self.majority.committed(look.now, *last, holders);
        }
        self.majority.see(look.now)
    }

    fn sighting(&mut self, question: &Question, state: Inspect, at: Duration) -> Sighting {
        self.moment += 1;
        let seat = &self.servers[question.server];
        Sighting {
            server: question.server,
            at,
            asked: question.asked,
            quiet: seat.running.is_empty(),
            handlers: seat.handlers_begun - seat.handlers_seen,
            state,
        }
    }

    /// Asks all that run, from now on.
    fn survey(&self) -> Survey {
        let alive: Vec<bool> = self.servers.iter().map(|seat| seat.alive).collect();
        Survey::new(self.moment, &alive)
    }

    /// What the network has logged: which handlers run, and that nothing comes from the dead.
    pub(crate) fn hears(&mut self, event: &Event) -> Result<(), Failure> {
        self.calls = self.calls.max(event.call);
        let number = |name: &Option<Name>| {
            let number = name.as_ref().and_then(Name::number);
            number.filter(|number| *number < self.servers.len())
        };
        match &event.step {
            Step::Sent { .. } => {
                if let Some(from) = number(&event.from)
                    && self.servers[from].down
                {
                    self.from_the_dead.insert(event.call, from);
                }
            }
            Step::Dispatched { duplicate } => {
                if let Some(to) = number(&event.to) {
                    self.begins(to, (event.call, *duplicate));
                }
                if let Some(from) = self.from_the_dead.get(&event.call) {
                    let sentence = format!(
                        "a {} that server {from} sent after its crash was delivered",
                        event.method
                    );
                    return Err(Failure::new(Class::Infra, sentence).with_rule(Rule::S16));
                }
            }
            Step::Handled { bytes, duplicate } => {
                if let Some(to) = number(&event.to) {
                    self.returns(to, (event.call, *duplicate), bytes.is_some());
                }
            }
            Step::Ended(_) => _ = self.from_the_dead.remove(&event.call),
            Step::Misused(_) | Step::Overloaded { .. } => {}
        }
        Ok(())
    }

    pub(crate) fn begins(&mut self, server: usize, handler: (u64, bool)) {
        let seat = &mut self.servers[server];
        if seat.alive {
            seat.running.insert(handler, seat.floor.term);
            seat.handlers_begun += 1;
        }
    }

    pub(crate) fn returns(&mut self, server: usize, handler: (u64, bool), answered: bool) {
        let seat = &mut self.servers[server];
        if let Some(term) = seat.running.remove(&handler)
            && seat.alive
            && answered
            && handler.0 >= seat.first_call
        {
            seat.memory.told_term = seat.memory.told_term.max(term);
        }
    }
}

/// What no state of a Raft can be, whatever it did.
fn check_shape(server: usize, servers: usize, state: &Inspect) -> Result<(), Failure> {
    let contract = |what: String| {
        let sentence = format!("server {server} shows {what}");
        Err(Failure::of(server, Class::Contract, sentence))
    };
    let Inspect { voted_for, last_included_index, current_term, .. } = *state;
    match voted_for {
        Some(candidate) if candidate >= servers => {
            return contract(format!("a vote for server {candidate}, of {servers} servers"));
        }
        _ => {}
    }
    if last_included_index > INDEX_MAX {
        return contract(format!("a snapshot up to index {last_included_index}"));
    }
    if state.last_term() > current_term {
        let last_term = state.last_term();
        let sentence = format!(
            "server {server} is in term {current_term}, but its log ends with an entry of term \
             {last_term}"
        );
        return Err(broken(Rule::S12, server, sentence));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::story::{Story, broke};

    #[test]
    fn an_answer_of_a_crashed_incarnation_does_not_count() {
        let mut board = Board::new(3);
        board.start(0, 1);
        let question = board.ask(0).unwrap();
        board.crash(0);
        board.start(0, 2);
        let leader = Inspect { role: Role::Leader, current_term: 1, ..Inspect::default() };
        board.sees(&question, leader, Duration::ZERO).unwrap();
        assert_eq!(board.leaders.of(1), None);
    }

    /// S16 is the kit's own rule.
    #[test]
    fn a_message_from_a_crashed_server_is_the_kits_fault() {
        let mut board = Board::new(2);
        board.start(0, 1);
        board.crash(0);
        board.cut_off(0);
        let event = |step| Event {
            at: Duration::ZERO,
            call: 7,
            from: Some(0.into()),
            to: Some(1.into()),
            method: "Raft.RequestVote".into(),
            step,
        };
        board.hears(&event(Step::Sent { bytes: 1 })).unwrap();
        let failure = board.hears(&event(Step::Dispatched { duplicate: false })).unwrap_err();
        let sentence = "a Raft.RequestVote that server 0 sent after its crash was delivered";
        assert_eq!(failure, Failure::new(Class::Infra, sentence).with_rule(Rule::S16));
    }

    #[test]
    fn a_log_of_a_later_term_than_the_servers_is_impossible() {
        let sentence = "server 0 is in term 1, but its log ends with an entry of term 2";
        broke(Rule::S12, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(1).log(&[2]))
        });
    }

    #[test]
    fn a_vote_for_nobody_that_exists_breaks_the_contract() {
        let mut story = Story::new();
        let failure = story.sees(0, |peer| peer.term(1).voted(3)).unwrap_err();
        assert_eq!(failure.class, Class::Contract);
        assert_eq!(failure.sentence, "server 0 shows a vote for server 3, of 3 servers");
    }
}

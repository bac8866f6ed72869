//! The checker: everything that is known about one cluster, and the order in which the rules check
//! an event.
//!
//! It is plain data, and a fold over the history. It never waits, calls a peer or reads a clock.

use std::sync::Arc;

use history::{Event, Incarnation, Moment, RaftEvent, ServerEvent, What};
use raftapi::{ApplyMsg, Inspect, Role, Started};

use crate::breach::{Claim, ElectionBreach, Violation};
use crate::losses::Losses;
use crate::network::Network;
use crate::poll::Poll;
use crate::remark::Remark;
use crate::rules::committed::Committed;
use crate::rules::elected::Elected;
use crate::rules::heeded::Heeded;
use crate::rules::leader_log::LeaderLog;
use crate::rules::leaders::Leaders;
use crate::rules::majority::Majority;
use crate::rules::matching::Matching;
use crate::rules::up_to_date::UpToDate;
use crate::rules::votes::Votes;
use crate::rules::{regression, restart, shape, snapshots};
use crate::sample::{Sample, Transition};
use crate::server::{Question, Server};

/// Checks the rules of Raft on one cluster.
#[derive(Debug)]
pub struct Checker {
    servers: Vec<Server>,
    /// By server: the last sample of the incarnation that runs.
    last: Vec<Option<Sample>>,
    network: Network,
    covers: Covers,
    leaders: Leaders,
    votes: Votes,
    up_to_date: UpToDate,
    elected: Elected,
    leader_log: LeaderLog,
    matching: Matching,
    committed: Committed,
    majority: Majority,
    heeded: Heeded,
    losses: Losses,
    remarks: Vec<Remark>,
}

/// Reads the last index that a snapshot covers. None if the bytes are not a snapshot of the
/// service.
type Covers = fn(&[u8]) -> Option<u64>;

impl Checker {
    /// A checker of a cluster with `servers` servers. `covers` reads the last index that a snapshot
    /// of the service covers.
    pub fn new(servers: usize, covers: Covers) -> Checker {
        Checker {
            servers: (0..servers).map(Server::new).collect(),
            last: vec![None; servers],
            network: Network::default(),
            covers,
            leaders: Leaders::default(),
            votes: Votes::default(),
            up_to_date: UpToDate::default(),
            elected: Elected::default(),
            leader_log: LeaderLog::default(),
            matching: Matching::default(),
            committed: Committed::default(),
            majority: Majority::default(),
            heeded: Heeded::new(servers),
            losses: Losses::new(servers),
            remarks: Vec::new(),
        }
    }

    /// The remarks since the last call: deviations that do no harm.
    pub fn take_remarks(&mut self) -> Vec<Remark> {
        std::mem::take(&mut self.remarks)
    }

    /// Reads the next event.
    ///
    /// # Errors
    /// If the event shows that a rule was broken.
    pub fn read(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        let at = event.moment;
        match &event.what {
            What::Call(call) => {
                self.heeded.hear(call, at);
                self.network.hear(call, at, &mut self.servers)
            }
            What::Server(of, what) => self.hear_of_server(*of, what, at),
            What::Raft(of, what) => self.hear_from_raft(*of, what, at),
            What::Link { .. } | What::Drawn(_) | What::Waiting(_) => Ok(()),
        }
    }

    fn hear_of_server(
        &mut self,
        of: Incarnation,
        what: &ServerEvent<'_>,
        at: Moment,
    ) -> Result<(), Violation> {
        let Incarnation { server, number } = of;
        match what {
            ServerEvent::Starting(_) => {
                self.servers[server].start(number, self.network.next_call());
                self.last[server] = None;
            }
            ServerEvent::Crashed => self.crash(server),
            ServerEvent::Silenced => self.servers[server].down = true,
            ServerEvent::Saved { old, new } if self.servers[server].runs(number) => {
                return snapshots::check_saved(server, old, new, self.covers, at);
            }
            ServerEvent::Saved { .. }
            | ServerEvent::Fault(_)
            | ServerEvent::Paused
            | ServerEvent::Resumed => {}
        }
        Ok(())
    }

    /// A server has crashed. Everything that it does from now on is ignored.
    fn crash(&mut self, server: usize) {
        let last = self.last[server].take();
        self.losses.crash(server, last.as_ref());
        if !self.servers[server].crash(last) {
            return;
        }
        self.votes.crash(server);
        self.up_to_date.crash(server);
        self.elected.crash(server);
        self.majority.crash(server);
    }

    fn hear_from_raft(
        &mut self,
        of: Incarnation,
        what: &RaftEvent<'_>,
        at: Moment,
    ) -> Result<(), Violation> {
        let Incarnation { server, number } = of;
        match what {
            RaftEvent::Asked => self.servers[server].ask(number, at),
            RaftEvent::State { asked, term } => {
                if let Some(question) = self.servers[server].answer(*asked) {
                    self.servers[server].read_term(&question, *term, at)?;
                }
            }
            RaftEvent::Leads { term } if self.servers[server].runs(number) => {
                self.read_claim(server, *term, Claim::GetState, at)?;
            }
            RaftEvent::Refused { asked } => _ = self.servers[server].answer(*asked),
            RaftEvent::Started { asked, started, command } => {
                self.servers[server].answer(*asked);
                if self.servers[server].runs(number) {
                    self.read_taken(server, *started, command, at)?;
                }
            }
            RaftEvent::Restored { asked, state, has_read, covers } => {
                if let Some(question) = self.servers[server].answer(*asked) {
                    if *has_read {
                        self.read_restored(&question, state, at, *covers)?;
                    }
                    self.read_sample(&question, state, at)?;
                }
            }
            RaftEvent::Sampled { asked, state } => {
                if let (Some(question), Some(state)) = (self.servers[server].answer(*asked), state)
                {
                    self.read_sample(&question, state, at)?;
                }
            }
            RaftEvent::Applied(ApplyMsg::Command { index, command })
                if self.servers[server].runs(number) =>
            {
                self.servers[server].note_applied(*index);
                self.matching.apply(server, *index, command, at);
                self.matching.compare(*index, &self.committed, &self.leader_log)?;
            }
            RaftEvent::Offered { .. }
            | RaftEvent::Leads { .. }
            | RaftEvent::Applied(_)
            // They are shown and never judged.
            | RaftEvent::Details { .. } => {}
        }
        Ok(())
    }

    /// A peer says that it leads a term.
    fn read_claim(
        &mut self,
        server: usize,
        term: u64,
        claim: Claim,
        at: Moment,
    ) -> Result<(), Violation> {
        let is_new = self.leaders.claim(server, term, claim, at);
        // Both rules can be broken. The breach that says more is reported.
        if let Some(vote) = self.votes.of(server, term).filter(|vote| vote.0 != server) {
            let breach = ElectionBreach::LeadsWithoutOwnVote { term, said: (claim, at), vote };
            return Err(Violation::of(server, breach));
        }
        if is_new? {
            let voters = self.poll(at);
            self.elected.claim(server, term, at, voters);
        }
        Ok(())
    }

    /// A peer has taken a command.
    fn read_taken(
        &mut self,
        server: usize,
        started: Started,
        command: &[u8],
        at: Moment,
    ) -> Result<(), Violation> {
        self.servers[server].note_term(started.term);
        self.read_claim(server, started.term, Claim::Start, at)?;
        self.leader_log.take(server, started, command, at)?;
        self.matching.compare(started.index, &self.committed, &self.leader_log)
    }

    /// A peer shows what it has restored. `covers` is the last index of the snapshot that it found.
    fn read_restored(
        &mut self,
        question: &Question,
        state: &Arc<Inspect>,
        at: Moment,
        covers: u64,
    ) -> Result<(), Violation> {
        let server = question.of.server;
        shape::check(server, self.servers.len(), state, at)?;
        let now = self.servers[server].sample(question, state, at);
        self.losses.restore(&now);
        restart::check_snapshot(&now, covers)?;
        let claims = std::mem::take(&mut self.servers[server].claims);
        let alive = self.alive();
        let lost = claims.check(&now, &mut self.votes, &self.leaders, &alive)?;
        // The term that it has answered with must survive the next crash too.
        self.servers[server].claims.answered_term = claims.answered_term;
        if let Some(entry) = lost {
            let holders = self.poll(at);
            self.majority.lost(&now, entry, holders)?;
        }
        Ok(())
    }

    /// A peer shows its state.
    fn read_sample(
        &mut self,
        question: &Question,
        state: &Arc<Inspect>,
        at: Moment,
    ) -> Result<(), Violation> {
        let Incarnation { server, number } = question.of;
        if !self.servers[server].runs(number) {
            return Ok(());
        }
        shape::check(server, self.servers.len(), state, at)?;
        let now = self.servers[server].sample(question, state, at);
        let before = self.last[server].take();
        let seen = Transition::new(before.as_ref(), &now);
        question.floor.see(&seen)?;
        self.check_elections(&seen)?;
        self.check_logs(&seen)?;
        self.servers[server].note_sample(&now);
        self.last[server] = Some(now);
        Ok(())
    }

    fn check_elections(&mut self, seen: &Transition<'_>) -> Result<(), Violation> {
        let Sample { server, at, ref state, .. } = *seen.now;
        let leader = self.leaders.of(state.current_term);
        let alive = self.alive();
        self.remarks.extend(self.votes.see(seen.now, leader, &alive)?);
        if state.role == Role::Leader {
            self.read_claim(server, state.current_term, Claim::Inspect, at)?;
        }
        self.remarks.extend(self.votes.judge(seen.now, &self.leaders)?);
        let vote = self.votes.of(server, state.current_term);
        self.leaders.check_vote(server, state.current_term, vote)?;
        let is_second = vote.is_some_and(|vote| Some(vote.0) != state.voted_for);
        self.remarks.extend(self.up_to_date.see(seen, is_second, &alive));
        let first = self.votes.first();
        self.remarks.extend(self.up_to_date.judge(seen.now, first, &self.leaders)?);
        self.elected.see(seen.now, &self.votes)
    }

    fn check_logs(&mut self, seen: &Transition<'_>) -> Result<(), Violation> {
        let term = seen.now.state.current_term;
        self.leader_log.see(seen)?;
        let leader = self.leaders.of(term);
        self.losses.see(seen);
        self.heeded.see(seen, leader == Some(seen.now.server))?;
        let leader = leader.filter(|leader| *leader != seen.now.server);
        let leader = leader.and_then(|leader| self.last[leader].as_ref());
        let leader =
            leader.filter(|l| l.state.role == Role::Leader && l.state.current_term == term);
        regression::see(seen, leader)?;
        self.remarks.extend(self.matching.see(seen, &self.committed)?);
        let new = self.committed.see(seen, &self.last);
        let new = new.map_err(|violation| self.losses.explain(violation, &self.last))?;
        for index in &new {
            self.matching.compare(*index, &self.committed, &self.leader_log)?;
        }
        if let Some(last) = new.last() {
            let holders = self.poll(seen.now.at);
            self.majority.committed(seen.now, *last, holders);
        }
        self.majority.see(seen.now)
    }

    /// Starts a poll of all servers that run now.
    fn poll(&self, now: Moment) -> Poll {
        Poll::new(now, &self.alive())
    }

    /// The servers that run now.
    fn alive(&self) -> Vec<bool> {
        self.servers.iter().map(|server| server.alive).collect()
    }
}

#[cfg(test)]
mod tests {
    use history::Rule;

    use crate::scenario::{Scenario, broke};

    #[test]
    fn an_answer_of_a_crashed_incarnation_is_ignored() {
        let mut scenario = Scenario::new();
        let asked = scenario.asks(0);
        scenario.crashes(0);
        scenario.starts(0);
        scenario.shows(0, 1, asked, |peer| peer.term(1).leads()).unwrap();
        scenario.says(1, 1, true).unwrap();
    }

    /// S16 is a rule for the kit itself.
    #[test]
    fn a_message_from_a_crashed_server_is_a_fault_of_the_kit() {
        let sentence = "a Raft.RequestVote that server 0 sent after its crash was delivered";
        broke(Rule::S16, sentence, |scenario: &mut Scenario| {
            scenario.crashes(0);
            scenario.sends(0, 1, 7);
            scenario.dispatches_from(0, 1, 7)
        });
    }

    #[test]
    fn a_log_of_a_later_term_than_the_servers_is_impossible() {
        let sentence = "server 0 is in term 1, but its log ends with an entry of term 2";
        broke(Rule::S12, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[2]))
        });
    }

    #[test]
    fn a_vote_for_a_server_that_does_not_exist_breaks_the_contract() {
        let mut scenario = Scenario::new();
        let violation = scenario.sees(0, |peer| peer.term(1).voted(3)).unwrap_err();
        assert_eq!(violation.rule(), None);
        assert_eq!(violation.to_string(), "server 0 shows a vote for server 3, of 3 servers");
    }
}

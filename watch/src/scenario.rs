//! Histories for the tests of the rules: three servers, with an event every millisecond.

use std::sync::Arc;
use std::time::Duration;

use history::{Event, Incarnation, Moment, RaftEvent, Rule, ServerEvent, What};
use labrpc::network::{CallStep, Ending};
use raftapi::{ApplyMsg, Inspect, Role, Saved, Started};

use crate::breach::Violation;
use crate::checker::Checker;

const SERVERS: usize = 3;

/// A checker and its clock.
pub(crate) struct Scenario {
    checker: Checker,
    event: u64,
    millis: u64,
    incarnations: [u32; SERVERS],
}

/// Builds the state of one peer.
pub(crate) struct Peer {
    me: usize,
    state: Inspect,
}

/// Checks that the history breaks no rule.
#[track_caller]
pub(crate) fn kept(history: impl FnOnce(&mut Scenario) -> Result<(), Violation>) {
    assert_eq!(history(&mut Scenario::new()), Ok(()));
}

/// Checks that the last event of the history breaks this rule, with this sentence.
#[track_caller]
pub(crate) fn broke(
    rule: Rule,
    sentence: &str,
    history: impl FnOnce(&mut Scenario) -> Result<(), Violation>,
) {
    let violation = history(&mut Scenario::new()).expect_err("no rule was broken");
    assert_eq!((violation.rule(), violation.to_string().as_str()), (Some(rule), sentence));
    let evidence = violation.evidence();
    assert!(!evidence.is_empty(), "{violation:?}");
    assert!(evidence.is_sorted_by_key(|fact| fact.moment), "{evidence:?}");
}

impl Scenario {
    pub(crate) fn new() -> Scenario {
        let covers = |snapshot: &[u8]| snapshot.first().map(|index| u64::from(*index));
        let checker = Checker::new(SERVERS, covers);
        let mut scenario = Scenario { checker, event: 0, millis: 0, incarnations: [0; SERVERS] };
        (0..SERVERS).for_each(|server| scenario.starts(server));
        scenario
    }

    fn tick(&mut self) {
        self.millis += 1;
    }

    fn record(&mut self, what: What<'_>) -> Result<Moment, Violation> {
        self.event += 1;
        let moment = Moment { event: self.event, at: Duration::from_millis(self.millis) };
        self.checker.read(&Event { moment, what })?;
        Ok(moment)
    }

    /// The checker's remarks since the last call.
    pub(crate) fn remarks(&mut self) -> Vec<String> {
        self.checker.take_remarks().iter().map(ToString::to_string).collect()
    }

    fn of(&self, server: usize) -> Incarnation {
        Incarnation { server, number: self.incarnations[server] }
    }

    fn server(&mut self, server: usize, what: ServerEvent<'_>) -> Result<(), Violation> {
        self.record(What::Server(self.of(server), what)).map(drop)
    }

    fn raft(&mut self, server: usize, what: RaftEvent<'_>) -> Result<(), Violation> {
        self.record(What::Raft(self.of(server), what)).map(drop)
    }

    /// A new incarnation begins.
    pub(crate) fn starts(&mut self, server: usize) {
        self.incarnations[server] += 1;
        self.server(server, ServerEvent::Starting(&Saved::default())).expect("a start breaks none");
    }

    /// A server crashes, and the network forgets it.
    pub(crate) fn crashes(&mut self, server: usize) {
        self.server(server, ServerEvent::Crashed).expect("a crash breaks none");
        self.server(server, ServerEvent::Silenced).expect("a crash breaks none");
    }

    /// A server is asked something.
    pub(crate) fn asks(&mut self, server: usize) -> Moment {
        self.record(What::Raft(self.of(server), RaftEvent::Asked)).expect("a question breaks none")
    }

    /// `inspect` of an incarnation answers an earlier question.
    pub(crate) fn shows(
        &mut self,
        server: usize,
        number: u32,
        asked: Moment,
        state: impl FnOnce(Peer) -> Peer,
    ) -> Result<(), Violation> {
        let state = Some(Peer::shown(server, state));
        let of = Incarnation { server, number };
        self.record(What::Raft(of, RaftEvent::Sampled { asked, state })).map(drop)
    }

    /// `inspect`.
    pub(crate) fn sees(
        &mut self,
        server: usize,
        state: impl FnOnce(Peer) -> Peer,
    ) -> Result<(), Violation> {
        self.tick();
        let asked = self.asks(server);
        self.shows(server, self.incarnations[server], asked, state)
    }

    /// `get_state`.
    pub(crate) fn says(&mut self, server: usize, term: u64, leads: bool) -> Result<(), Violation> {
        self.tick();
        let asked = self.asks(server);
        self.raft(server, RaftEvent::State { asked, term })?;
        if leads { self.raft(server, RaftEvent::Leads { term }) } else { Ok(()) }
    }

    /// `start`.
    pub(crate) fn takes(
        &mut self,
        server: usize,
        index: u64,
        term: u64,
        command: &[u8],
    ) -> Result<(), Violation> {
        self.tick();
        let asked = self.asks(server);
        let started = Started { index, term };
        self.raft(server, RaftEvent::Started { asked, started, command })
    }

    pub(crate) fn applies(
        &mut self,
        server: usize,
        index: u64,
        command: &[u8],
    ) -> Result<(), Violation> {
        self.tick();
        let command = command.to_vec();
        self.raft(server, RaftEvent::Applied(&ApplyMsg::Command { index, command }))
    }

    /// A server saves a snapshot up to `new` over one up to `old`; 0 stands for none.
    pub(crate) fn saves(&mut self, server: usize, old: u8, new: u8) -> Result<(), Violation> {
        self.tick();
        let saved = |index: u8| Saved {
            raft_state: vec![],
            snapshot: if index == 0 { vec![] } else { vec![index] },
        };
        self.server(server, ServerEvent::Saved { old: &saved(old), new: &saved(new) })
    }

    /// A call is sent.
    pub(crate) fn sends(&mut self, from: usize, to: usize, call: u64) {
        self.call(from, to, call, CallStep::Sent { bytes: 1 }).expect("a request breaks none");
    }

    /// A call of another server begins to be handled.
    pub(crate) fn dispatches(&mut self, server: usize, call: u64) {
        self.tick();
        let from = (server + 1) % SERVERS;
        self.dispatches_from(from, server, call).expect("a handler that begins breaks none");
    }

    pub(crate) fn dispatches_from(
        &mut self,
        from: usize,
        to: usize,
        call: u64,
    ) -> Result<(), Violation> {
        self.call(from, to, call, CallStep::Dispatched { copy: 0 })
    }

    /// A call was handled.
    pub(crate) fn handles(&mut self, server: usize, call: u64) {
        self.tick();
        let step = CallStep::Handled { bytes: Some(1), copy: 0 };
        let from = (server + 1) % SERVERS;
        self.call(from, server, call, step).expect("a handler that returns breaks none");
    }

    /// `server` handles a call of `caller`, which gets the reply.
    pub(crate) fn answers(&mut self, server: usize, caller: usize, call: u64) {
        let handled = CallStep::Handled { bytes: Some(1), copy: 0 };
        let ended = CallStep::Ended(Ending::Answered { bytes: 1 });
        for step in [handled, ended] {
            self.call(caller, server, call, step).expect("a reply breaks none");
        }
    }

    fn call(&mut self, from: usize, to: usize, call: u64, step: CallStep) -> Result<(), Violation> {
        let event = labrpc::network::Event {
            at: Duration::from_millis(self.millis),
            call,
            from: Some(from),
            to: Some(to),
            method: "Raft.RequestVote".into(),
            step,
        };
        self.record(What::Call(&event)).map(drop)
    }

    pub(crate) fn restarts(
        &mut self,
        server: usize,
        state: impl FnOnce(Peer) -> Peer,
    ) -> Result<(), Violation> {
        self.restarts_with(server, 0, state)
    }

    pub(crate) fn restarts_with(
        &mut self,
        server: usize,
        covers: u64,
        state: impl FnOnce(Peer) -> Peer,
    ) -> Result<(), Violation> {
        self.tick();
        self.crashes(server);
        self.starts(server);
        let asked = self.asks(server);
        let state = Peer::shown(server, state);
        self.raft(server, RaftEvent::Restored { asked, state, has_read: true, covers })
    }
}

impl Peer {
    fn shown(me: usize, state: impl FnOnce(Peer) -> Peer) -> Arc<Inspect> {
        Arc::new(state(Peer { me, state: Inspect::default() }).state)
    }

    pub(crate) fn term(mut self, term: u64) -> Peer {
        self.state.current_term = term;
        self
    }

    pub(crate) fn voted(mut self, candidate: usize) -> Peer {
        self.state.voted_for = Some(candidate);
        self
    }

    pub(crate) fn without_vote(mut self) -> Peer {
        self.state.voted_for = None;
        self
    }

    pub(crate) fn stands(mut self) -> Peer {
        self.state.role = Role::Candidate;
        let me = self.me;
        self.voted(me)
    }

    pub(crate) fn leads(mut self) -> Peer {
        self.state.role = Role::Leader;
        let me = self.me;
        self.voted(me)
    }

    pub(crate) fn log(mut self, terms: &[u64]) -> Peer {
        self.state.log_terms = terms.to_vec();
        self
    }

    pub(crate) fn commit(mut self, index: u64) -> Peer {
        self.state.commit_index = index;
        self
    }

    pub(crate) fn snapshot(mut self, index: u64, term: u64) -> Peer {
        (self.state.last_included_index, self.state.last_included_term) = (index, term);
        self
    }
}

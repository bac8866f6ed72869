//! Histories for the checkers' tests: three servers, told what is seen of them a millisecond apart.

use std::time::Duration;

use crate::failure::{Class, Failure};
use crate::invariants::board::Board;
use crate::invariants::rule::Rule;
use raftapi::{Inspect, Role, Started};

/// A board and its clock.
pub(crate) struct Story {
    board: Board,
    millis: u64,
    incarnations: [u32; 3],
}

/// The state of one peer, put together word by word.
pub(crate) struct Peer {
    me: usize,
    state: Inspect,
}

/// The history breaks no rule.
#[track_caller]
pub(crate) fn kept(history: impl FnOnce(&mut Story) -> Result<(), Failure>) {
    assert_eq!(history(&mut Story::new()), Ok(()));
}

/// The history breaks a rule, at its end.
#[track_caller]
pub(crate) fn broke(
    rule: Rule,
    sentence: &str,
    history: impl FnOnce(&mut Story) -> Result<(), Failure>,
) {
    let failure = history(&mut Story::new()).expect_err("no rule was broken");
    assert_eq!((failure.rule, &*failure.sentence), (Some(rule), sentence));
    assert_eq!(failure.class, Class::Safety);
}

impl Story {
    pub(crate) fn new() -> Story {
        let mut board = Board::new(3);
        for server in 0..3 {
            board.start(server, 1);
        }
        Story { board, millis: 0, incarnations: [1; 3] }
    }

    fn tick(&mut self) -> Duration {
        self.millis += 1;
        Duration::from_millis(self.millis)
    }

    pub(crate) fn sees(
        &mut self,
        server: usize,
        state: impl FnOnce(Peer) -> Peer,
    ) -> Result<(), Failure> {
        let at = self.tick();
        let question = self.board.ask(server).expect("it runs");
        self.board.sees(&question, Peer::shown(server, state), at)
    }

    /// `get_state`.
    pub(crate) fn says(&mut self, server: usize, term: u64, leads: bool) -> Result<(), Failure> {
        let at = self.tick();
        let question = self.board.ask(server).expect("it runs");
        self.board.says_term(&question, term)?;
        if leads { self.board.leads(server, term, at) } else { Ok(()) }
    }

    /// `start`.
    pub(crate) fn takes(
        &mut self,
        server: usize,
        index: u64,
        term: u64,
        command: &[u8],
    ) -> Result<(), Failure> {
        let at = self.tick();
        let question = self.board.ask(server).expect("it runs");
        self.board.takes(&question, Started { index, term }, command, at)
    }

    pub(crate) fn applies(
        &mut self,
        server: usize,
        index: u64,
        command: &[u8],
    ) -> Result<(), Failure> {
        self.tick();
        self.board.applies(server, self.incarnations[server], index, command)
    }

    pub(crate) fn dispatches(&mut self, server: usize, call: u64) {
        self.tick();
        self.board.begins(server, (call, false));
    }

    pub(crate) fn handles(&mut self, server: usize, call: u64) {
        self.tick();
        self.board.returns(server, (call, false), true);
    }

    pub(crate) fn restarts(
        &mut self,
        server: usize,
        state: impl FnOnce(Peer) -> Peer,
    ) -> Result<(), Failure> {
        self.restarts_with(server, 0, state)
    }

    pub(crate) fn restarts_with(
        &mut self,
        server: usize,
        covers: u64,
        state: impl FnOnce(Peer) -> Peer,
    ) -> Result<(), Failure> {
        let at = self.tick();
        self.board.crash(server);
        self.incarnations[server] += 1;
        self.board.start(server, self.incarnations[server]);
        let question = self.board.ask(server).expect("it runs");
        self.board.restores(&question, Peer::shown(server, state), at, covers)
    }
}

impl Peer {
    fn shown(me: usize, state: impl FnOnce(Peer) -> Peer) -> Inspect {
        state(Peer { me, state: Inspect::default() }).state
    }

    pub(crate) fn term(mut self, term: u64) -> Peer {
        self.state.current_term = term;
        self
    }

    pub(crate) fn voted(mut self, candidate: usize) -> Peer {
        self.state.voted_for = Some(candidate);
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

//! What the checker knows about one server, apart from its samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use history::{Incarnation, Moment};
use raftapi::Inspect;

use crate::breach::Violation;
use crate::rules::monotonic::Floor;
use crate::rules::restart::DurableClaims;
use crate::sample::Sample;

/// One server of the cluster.
#[derive(Debug)]
pub(crate) struct Server {
    of: Incarnation,
    pub(crate) alive: bool,
    /// Whether it has no links to other servers, until it starts again.
    pub(crate) down: bool,
    floor: Floor,
    /// Questions without an answer so far.
    questions: Vec<Question>,
    /// The running handlers, each with the server's known term when it began.
    running: BTreeMap<Handler, u64>,
    /// Calls with lower numbers may have reached an incarnation that has crashed.
    first_call: u64,
    handlers_begun: usize,
    /// The number of handlers that had begun and returned by the last sample.
    handlers_seen: usize,
    pub(crate) claims: DurableClaims,
}

/// A run of an RPC handler: the number of the call, and the number of the copy of the request.
pub(crate) type Handler = (u64, u32);

/// A question to a peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) of: Incarnation,
    asked: Moment,
    /// What was known about the peer when it was asked.
    pub(crate) floor: Floor,
}

impl Server {
    /// A server that has not started yet.
    pub(crate) fn new(server: usize) -> Server {
        Server {
            of: Incarnation { server, number: 0 },
            alive: false,
            down: false,
            floor: Floor::default(),
            questions: Vec::new(),
            running: BTreeMap::new(),
            first_call: 0,
            handlers_begun: 0,
            handlers_seen: 0,
            claims: DurableClaims::default(),
        }
    }

    /// Begins a new incarnation. The next call has the number `first_call`.
    pub(crate) fn start(&mut self, number: u32, first_call: u64) {
        self.of.number = number;
        (self.alive, self.down) = (true, false);
        self.floor = Floor::default();
        self.questions.clear();
        self.running.clear();
        self.first_call = first_call;
        (self.handlers_begun, self.handlers_seen) = (0, 0);
    }

    /// Records a crash; `last` is the last sample. False if the server had crashed before.
    pub(crate) fn crash(&mut self, last: Option<Sample>) -> bool {
        if !self.alive {
            return false;
        }
        self.alive = false;
        // Without a sample the earlier claims stay as they are.
        let is_settled = self.handlers_begun == self.handlers_seen;
        self.claims.settled = last.filter(|last| last.quiet && is_settled);
        true
    }

    /// Whether this incarnation runs.
    pub(crate) fn runs(&self, number: u32) -> bool {
        self.alive && self.of.number == number
    }

    /// Records that it is about to be asked. An answer of a crashed server does not count.
    pub(crate) fn ask(&mut self, number: u32, asked: Moment) {
        if self.runs(number) {
            self.questions.push(Question { of: self.of, asked, floor: self.floor });
        }
    }

    /// Takes the question that it has answered. None if it did not run when it was asked.
    pub(crate) fn answer(&mut self, asked: Moment) -> Option<Question> {
        let place = self.questions.iter().position(|question| question.asked == asked)?;
        Some(self.questions.swap_remove(place))
    }

    /// Checks and records an answer of `get_state`.
    pub(crate) fn read_term(
        &mut self,
        question: &Question,
        term: u64,
        at: Moment,
    ) -> Result<(), Violation> {
        question.floor.check_term(question.of.server, term, at)?;
        if self.runs(question.of.number) {
            self.note_term(term);
        }
        Ok(())
    }

    /// Records that it is in this term or a later one.
    pub(crate) fn note_term(&mut self, term: u64) {
        self.floor.term = self.floor.term.max(term);
    }

    /// Records that it has applied the command at `index`.
    pub(crate) fn note_applied(&mut self, index: u64) {
        self.floor.applied = self.floor.applied.max(index);
    }

    /// Makes a sample from an answer of `inspect`.
    pub(crate) fn sample(&self, question: &Question, state: &Arc<Inspect>, at: Moment) -> Sample {
        Sample {
            server: question.of.server,
            at,
            asked: question.asked,
            quiet: self.running.is_empty(),
            handlers: self.handlers_begun - self.handlers_seen,
            state: Arc::clone(state),
        }
    }

    /// Records a sample after it was checked.
    pub(crate) fn note_sample(&mut self, now: &Sample) {
        self.note_term(now.state.current_term);
        self.handlers_seen = self.handlers_begun - self.running.len();
    }

    /// Records that one of its RPC handlers begins.
    pub(crate) fn begin_handler(&mut self, handler: Handler) {
        if self.alive {
            self.running.insert(handler, self.floor.term);
            self.handlers_begun += 1;
        }
    }

    /// Records that one of its RPC handlers has returned.
    pub(crate) fn end_handler(&mut self, handler: Handler, answered: bool) {
        if let Some(term) = self.running.remove(&handler)
            && self.alive
            && answered
            && handler.0 >= self.first_call
        {
            self.claims.answered_term = self.claims.answered_term.max(term);
        }
    }
}

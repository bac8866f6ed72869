//! What the checker knows of one server, apart from its samples.

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
    /// It has no link to any other server, until it starts again.
    pub(crate) down: bool,
    floor: Floor,
    /// Questions that are not answered yet.
    questions: Vec<Question>,
    /// The handlers that run, with the term that was known when they began.
    running: BTreeMap<Handler, u64>,
    /// Calls with a lower number may have reached an incarnation that has crashed.
    first_call: u64,
    handlers_begun: usize,
    /// Of those, how many had begun at the last sample and had returned by then.
    handlers_seen: usize,
    pub(crate) claims: DurableClaims,
}

/// One run of an RPC handler: the number of the call, and whether it is the duplicate.
pub(crate) type Handler = (u64, u32);

/// A peer was asked for something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) of: Incarnation,
    asked: Moment,
    /// What was known of it then.
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

    /// A new incarnation begins; the next call has the number `first_call`.
    pub(crate) fn start(&mut self, number: u32, first_call: u64) {
        self.of.number = number;
        (self.alive, self.down) = (true, false);
        self.floor = Floor::default();
        self.questions.clear();
        self.running.clear();
        self.first_call = first_call;
        (self.handlers_begun, self.handlers_seen) = (0, 0);
    }

    /// It crashes, having shown `last`. False if it had crashed before.
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

    /// It is about to be asked something. An answer of a crashed server does not count.
    pub(crate) fn ask(&mut self, number: u32, asked: Moment) {
        if self.runs(number) {
            self.questions.push(Question { of: self.of, asked, floor: self.floor });
        }
    }

    /// The question that it has answered, if it ran when it was asked.
    pub(crate) fn answer(&mut self, asked: Moment) -> Option<Question> {
        let place = self.questions.iter().position(|question| question.asked == asked)?;
        Some(self.questions.swap_remove(place))
    }

    /// `get_state` has answered.
    pub(crate) fn says_term(
        &mut self,
        question: &Question,
        term: u64,
        at: Moment,
    ) -> Result<(), Violation> {
        question.floor.check_term(question.of.server, term, at)?;
        if self.runs(question.of.number) {
            self.reaches_term(term);
        }
        Ok(())
    }

    /// It is known to be in this term or a later one.
    pub(crate) fn reaches_term(&mut self, term: u64) {
        self.floor.term = self.floor.term.max(term);
    }

    /// It has applied the command at `index`.
    pub(crate) fn applies(&mut self, index: u64) {
        self.floor.applied = self.floor.applied.max(index);
    }

    /// Makes a sample of an answer of `inspect`.
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

    /// A sample was checked.
    pub(crate) fn note_sample(&mut self, now: &Sample) {
        self.reaches_term(now.state.current_term);
        self.handlers_seen = self.handlers_begun - self.running.len();
    }

    /// One of its RPC handlers begins.
    pub(crate) fn begin_handler(&mut self, handler: Handler) {
        if self.alive {
            self.running.insert(handler, self.floor.term);
            self.handlers_begun += 1;
        }
    }

    /// One of its RPC handlers has returned.
    pub(crate) fn end_handler(&mut self, handler: Handler, answered: bool) {
        if let Some(term) = self.running.remove(&handler)
            && self.alive
            && answered
            && handler.0 >= self.first_call
        {
            self.claims.told_term = self.claims.told_term.max(term);
        }
    }
}

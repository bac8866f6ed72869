//! The steps of a run, as they are in its trace.
//!
//! Two runs of one seed must agree on every step. If their hashes differ, the first recorded step
//! that differs shows where nondeterminism entered.

use std::fmt;
use std::time::Duration;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of the calls")]
pub enum Op {
    Start = 1,
    Exit,
    Spawn,
    Join,
    Detach,
    FutexWait,
    FutexWake,
    Sleep,
    Yield,
    Clock,
    Random,
    Edge,
    Group,
}

/// One step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number, counted from 1.
    pub step: u64,
    /// The number of the thread that took it.
    pub thread: u32,
    /// What it did.
    pub op: Op,
    /// The virtual time, in nanoseconds.
    pub at_ns: u64,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Duration::from_nanos(self.at_ns);
        write!(f, "step {}: thread {} {:?} at {at:?}", self.step, self.thread, self.op)
    }
}

//! The trace of a run: one rolling hash always, and every step where asked.
//!
//! Two runs of one seed must agree on every step. When their hashes differ, comparing the recorded
//! steps finds the first that does, which is where the real world leaked in.

use std::fmt;
use std::time::Duration;

use crate::report::Report;

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
    TimedOut,
    Sleep,
    Yield,
    Clock,
    Random,
    Edge,
    Group,
    Write,
}

/// One step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Counted from 1.
    pub step: u64,
    /// The number of the thread that took it.
    pub thread: u32,
    /// What it did.
    pub op: Op,
    /// The virtual time, in nanoseconds.
    pub at_ns: u64,
}

/// Where two traces part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The step of the first run, unless it ended before.
    pub left: Option<Step>,
    /// The step of the second run, unless it ended before.
    pub right: Option<Step>,
}

/// The first step in which two recorded runs differ, if any.
#[must_use]
pub fn first_difference(left: &Report, right: &Report) -> Option<Difference> {
    let longest = left.trace.len().max(right.trace.len());
    (0..longest)
        .map(|i| Difference {
            left: left.trace.get(i).copied(),
            right: right.trace.get(i).copied(),
        })
        .find(|pair| pair.left != pair.right)
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Duration::from_nanos(self.at_ns);
        write!(f, "step {}: thread {} {:?} at {at:?}", self.step, self.thread, self.op)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |step: Option<Step>| step.map_or("the end".to_owned(), |step| step.to_string());
        write!(f, "{} | {}", side(self.left), side(self.right))
    }
}

/// The recorder: the rolling hash, and the steps if they are kept.
#[derive(Debug)]
pub(crate) struct Tracer {
    pub(crate) hash: u64,
    pub(crate) steps: Option<Vec<Step>>,
}

impl Tracer {
    pub(crate) fn new(keep: bool) -> Tracer {
        Tracer { hash: 0x6a09_e667_f3bc_c908, steps: keep.then(Vec::new) }
    }

    /// Takes a step in. The step's own number need not be mixed in: order does that.
    #[inline]
    pub(crate) fn record(&mut self, step: u64, thread: u32, op: Op, at_ns: u64) {
        let who = (u64::from(thread) << 8) | op as u64;
        let mut hash = (self.hash ^ who).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 32;
        hash = (hash ^ at_ns).wrapping_mul(0xd6e8_feb8_6659_fd93);
        self.hash = hash ^ (hash >> 29);
        if let Some(steps) = &mut self.steps {
            steps.push(Step { step, thread, op, at_ns });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Order, thread, operation and time all count.
    #[test]
    fn hash_depends_on_every_part() {
        let hash = |steps: &[(u32, Op, u64)]| {
            let mut tracer = Tracer::new(false);
            for (i, (thread, op, at)) in steps.iter().enumerate() {
                tracer.record(i as u64, *thread, *op, *at);
            }
            tracer.hash
        };
        let base = hash(&[(0, Op::Sleep, 5), (1, Op::Sleep, 9)]);
        assert_eq!(base, hash(&[(0, Op::Sleep, 5), (1, Op::Sleep, 9)]));
        assert_ne!(base, hash(&[(1, Op::Sleep, 9), (0, Op::Sleep, 5)]));
        assert_ne!(base, hash(&[(0, Op::Yield, 5), (1, Op::Sleep, 9)]));
        assert_ne!(base, hash(&[(0, Op::Sleep, 6), (1, Op::Sleep, 9)]));
        assert_ne!(base, hash(&[(2, Op::Sleep, 5), (1, Op::Sleep, 9)]));
    }
}

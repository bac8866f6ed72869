//! Schedules: every choice that makes one run of a program differ from another.
//!
//! A run is a function of the program and of its schedule's answers. The scheduler keeps the clock,
//! the timers and the table of waiters, and asks a [`Schedule`] wherever more than one thing may
//! happen next. No other part draws numbers for the schedule, so a schedule that gives the same
//! answers makes the same run, to the step.
//!
//! The questions are few, and each comes with what an answer can depend on:
//!
//! - *Which of the ready threads runs next?* [`Schedule::next`] sees all of them, by number, and
//!   the [`Point`]: the thread that ran so far, and whether it yields. A schedule that
//!   counts steps is told of them by [`Schedule::stepped`].
//! - *When is a running thread preempted?* At edges of instrumented code and at clock reads, by
//!   [`Schedule::edges_to_preemption`] and [`Schedule::clock_reads_to_preemption`].
//! - *Does a wait end early?* [`Schedule::early_wake`].
//!
//! That is enough for the users to come. A **replay** records each answer and gives the same ones
//! in the same order; it names threads by number, which stays meaningful where positions in a queue
//! do not. A **shrunk** schedule replaces some answers by "run on": it takes the running thread
//! again if the point says that it is ready, else the first in the queue, and answers "never" to
//! the questions of preemption. `run::replay` has both as a test.

use std::fmt::Debug;

use crate::scheduler::ready::{Ready, ReadyThread};

mod chances;
mod fifo;
mod pct;
pub(crate) mod policy;
mod random;

/// Where in a run a choice is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// The thread that ran so far; none if it has ended. It can run on if it is among the ready
    /// ones.
    pub(crate) running: Option<ReadyThread>,
    /// Whether the running thread waits in a loop, so that any other should go first.
    pub(crate) yields: bool,
}

/// Decides what the scheduler leaves open. One value serves one run.
///
/// An answer may depend on the questions so far and on a seed; never on an address or on real time.
pub(crate) trait Schedule: Debug + Send {
    /// Takes the thread that runs next out of `ready`, which holds at least two. With fewer there
    /// is no choice, and nothing is asked.
    fn next(&mut self, point: Point, ready: &mut Ready) -> ReadyThread;

    /// The number of edges of instrumented code up to and including the one at which the running
    /// thread is preempted, at least 1. Asked once for each such edge, not at each edge passed:
    /// that happens a thousand times as often. An answer of 1 leaves the decision to `next` at
    /// every edge.
    fn edges_to_preemption(&mut self) -> u32;

    /// The number of clock reads up to and including the one at which the thread yields, at least
    /// 1. It must be bounded, or a loop that polls the clock never lets another thread run.
    fn clock_reads_to_preemption(&mut self) -> u32;

    /// After how many ns a wait that begins now ends for no reason; none for most. Asked for waits
    /// on a futex, if the run wants spurious wakes.
    fn early_wake(&mut self) -> Option<u64>;

    /// A thread was started in `slot`.
    fn started(&mut self, _slot: u32) {}

    /// The running thread, in `slot`, waits in a loop.
    fn yielded(&mut self, _slot: u32) {}

    /// The running thread, in `slot`, took the step of this number. Returns the step at which to be
    /// told next: `step + 1` for each. It is not told of every step, because a call for each would
    /// cost a tenth of a clock read. The first step is always told.
    fn stepped(&mut self, _slot: u32, _step: u64) -> u64 {
        u64::MAX
    }
}

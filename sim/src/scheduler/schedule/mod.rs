//! Schedules: every choice that makes one run of a program differ from another.
//!
//! A run is a function of the program and of its schedule's answers. The scheduler keeps the clock,
//! the timers and the table of waiters, and asks a [`Schedule`] whenever more than one thing can
//! happen next. No other part draws numbers for the schedule. So a schedule that gives the same
//! answers makes a run with the same steps.
//!
//! There are few questions, and each has everything on which an answer can depend:
//!
//! - *Which of the ready threads runs next?* [`Schedule::next`] sees all of them, by number, and
//!   the [`Point`]: the thread that ran so far, and whether it yields. A schedule that
//!   counts steps gets them through [`Schedule::stepped`].
//! - *When is a running thread preempted?* At edges of instrumented code and at clock reads, by
//!   [`Schedule::edges_to_preemption`] and [`Schedule::clock_reads_to_preemption`].
//! - *Does a wait end early?* [`Schedule::early_wake`].
//!
//! That is enough for two more uses. A **replay** records each answer and gives the same answers in
//! the same order. It names threads by number, because a position in a queue can mean another
//! thread in another run. `run::replay` tests it. `partly` draws some answers and replaces the
//! others by "run on": it takes the running thread again if the point says that it is ready,
//! otherwise the first in the queue.

use std::fmt::Debug;

use crate::report::Decisions;
use crate::scheduler::ready::{Ready, ReadyThread};

mod chances;
mod fifo;
mod partly;
mod pct;
pub(crate) mod policy;
mod random;

/// The point in a run at which a choice is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// The thread that ran so far; `None` if it has ended. It can run on if it is among the ready
    /// threads.
    pub(crate) running: Option<ReadyThread>,
    /// Whether the running thread waits in a loop, so that any other should go first.
    pub(crate) yields: bool,
}

/// Decides what the scheduler leaves open. One value serves one run.
///
/// An answer can depend on the questions so far and on a seed, but never on an address or on real
/// time.
pub(crate) trait Schedule: Debug + Send {
    /// Takes the thread that runs next out of `ready`, which holds at least two. With fewer there
    /// is no choice, and the schedule is not asked.
    fn next(&mut self, point: Point, ready: &mut Ready) -> ReadyThread;

    /// The number of edges of instrumented code up to and including the one at which the running
    /// thread is preempted, at least 1. Asked once for each such edge, and not at every edge,
    /// because there are a thousand times as many edges. An answer of 1 leaves the decision to
    /// `next` at every edge.
    fn edges_to_preemption(&mut self) -> u32;

    /// The number of clock reads up to and including the one at which the thread yields, at least
    /// 1. It must have a limit; otherwise a loop that polls the clock keeps the turn without end.
    fn clock_reads_to_preemption(&mut self) -> u32;

    /// The number of ns after which a wait that begins now ends for no reason; `None` for most
    /// waits. Asked for waits on a futex, if the run has spurious wakes.
    fn early_wake(&mut self) -> Option<u64>;

    /// A thread was started in `slot`.
    fn started(&mut self, _slot: u32) {}

    /// The running thread, in `slot`, waits in a loop.
    fn yielded(&mut self, _slot: u32) {}

    /// The running thread, in `slot`, took the step of this number. Returns the number of the next
    /// step to report; `step + 1` asks for every step. Not every step is reported, because a call
    /// for each step would cost a tenth of a clock read. The first step is always reported.
    fn stepped(&mut self, _slot: u32, _step: u64) -> u64 {
        u64::MAX
    }

    /// Another schedule answers in place of [`Schedule::next`]. Takes from the stream of random
    /// numbers what the answer would have taken.
    fn pass_over(&mut self, _point: Point, _ready: &Ready) {}

    /// Draws everything from now on by another seed.
    fn turn(&mut self, seed: u64);

    /// What a schedule that is only partly drawn has counted.
    fn decisions(&self) -> Decisions {
        Decisions::default()
    }
}

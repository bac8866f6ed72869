//! When a run ends or pauses: limits, deadlocks, and the end of the closure.

use std::sync::atomic::Ordering;

use crate::border::BORDER;
use crate::halt::Halt;
use crate::scheduler::progress::IDLE;
use crate::scheduler::{Scheduler, Stop};
use crate::sys;

/// The number of steps in which the remaining threads can end by themselves after the closure's
/// return.
const DRAIN_STEPS: u64 = 10_000;

impl Scheduler {
    #[cold]
    pub(super) fn check_limits(&mut self) {
        if self.stop.is_some() || self.drain.is_some() {
            return;
        }
        if self.steps >= self.step_limit {
            self.stop = Some(Stop::Over(Halt::StepLimit));
        } else if self.now > self.time_limit {
            self.stop = Some(Stop::Over(Halt::TimeLimit));
        } else if self.stepped && self.now > self.overtime_until {
            self.stop = Some(Stop::Paused);
        }
    }

    /// The closure has ended. The other threads can finish what they can do at this instant.
    pub(crate) fn begin_drain(&mut self, halt: Halt) {
        self.ended_at = Some(self.now);
        let steps = if halt == Halt::Finished { DRAIN_STEPS } else { 1 };
        self.drain = Some((halt, steps));
    }

    #[inline]
    pub(super) fn count_drain(&mut self) {
        if let Some((halt, left)) = &mut self.drain {
            *left = left.saturating_sub(1);
            if *left == 0 || self.ready.is_empty() {
                self.stop = Some(Stop::Over(halt.clone()));
            }
        }
    }

    /// No thread is ready: jumps to the next deadline, or stops if there is none.
    #[cold]
    pub(super) fn pass_time(&mut self) {
        let next = self.timers.next_deadline();
        let horizon = self.until.min(self.time_limit);
        if let Some(at) = next
            && at <= horizon
        {
            self.now = self.now.max(at);
            return;
        }
        if self.stepped && self.until <= self.time_limit {
            self.now = self.now.max(self.until);
            self.stop = Some(Stop::Paused);
        } else if next.is_some() {
            self.now = self.now.max(self.time_limit);
            self.stop = Some(Stop::Over(Halt::TimeLimit));
        } else if !self.woken_from_outside() {
            self.stop = Some(Stop::Over(Halt::Deadlock));
        }
    }

    /// Waits in real time for a thread outside to wake a simulated one, while such a thread exists.
    /// Returns whether one did.
    fn woken_from_outside(&self) -> bool {
        let start = sys::real_clock_ns(libc::CLOCK_MONOTONIC);
        IDLE.store(true, Ordering::Relaxed);
        let woken = loop {
            let may_act = BORDER.outside_may_act();
            if BORDER.has_woken() {
                break true;
            }
            let waited = sys::real_clock_ns(libc::CLOCK_MONOTONIC) - start;
            if !may_act || waited > self.outside_limit_ns {
                break false;
            }
            BORDER.sleep_idle();
        };
        IDLE.store(false, Ordering::Relaxed);
        woken
    }

    /// Whether another thread can start. If not, ends the run.
    pub(crate) fn has_room(&mut self) -> bool {
        let room = self.alive < self.thread_limit;
        if !room && self.stop.is_none() {
            self.stop = Some(Stop::Over(Halt::ThreadLimit));
        }
        room
    }
}

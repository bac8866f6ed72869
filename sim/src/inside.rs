//! What a test asks of the simulation from inside: the time, labels, threads, groups.
//!
//! Code under test needs none of this. All of it may be called outside too, where it does nothing
//! or speaks of real time.

use std::marker::PhantomData;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::engine::thread;
use crate::label::Label;
use crate::report::ThreadInfo;
use crate::scheduler::progress::IDLE;
use crate::scheduler::threads::attach;
use crate::scheduler::turn::{self, with};
use crate::scheduler::{CALL_NS, Scheduler};
use crate::trace::Op;

/// Whether the calling thread runs in virtual time.
#[must_use]
pub fn is_virtual() -> bool {
    thread::current().is_some()
}

/// Virtual time since the start of the run, by the run's own clock; outside, real time since the
/// first call.
#[must_use]
pub fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    if thread::current().is_some() {
        Duration::from_nanos(with(|scheduler| scheduler.now))
    } else {
        START.get_or_init(Instant::now).elapsed()
    }
}

/// Gives the calling thread a label until the guard is dropped. Threads started meanwhile inherit
/// it for life.
#[must_use = "the label lasts as long as the guard"]
pub fn label(label: Label) -> LabelGuard {
    let before = current_label();
    set(label);
    LabelGuard { before, not_send: PhantomData }
}

/// Puts the label from before back when dropped.
#[derive(Debug)]
pub struct LabelGuard {
    before: Label,
    /// The label is the thread's, so the guard stays on it.
    not_send: PhantomData<*const ()>,
}

impl Drop for LabelGuard {
    fn drop(&mut self) {
        set(self.before);
    }
}

fn set(label: Label) {
    if thread::current().is_some() {
        with(|scheduler| scheduler.running().label = label);
    }
}

/// The calling thread's label.
#[must_use]
pub fn current_label() -> Label {
    match thread::current() {
        Some(_) => with(|scheduler| scheduler.running().label),
        None => Label::default(),
    }
}

/// Waits for something outside of the simulation on purpose, such as another process: the whole run
/// stands still until `wait` returns, no virtual time passes, and the watchdog does not mind. The
/// caller sees to it that the wait ends.
pub fn wait_outside<R>(wait: impl FnOnce() -> R) -> R {
    if !is_virtual() {
        return wait();
    }
    IDLE.store(true, Ordering::Relaxed);
    let result = wait();
    IDLE.store(false, Ordering::Relaxed);
    result
}

/// Every thread of the simulation and what it does at this moment; empty outside.
#[must_use]
pub fn threads() -> Vec<ThreadInfo> {
    match thread::current() {
        Some(_) => with(|scheduler| scheduler.infos()),
        None => Vec::new(),
    }
}

/// Like [`threads`], with the backtrace of each thread but the caller: some ten microseconds each.
#[must_use]
pub fn threads_with_backtraces() -> Vec<ThreadInfo> {
    let Some(me) = thread::current() else { return Vec::new() };
    let mut infos = threads();
    attach(&mut infos, turn::backtraces(me, usize::MAX));
    infos
}

/// Stops all threads of a group where they stand, until [`resume`]. Time passes for them.
pub fn pause(group: u32) {
    change(|scheduler| scheduler.pause(group));
}

/// Lets a paused group run on.
pub fn resume(group: u32) {
    change(|scheduler| scheduler.resume(group));
}

/// Ends all threads of a group where they stand, like a crash in the middle of anything: nothing
/// is unwound, dropped or unlocked, and a thread that joins one of them waits for ever.
pub fn discard(group: u32) {
    change(|scheduler| scheduler.discard(group));
}

/// Lets a group's clock run at `rate` times the speed of the run's: 1.01 gains ten milliseconds a
/// second. The clock does not jump; its timers move.
pub fn set_clock_rate(group: u32, rate: f64) {
    let rate_ppm = (rate * 1e6).round() as u64;
    change(|scheduler| scheduler.set_rate(group, rate_ppm));
}

fn change(f: impl FnOnce(&mut Scheduler)) {
    let Some(me) = thread::current() else { return };
    let next = with(|scheduler| {
        scheduler.step(Op::Group, CALL_NS);
        f(scheduler);
        // The caller may have stopped itself.
        scheduler.point(false)
    });
    turn::go(me, next);
}

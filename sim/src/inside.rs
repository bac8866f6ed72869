//! Functions for tests inside a simulation: they read the time, label and list threads, and pause
//! groups.
//!
//! Code under test needs none of this. Outside a simulation the functions do nothing, or use real
//! time.

use std::marker::PhantomData;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::engine::thread;
use crate::hooks::clock;
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

/// Virtual time since the start of the run, by the run's own clock. Outside a simulation, real time
/// since the first call.
#[must_use]
pub fn now() -> Duration {
    if thread::current().is_some() {
        Duration::from_nanos(with(|scheduler| scheduler.now))
    } else {
        real_start().elapsed()
    }
}

/// The time, as [`now`] counts it, at which the clock of a group shows `instant`. If the group's
/// clock has a rate of its own, this assumes that it keeps the rate. It reads no clock, so it is no
/// step of the run.
#[must_use]
pub fn time_of(group: u32, instant: Instant) -> Duration {
    if thread::current().is_none() {
        return instant.saturating_duration_since(real_start());
    }
    let local = instant.saturating_duration_since(clock::origin());
    let local = u64::try_from(local.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(with(|scheduler| scheduler.time_of(group, local)))
}

fn real_start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// Labels the calling thread until the guard is dropped. Threads started until then inherit the
/// label and keep it.
#[must_use = "the label lasts as long as the guard"]
pub fn label(label: Label) -> LabelGuard {
    let before = current_label();
    set(label);
    LabelGuard { before, not_send: PhantomData }
}

/// Labels the calling thread for good. An older guard still restores its own label.
pub fn relabel(label: Label) {
    set(label);
}

/// Restores the previous label when dropped.
#[derive(Debug)]
pub struct LabelGuard {
    before: Label,
    /// The label belongs to the thread, so the guard must stay on it.
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

/// Waits on purpose for something outside the simulation, such as another process. The whole run
/// stands still until `wait` returns, no virtual time passes, and the watchdog does not intervene.
/// The caller must make sure that the wait ends.
pub fn wait_outside<R>(wait: impl FnOnce() -> R) -> R {
    if !is_virtual() {
        return wait();
    }
    IDLE.store(true, Ordering::Relaxed);
    let result = wait();
    IDLE.store(false, Ordering::Relaxed);
    result
}

/// Every thread of the simulation and its current state; empty outside a simulation.
#[must_use]
pub fn threads() -> Vec<ThreadInfo> {
    match thread::current() {
        Some(_) => with(|scheduler| scheduler.infos()),
        None => Vec::new(),
    }
}

/// Like [`threads`], with the backtrace of each thread except the caller. A backtrace takes about
/// ten microseconds.
#[must_use]
pub fn threads_with_backtraces() -> Vec<ThreadInfo> {
    let Some(me) = thread::current() else { return Vec::new() };
    let mut infos = threads();
    attach(&mut infos, turn::backtraces(me, usize::MAX));
    infos
}

/// Stops all threads of a group until [`resume`]. Their clock keeps running.
pub fn pause(group: u32) {
    change(|scheduler| scheduler.pause(group));
}

/// Lets a paused group continue.
pub fn resume(group: u32) {
    change(|scheduler| scheduler.resume(group));
}

/// Ends all threads of a group immediately, like a crash. Nothing is unwound, dropped or unlocked.
/// A thread that joins one of them never returns from the join.
pub fn discard(group: u32) {
    change(|scheduler| scheduler.discard(group));
}

/// Makes a group's clock run at `rate` times the speed of the run's clock: with 1.01 it gains ten
/// milliseconds a second. The clock does not jump, and its timers move accordingly.
pub fn set_clock_rate(group: u32, rate: f64) {
    let rate_ppm = (rate * 1e6).round() as u64;
    change(|scheduler| scheduler.set_rate(group, rate_ppm));
}

/// Sets the clocks of these groups to the one that is furthest ahead. From then on they run at the
/// speed of the run's clock, so that their threads can compare times.
pub fn align_clocks(groups: &[u32]) {
    change(|scheduler| scheduler.align_clocks(groups));
}

fn change(f: impl FnOnce(&mut Scheduler)) {
    let Some(me) = thread::current() else { return };
    let next = with(|scheduler| {
        scheduler.step(Op::Group, CALL_NS);
        f(scheduler);
        // The caller may have paused or discarded its own group.
        scheduler.point(false)
    });
    turn::go(me, next);
}

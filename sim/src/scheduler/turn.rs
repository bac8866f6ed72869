//! The hand-over of the turn, and the only scheduler of the process.
//!
//! Only the thread that has the turn reaches the scheduler, through `with`. The borrow ends before
//! any switch, so no two threads ever hold it.

use std::backtrace::Backtrace;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::engine;
use crate::engine::thread::{self, SimThread};
use crate::engine_kind::Engine;
use crate::scheduler::thread::{State, Wake};
use crate::scheduler::{CALL_NS, Next, Scheduler};
use crate::trace::Op;

struct SchedulerCell(UnsafeCell<Option<Scheduler>>);

// SAFETY: reached only by the thread with the turn (see `with`), and by the caller of the run while
// the machine is stopped; the hand-overs between them order the accesses.
unsafe impl Sync for SchedulerCell {}

static SCHEDULER: SchedulerCell = SchedulerCell(UnsafeCell::new(None));
/// The kernel thread that starts the run, and gets the turn when the run stops.
static MACHINE: MachineCell = MachineCell(UnsafeCell::new(None));

struct MachineCell(UnsafeCell<Option<&'static SimThread>>);

// SAFETY: written before the run's first switch, or when its first machine is parked; otherwise
// only read.
unsafe impl Sync for MachineCell {}

/// Whether the thread with the turn is inside `with`. Only that thread writes it, and only its
/// hooks read it.
static INSIDE: AtomicBool = AtomicBool::new(false);

/// Runs `f` on the scheduler. Only for the thread with the turn; `f` must not switch. It may
/// allocate, and an allocator may call a hook: see [`is_inside`].
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&mut Scheduler) -> R) -> R {
    debug_assert!(!is_inside(), "the scheduler was entered from inside itself");
    // SAFETY: one thread at a time has the turn, and `f` never calls `with`: a hook that `f`
    // reaches through the allocator checks `INSIDE` first.
    let scheduler = unsafe { &mut *SCHEDULER.0.get() };
    match scheduler {
        Some(scheduler) => {
            INSIDE.store(true, Ordering::Relaxed);
            let result = f(scheduler);
            INSIDE.store(false, Ordering::Relaxed);
            result
        }
        None => crate::sys::park_forever(),
    }
}

/// Runs code that allocates for the simulation outside `with`, such as stacks for threads. The
/// allocator's calls in it are passed on too. `f` must not switch.
pub(crate) fn unseen<R>(f: impl FnOnce() -> R) -> R {
    INSIDE.store(true, Ordering::Relaxed);
    let result = f();
    INSIDE.store(false, Ordering::Relaxed);
    result
}

/// Reads from the scheduler. Only for the thread with the turn; `f` must not reach a hook.
#[inline]
pub(crate) fn read<R>(f: impl FnOnce(&Scheduler) -> R) -> R {
    // SAFETY: as for `with`; `f` reaches no hook, so `INSIDE` need not be set.
    let scheduler = unsafe { &*SCHEDULER.0.get() };
    match scheduler {
        Some(scheduler) => f(scheduler),
        None => crate::sys::park_forever(),
    }
}

/// Whether a hook was reached from inside the scheduler. Then the scheduler's allocator calls it,
/// and the scheduler cannot be entered again.
#[inline]
pub(crate) fn is_inside() -> bool {
    INSIDE.load(Ordering::Relaxed)
}

/// The simulated thread that calls a hook. `None` if the caller is outside, or if it is an
/// allocator that works for the scheduler. The call of such an allocator is passed on, because the
/// scheduler is busy.
#[inline]
pub(crate) fn caller() -> Option<&'static SimThread> {
    thread::current().filter(|_| !is_inside())
}

/// Installs a run's scheduler and machine.
pub(crate) fn install(scheduler: Scheduler, machine: &'static SimThread) {
    // SAFETY: the caller holds the lock of runs, and no simulated thread exists.
    unsafe {
        *SCHEDULER.0.get() = Some(scheduler);
        *MACHINE.0.get() = Some(machine);
    }
}

/// Makes another kernel thread the machine, because the first one is stuck in a fiber that never
/// returns.
pub(crate) fn replace_machine(machine: &'static SimThread) {
    // SAFETY: the first machine is parked forever.
    unsafe { *MACHINE.0.get() = Some(machine) };
}

/// Takes a run's scheduler away.
pub(crate) fn uninstall() -> Option<Scheduler> {
    // SAFETY: the machine has stopped, so no other thread reaches the scheduler.
    unsafe { (*SCHEDULER.0.get()).take() }
}

fn machine() -> &'static SimThread {
    // SAFETY: see `MachineCell`.
    match unsafe { *MACHINE.0.get() } {
        Some(machine) => machine,
        None => crate::sys::park_forever(),
    }
}

/// A scheduling point: the thread can continue, but another may get the turn.
#[inline]
pub(crate) fn point(me: &'static SimThread, op: Op, cost_ns: u64) {
    let next = with(|scheduler| {
        scheduler.step(op, cost_ns);
        scheduler.point(op == Op::Yield)
    });
    go(me, next);
}

/// Blocks the running thread. Returns the reason for which it continues.
pub(crate) fn block(me: &'static SimThread, state: State, deadline: Option<u64>) -> Wake {
    let next = with(|scheduler| scheduler.block(state, deadline));
    go(me, next);
    read(Scheduler::last_wake)
}

/// Takes a step that blocks the running thread. Returns the reason for which it continues.
#[inline]
pub(crate) fn block_step(
    me: &'static SimThread,
    op: Op,
    state: State,
    deadline: Option<u64>,
) -> Wake {
    let next = with(|scheduler| {
        scheduler.step(op, CALL_NS);
        scheduler.block(state, deadline)
    });
    go(me, next);
    read(Scheduler::last_wake)
}

/// Hands the turn over as the scheduler decided, and returns when it comes back.
#[inline]
pub(crate) fn go(me: &'static SimThread, next: Next) {
    let to = match next {
        Next::Same => return,
        Next::Thread(thread) => thread,
        Next::Machine => machine(),
    };
    let engine = read(|scheduler| scheduler.engine);
    engine::switch(engine, me, to);
    while read(|scheduler| scheduler.reporter.is_some()) {
        give_backtrace(me, engine);
    }
}

/// The thread got the turn only to take its backtrace.
#[cold]
fn give_backtrace(me: &'static SimThread, engine: Engine) {
    let backtrace = Backtrace::force_capture();
    // Checked again: if the backtrace was abandoned, this is an ordinary turn.
    if let Some(reporter) = with(|scheduler| scheduler.reporter) {
        // SAFETY: this thread has the turn, and no reference to the cell is held.
        unsafe { *me.backtrace.get() = Some(backtrace) };
        engine::switch(engine, me, reporter);
    }
}

/// Milliseconds left to wait for the standard library's lock for backtraces.
static BACKTRACE_WAITS_LEFT: AtomicU32 = AtomicU32::new(0);

/// Whether a thread that takes its backtrace may wait another millisecond for the lock.
pub(crate) fn may_wait_for_backtrace() -> bool {
    let spend = |left: u32| left.checked_sub(1);
    BACKTRACE_WAITS_LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
}

/// Abandons a backtrace that would have to wait for a lock held inside.
pub(crate) fn abandon_backtrace(me: &'static SimThread) {
    if let Some((engine, reporter)) = with(|s| s.reporter.map(|reporter| (s.engine, reporter))) {
        engine::switch(engine, me, reporter);
    }
}

/// Ends the running thread `me`. Returns only on the kernel-thread engine, after the turn was given
/// away.
pub(crate) fn end(me: &'static SimThread) {
    let (engine, next) = with(|scheduler| {
        scheduler.step(Op::Exit, 0);
        let next = scheduler.end(me.joiner.get());
        (scheduler.engine, next)
    });
    me.ended.set(true);
    if me.detached.get() {
        unseen(|| engine::release(engine, me));
    }
    let to = match next {
        Next::Thread(thread) => thread,
        Next::Same | Next::Machine => machine(),
    };
    engine::leave(engine, me, to);
}

/// The machine's side: runs the simulation until it stops.
pub(crate) fn drive() {
    let next = with(|scheduler| {
        scheduler.stop = None;
        scheduler.current = u32::MAX;
        scheduler.choose(false)
    });
    if let Next::Thread(thread) = next {
        let engine = with(|scheduler| scheduler.engine);
        engine::switch(engine, machine(), thread);
    }
}

/// Takes a backtrace of up to `limit` live threads, without `reporter`. Returns them with the
/// numbers of the threads.
pub(crate) fn backtraces(reporter: &'static SimThread, limit: usize) -> Vec<(u32, Backtrace)> {
    backtraces_except(reporter, u32::MAX, limit)
}

/// Like `backtraces`, without the thread in slot `stuck`, which cannot answer.
pub(crate) fn backtraces_except(
    reporter: &'static SimThread,
    stuck: u32,
    limit: usize,
) -> Vec<(u32, Backtrace)> {
    BACKTRACE_WAITS_LEFT.store(2_000, Ordering::Relaxed);
    let (engine, threads, current) = with(|s| (s.engine, s.sim_threads(), s.current));
    let mut out = Vec::new();
    let asked =
        |slot: u32, thread: &'static SimThread| slot != stuck && !std::ptr::eq(thread, reporter);
    let others = threads.into_iter().filter(|(slot, thread)| asked(*slot, thread));
    for (slot, thread) in others.filter(|(_, thread)| thread.started.get()).take(limit) {
        with(|scheduler| {
            scheduler.reporter = Some(reporter);
            scheduler.current = slot;
        });
        engine::switch(engine, reporter, thread);
        // SAFETY: this thread has the turn again, and no reference to the cell is held.
        if let Some(backtrace) = unsafe { (*thread.backtrace.get()).take() } {
            out.push((thread.id.get(), backtrace));
        }
    }
    with(|scheduler| {
        scheduler.reporter = None;
        scheduler.current = current;
    });
    out
}

//! The watchdog: the thread that called `run` watches the simulation from outside while it waits.
//!
//! Two things can keep a simulation from its next step: a loop that calls nothing, which uses CPU
//! time, and a real call that blocks, which does not. They differ from slow work in the CPU time or
//! real time since the last step. CPU time is that of the kernel thread that has the turn, because
//! other threads of the process may be busy too.

use std::backtrace::Backtrace;
use std::ffi::c_int;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::time::Duration;

use crate::engine::thread::{self, RUNNING_TID, SimThread};
use crate::options::Options;
use crate::scheduler::progress::{IDLE, STEPS};
use crate::sys;

/// The interval between two looks at the run.
const LOOK_NS: u64 = 10_000_000;
/// The time between two looks counts only up to this limit. A process that was stopped, or a
/// computer that was suspended, took no step either, but was not blocked.
const GAP_NS_MAX: u64 = 10 * LOOK_NS;
/// A thread that has used more than this is not blocked.
const BLOCKED_CPU_NS: u64 = 1_000_000;
/// How long to wait for the answer to the signal, in intervals of `LOOK_NS`.
const ANSWER_LOOKS: u32 = 200;
/// The default action of this signal is to ignore it, so a stray one does no harm.
const SIGNAL: c_int = libc::SIGURG;

/// Why a run takes no more steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stuck {
    Spin,
    BlockedOutside,
}

/// Waits until `finished(word)`. Returns a reason if the run is stuck instead.
pub(crate) fn watch(
    options: &Options,
    word: &AtomicU32,
    finished: impl Fn(u32) -> bool,
) -> Option<Stuck> {
    let limit_ns = |limit: Duration| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    let (cpu_limit, wall_limit) = (limit_ns(options.cpu_limit), limit_ns(options.wall_limit));
    let mut steps = u64::MAX;
    let mut tid = 0;
    let (mut cpu_start, mut cpu_seen) = (0, 0);
    let mut blocked = Blocked::default();
    loop {
        let value = word.load(Ordering::Acquire);
        if finished(value) {
            return None;
        }
        sys::futex_wait(word, value, Some(LOOK_NS));
        let (steps_now, tid_now) =
            (STEPS.load(Ordering::Relaxed), RUNNING_TID.load(Ordering::Relaxed));
        let (cpu, wall) = (cpu_ns_of(tid_now), sys::real_clock_ns(libc::CLOCK_MONOTONIC));
        blocked.look(wall);
        if steps_now != steps || tid_now != tid || IDLE.load(Ordering::Relaxed) {
            (steps, tid, cpu_start, cpu_seen) = (steps_now, tid_now, cpu, cpu);
            blocked.ns = 0;
        } else if cpu.saturating_sub(cpu_start) > cpu_limit {
            return Some(Stuck::Spin);
        } else if cpu.saturating_sub(cpu_seen) > BLOCKED_CPU_NS {
            // It has used CPU time, so it is not blocked.
            (cpu_seen, blocked.ns) = (cpu, 0);
        } else if blocked.ns > wall_limit {
            return Some(Stuck::BlockedOutside);
        }
    }
}

/// The time in which the process could have taken a step but did not.
#[derive(Default)]
struct Blocked {
    ns: u64,
    looked_at: u64,
}

impl Blocked {
    fn look(&mut self, wall: u64) {
        self.ns += wall.saturating_sub(self.looked_at).min(GAP_NS_MAX);
        self.looked_at = wall;
    }
}

/// The CPU time that one kernel thread has used, in ns.
fn cpu_ns_of(tid: i32) -> u64 {
    // The kernel's encoding of a thread's CPU-time clock: see clock_getcpuclockid(3).
    sys::real_clock_ns((!tid << 3) | 6)
}

/// The thread that answered the signal.
static CAUGHT: AtomicPtr<SimThread> = AtomicPtr::new(ptr::null_mut());
static ANSWERED: AtomicU32 = AtomicU32::new(0);

/// Permanently stops the kernel thread that runs simulated code, wherever it is. Returns the
/// simulated thread, with a backtrace in it. `None` if it does not answer.
pub(crate) fn catch_runner() -> Option<&'static SimThread> {
    CAUGHT.store(ptr::null_mut(), Ordering::Relaxed);
    ANSWERED.store(0, Ordering::Release);
    let tid = RUNNING_TID.load(Ordering::Relaxed);
    // SAFETY: a signal with a handler, to a thread of this process.
    unsafe {
        let args = [libc::getpid() as usize, tid as usize, SIGNAL as usize, 0, 0, 0];
        sys::raw(libc::SYS_tgkill, args);
    }
    for _ in 0..ANSWER_LOOKS {
        if ANSWERED.load(Ordering::Acquire) == 1 {
            break;
        }
        sys::futex_wait(&ANSWERED, 0, Some(LOOK_NS));
    }
    // SAFETY: null, or the address of a simulated thread, which is never freed.
    unsafe { CAUGHT.load(Ordering::Acquire).as_ref() }
}

/// Installs the signal handler.
pub(crate) fn install() {
    // SAFETY: a zero `sigaction` is valid; the handler has the type that SA_SIGINFO asks for.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void) = stop;
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigaction(SIGNAL, &action, ptr::null_mut());
    }
}

/// The signal handler, which runs on the stack of the thread that is stuck. It allocates, although
/// handlers must not. The run is lost anyway, and if the signal interrupted the allocator, the
/// caller stops waiting after some time.
extern "C" fn stop(_signal: c_int, _info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    let Some(thread) = thread::current() else { return };
    let backtrace = Backtrace::force_capture();
    // SAFETY: this thread has the turn, and never gives it up again.
    unsafe { *thread.backtrace.get() = Some(backtrace) };
    CAUGHT.store(ptr::from_ref(thread).cast_mut(), Ordering::Release);
    ANSWERED.store(1, Ordering::Release);
    sys::futex_wake(&ANSWERED, 1);
    sys::park_forever()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_stopped_process_hardly_counts_as_blocked() {
        let mut blocked = Blocked { ns: 0, looked_at: 5 * LOOK_NS };
        blocked.look(6 * LOOK_NS);
        assert_eq!(blocked.ns, LOOK_NS);
        blocked.look(6_000 * LOOK_NS);
        assert_eq!(blocked.ns, LOOK_NS + GAP_NS_MAX);
    }
}

//! The process of the runs: the lock that separates runs, and what the first run needs.

use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::border::BORDER;
use crate::engine::thread;
use crate::hooks;
use crate::report::PanicInfo;
use crate::scheduler::thread::name_of;
use crate::scheduler::turn::with;
use crate::{sys, watchdog};

/// The lock that a run holds. It is not a `Mutex`, because a stepped run can be dropped by another
/// thread than the one that started it.
static RUNS: AtomicU32 = AtomicU32::new(0);

pub(crate) fn lock_runs() {
    while RUNS.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
        BORDER.asleep(|| sys::futex_wait(&RUNS, 1, None));
    }
}

pub(crate) fn unlock_runs() {
    RUNS.store(0, Ordering::Release);
    sys::futex_wake(&RUNS, 1);
}

/// Prepares the process and calls `more`, while the lock of runs is held and no simulation runs.
pub(crate) fn prepare(more: impl FnOnce()) {
    lock_runs();
    prepare_process();
    more();
    unlock_runs();
}

/// Prepares what a process needs before its first run.
pub(crate) fn prepare_process() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        record_panics();
        watchdog::install();
        hooks::system::warm_up();
        hooks::clock::learn_std();
        refuse_huge_pages();
        // SAFETY: the handler only stores to atomics.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    });
}

/// Switches transparent huge pages off. An allocator that has a heap for each thread may ask for
/// them (mimalloc does). With hundreds of threads that each use little memory, the kernel would
/// take longer to clear pages than the run takes.
fn refuse_huge_pages() {
    // SAFETY: changes how memory is backed, not what it holds. A failure costs only speed.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

/// Called in a forked child, which has one thread and no run in progress.
pub(crate) extern "C" fn forked() {
    BORDER.forget_threads();
    RUNS.store(0, Ordering::Relaxed);
}

/// Installs a panic hook that records panics inside simulations, then calls the previous hook.
fn record_panics() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().is_some() {
            let message = info.payload_as_str().unwrap_or("a panic without a text");
            let message = message.to_owned();
            let location = info.location().map(ToString::to_string).unwrap_or_default();
            with(|scheduler| {
                let at = Duration::from_nanos(scheduler.now);
                let thread = scheduler.running();
                let (id, name, label) = (thread.id, name_of(&thread.name), thread.label);
                scheduler.panics.push(PanicInfo { thread: id, name, label, message, location, at });
            });
        }
        previous(info);
    }));
}

/// The process's peak resident memory, in bytes.
pub(crate) fn memory_peak_bytes() -> u64 {
    // SAFETY: a zero `rusage` is valid, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024
}

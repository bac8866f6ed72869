//! Switches between blocking points: at the edges of code that was built with SanitizerCoverage.
//!
//! The compiler puts a call to `__sanitizer_cov_trace_pc_guard` on every edge of the control flow
//! of an instrumented crate. The schedule says after how many edges to switch. Without edges, there
//! is never a switch between two uncontended critical sections of one thread, because neither makes
//! a system call.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use crate::engine::thread::{self, SimThread};
use crate::scheduler::CALL_NS;
use crate::scheduler::turn::{self, with};
use crate::trace::Op;

/// Whether the run has switches at edges.
static ON: AtomicBool = AtomicBool::new(false);
/// Edges left until the next switch. Only the thread with the turn counts.
static LEFT: AtomicU32 = AtomicU32::new(0);
/// The number of edges in all instrumented crates of this executable.
static GUARDS: AtomicU64 = AtomicU64::new(0);
/// The thread whose edges do not count now; null if those of all threads count.
static UNCOUNTED: AtomicPtr<SimThread> = AtomicPtr::new(ptr::null_mut());

/// The number of instrumented edges in this executable.
#[must_use]
pub fn instrumented_edges() -> u64 {
    GUARDS.load(Ordering::Relaxed)
}

/// Calls `work`, whose edges do not count: no switch happens there.
///
/// For an observer that calls instrumented code, such as a recorder that describes a value: the run
/// without it must be the same. A blocking call in `work` is a step as everywhere.
///
/// Neither generic nor inlined, because such code would be compiled in the instrumented crate.
#[inline(never)]
pub fn without_edges(work: &mut dyn FnMut()) {
    /// Restores also if `work` panics.
    struct Restore(*mut SimThread);
    impl Drop for Restore {
        fn drop(&mut self) {
            UNCOUNTED.store(self.0, Ordering::Relaxed);
        }
    }
    let Some(me) = thread::current() else { return work() };
    let _restore = Restore(UNCOUNTED.swap(ptr::from_ref(me).cast_mut(), Ordering::Relaxed));
    work();
}

pub(crate) fn enable(first: Option<u32>) {
    UNCOUNTED.store(ptr::null_mut(), Ordering::Relaxed);
    LEFT.store(first.unwrap_or(0), Ordering::Relaxed);
    ON.store(first.is_some(), Ordering::Relaxed);
}

/// # Safety
/// Called by instrumented code only.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn __sanitizer_cov_trace_pc_guard(_guard: *mut u32) {
    if !ON.load(Ordering::Relaxed) {
        return;
    }
    let Some(me) = turn::caller() else { return };
    if ptr::eq(me, UNCOUNTED.load(Ordering::Relaxed)) {
        return;
    }
    let left = LEFT.load(Ordering::Relaxed);
    if left > 1 {
        LEFT.store(left - 1, Ordering::Relaxed);
        return;
    }
    if with(|scheduler| scheduler.reporter.is_some()) {
        return;
    }
    LEFT.store(with(|scheduler| scheduler.schedule.edges_to_preemption()), Ordering::Relaxed);
    turn::point(me, Op::Edge, CALL_NS);
}

/// # Safety
/// Called by instrumented code only, for each part of the executable.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn __sanitizer_cov_trace_pc_guard_init(
    start: *mut u32,
    stop: *mut u32,
) {
    // SAFETY: the two are the ends of one array.
    let count = unsafe { stop.offset_from(start) };
    // SAFETY: as above; a guard that is not 0 has been counted.
    if count > 0 && unsafe { *start } == 0 {
        // SAFETY: as above.
        unsafe { *start = 1 };
        GUARDS.fetch_add(count as u64, Ordering::Relaxed);
    }
}

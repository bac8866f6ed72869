//! The kernel-thread engine: each simulated thread is a kernel thread that waits for its turn on
//! a private futex.
//!
//! It is thirty times slower, but has no code for a processor, so it runs on any Linux. It is also
//! a check of the fiber engine: one seed must give the same trace hash on both.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::border::BORDER;
use crate::engine::thread::{self, RUNNING_TID, SimThread, Task};
use crate::sys;

/// Simulated threads that have ended and to which no handle exists.
struct Spare(UnsafeCell<Vec<&'static SimThread>>);

// SAFETY: only the thread with the turn touches the list, and there is one simulation.
unsafe impl Sync for Spare {}

static SPARE: Spare = Spare(UnsafeCell::new(Vec::new()));

/// See [`engine::prepare`](crate::engine::prepare).
pub(crate) fn prepare(stack_size: usize, task: Task) -> Result<&'static SimThread, c_int> {
    // SAFETY: see `Spare`.
    let thread = unsafe { (*SPARE.0.get()).pop() }.unwrap_or_else(SimThread::leak);
    thread.assign(task);
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut pthread = 0;
    // SAFETY: plain calls with valid addresses; the simulated thread is never freed.
    let error = unsafe {
        libc::pthread_attr_init(attributes.as_mut_ptr());
        libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), stack_size.max(64 * 1024));
        let argument = ptr::from_ref(thread).cast_mut().cast();
        let error = sys::real_pthread_create(&mut pthread, attributes.as_ptr(), main, argument);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        error
    };
    if error != 0 {
        return Err(error);
    }
    BORDER.adjust_asleep(1);
    thread.pthread.set(pthread);
    // SAFETY: the kernel thread exists and is not joined; it sets the same value itself. Its
    // creator may ask for its simulated thread before it first runs.
    unsafe {
        (*thread::handle_of(pthread).cast::<AtomicPtr<SimThread>>())
            .store(ptr::from_ref(thread).cast_mut(), Ordering::Relaxed);
    };
    Ok(thread)
}

/// See [`engine::switch`](crate::engine::switch).
pub(crate) fn switch(from: &'static SimThread, to: &'static SimThread) {
    pass_turn(to);
    wait_for_turn(from);
}

/// See [`engine::leave`](crate::engine::leave).
pub(crate) fn leave(from: &'static SimThread, to: &'static SimThread) {
    debug_assert!(from.ended.get(), "a thread leaves only after it has ended");
    thread::quit();
    BORDER.adjust_asleep(-1);
    pass_turn(to);
}

/// See [`engine::release`](crate::engine::release). The kernel thread is about to exit, so joining
/// it is quick.
pub(crate) fn release(thread: &'static SimThread) {
    // SAFETY: the thread has ended, and its handle is used here for the last time. A thread that
    // releases itself is detached, since it cannot join itself. For the list see `Spare`.
    unsafe {
        if libc::pthread_self() == thread.pthread.get() {
            sys::real_pthread_detach(thread.pthread.get());
        } else {
            sys::real_pthread_join(thread.pthread.get(), ptr::null_mut());
        }
        (*SPARE.0.get()).push(thread);
    }
}

/// See [`engine::adopt`](crate::engine::adopt). Any kernel thread can wait for its turn.
pub(crate) fn adopt(_thread: &'static SimThread) {}

/// See [`engine::make_ready`](crate::engine::make_ready). A kernel thread cannot be made before it
/// has something to run, so there is nothing to prepare.
///
/// # Safety
/// None is needed; the other engine's function is unsafe.
pub(crate) unsafe fn make_ready(_stack_size: usize, _count: usize) {}

fn pass_turn(to: &'static SimThread) {
    to.turn.store(1, Ordering::Release);
    sys::futex_wake(&to.turn, 1);
}

fn wait_for_turn(thread: &'static SimThread) {
    while thread.turn.load(Ordering::Acquire) == 0 {
        sys::futex_wait(&thread.turn, 0, None);
    }
    thread.turn.store(0, Ordering::Relaxed);
    RUNNING_TID.store(sys::real_tid(), Ordering::Relaxed);
}

extern "C" fn main(argument: *mut c_void) -> *mut c_void {
    // SAFETY: the argument is the simulated thread, which is never freed.
    let thread: &'static SimThread = unsafe { &*argument.cast::<SimThread>() };
    thread::enter(thread);
    wait_for_turn(thread);
    thread.run();
    ptr::null_mut()
}

//! The kernel-thread engine: each simulated thread is a kernel thread that waits for its turn on
//! a private futex.
//!
//! Slower by a factor of thirty, but it asks nothing of the processor, so it runs on any Linux and
//! checks the fiber engine: one seed must give one trace hash on both.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::Ordering;

use crate::engine::{self, Body, RUNNING_TID, Start};
use crate::hooks;
use crate::scheduler::border::BORDER;
use crate::sys;

/// Bodies of threads that have ended and to which nobody holds a handle.
struct Spare(UnsafeCell<Vec<&'static Body>>);

// SAFETY: only the thread with the turn touches the list, and there is one simulation.
unsafe impl Sync for Spare {}

static SPARE: Spare = Spare(UnsafeCell::new(Vec::new()));

/// See [`engine::prepare`].
pub(crate) fn prepare(
    stack_size: usize,
    start: Start,
    argument: *mut c_void,
    detached: bool,
) -> Result<&'static Body, c_int> {
    // SAFETY: see `Spare`.
    let body = unsafe { (*SPARE.0.get()).pop() }.unwrap_or_else(Body::leak);
    body.assign(start, argument, detached);
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut pthread = 0;
    // SAFETY: plain calls with valid addresses; the body is never freed.
    let error = unsafe {
        libc::pthread_attr_init(attributes.as_mut_ptr());
        libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), stack_size.max(64 * 1024));
        let argument = ptr::from_ref(body).cast_mut().cast();
        let error = hooks::real_pthread_create(&mut pthread, attributes.as_ptr(), main, argument);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        error
    };
    if error != 0 {
        return Err(error);
    }
    BORDER.adjust_asleep(1);
    body.pthread.set(pthread);
    // SAFETY: the thread exists and is not joined; it sets the same value itself. Its creator may
    // ask for its body before it first runs.
    unsafe {
        (*engine::handle_of(pthread).cast::<std::sync::atomic::AtomicPtr<Body>>())
            .store(ptr::from_ref(body).cast_mut(), Ordering::Relaxed);
    };
    Ok(body)
}

/// See [`engine::switch`].
pub(crate) fn switch(from: &'static Body, to: &'static Body) {
    pass_turn(to);
    wait_for_turn(from);
}

/// See [`engine::leave`].
pub(crate) fn leave(from: &'static Body, to: &'static Body) {
    debug_assert!(from.ended.get(), "only a thread that has ended leaves");
    engine::quit();
    BORDER.adjust_asleep(-1);
    pass_turn(to);
}

/// See [`engine::release`]. The kernel thread is on its way out, so joining it is short.
pub(crate) fn release(body: &'static Body) {
    // SAFETY: the thread has ended, and its handle is used here for the last time. One that
    // releases itself cannot join itself. For the list see `Spare`.
    unsafe {
        if libc::pthread_self() == body.pthread.get() {
            hooks::real_pthread_detach(body.pthread.get());
        } else {
            hooks::real_pthread_join(body.pthread.get(), ptr::null_mut());
        }
        (*SPARE.0.get()).push(body);
    }
}

fn pass_turn(to: &'static Body) {
    to.turn.store(1, Ordering::Release);
    sys::futex_wake(&to.turn, 1);
}

fn wait_for_turn(body: &'static Body) {
    while body.turn.load(Ordering::Acquire) == 0 {
        sys::futex_wait(&body.turn, 0, None);
    }
    body.turn.store(0, Ordering::Relaxed);
    RUNNING_TID.store(sys::real_tid(), Ordering::Relaxed);
}

extern "C" fn main(argument: *mut c_void) -> *mut c_void {
    // SAFETY: the argument is the body, which is never freed.
    let body: &'static Body = unsafe { &*argument.cast::<Body>() };
    engine::enter(body);
    wait_for_turn(body);
    body.live();
    crate::scheduler::turn::end(body);
    ptr::null_mut()
}

//! Threads: starting, joining and detaching them, their names, numbers and destructors.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::border::BORDER;
use crate::engine;
use crate::engine::thread::{self, SimThread, Task};
use crate::scheduler::thread::State;
use crate::scheduler::turn::{self, with};
use crate::scheduler::{CALL_NS, Next, Scheduler};
use crate::sys::{self, Real, Start};
use crate::trace::Op;

static PTHREAD_SETNAME: Real = Real::new(c"pthread_setname_np");
static PTHREAD_GETATTR: Real = Real::new(c"pthread_getattr_np");
static THREAD_ATEXIT: Real = Real::new(c"__cxa_thread_atexit_impl");

/// The stack of a thread whose creator asked for no particular size, in bytes.
pub(crate) const STACK_SIZE: usize = 2 * 1024 * 1024;

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_create(
    pthread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    let Some(me) = turn::caller() else {
        // SAFETY: passed on from the caller.
        return unsafe { sys::real_pthread_create(pthread, attributes, start, argument) };
    };
    let (mut stack_size, mut detach_state) = (STACK_SIZE, libc::PTHREAD_CREATE_JOINABLE);
    if !attributes.is_null() {
        // SAFETY: the caller gives initialised attributes.
        unsafe {
            libc::pthread_attr_getstacksize(attributes, &mut stack_size);
            pthread_attr_getdetachstate(attributes, &mut detach_state);
        }
    }
    if !with(Scheduler::has_room) {
        turn::go(me, Next::Machine);
    }
    let detached = detach_state != libc::PTHREAD_CREATE_JOINABLE;
    let engine = turn::read(|scheduler| scheduler.engine);
    let task = Task { start, argument, detached, end: turn::end };
    let prepare = || engine::prepare(engine, stack_size, task);
    let thread = match turn::unseen(prepare) {
        Ok(thread) => thread,
        Err(error) => return error,
    };
    with(|scheduler| scheduler.admit(thread));
    // SAFETY: the caller gives room for the handle.
    unsafe { *pthread = thread.pthread.get() };
    turn::point(me, Op::Spawn, CALL_NS);
    0
}

unsafe extern "C" {
    // Missing from the libc crate.
    fn pthread_attr_getdetachstate(
        attributes: *const libc::pthread_attr_t,
        state: *mut c_int,
    ) -> c_int;
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_join(
    pthread: libc::pthread_t,
    result: *mut *mut c_void,
) -> c_int {
    // SAFETY: the caller's handle is good.
    let other = unsafe { thread::thread_of(pthread) };
    let (Some(me), Some(other)) = (thread::current(), other) else {
        // SAFETY: passed on from the caller.
        return unsafe { join_at_the_border(pthread, other, result) };
    };
    with(|scheduler| scheduler.step(Op::Join, CALL_NS));
    if other.ended.get() {
        turn::go(me, with(|scheduler| scheduler.point(false)));
    } else {
        other.joiner.set(Some(me.slot.get()));
        turn::block(me, State::Joining { id: other.id.get() }, None);
    }
    if !result.is_null() {
        // SAFETY: the caller gives room for the result.
        unsafe { *result = other.result.get() };
    }
    let engine = turn::read(|scheduler| scheduler.engine);
    turn::unseen(|| engine::release(engine, other));
    0
}

/// A join in which one of the two threads is outside the simulation.
///
/// # Safety
/// As for `pthread_join`.
unsafe fn join_at_the_border(
    pthread: libc::pthread_t,
    other: Option<&'static SimThread>,
    result: *mut *mut c_void,
) -> c_int {
    let Some(other) = other else {
        // SAFETY: passed on from the caller.
        return BORDER.asleep(|| unsafe { sys::real_pthread_join(pthread, result) });
    };
    // After its run, a simulated thread is joined from outside. It is not used again, because a
    // thread outside must not use the pool.
    if !other.ended.get() {
        return libc::EDEADLK;
    }
    if !result.is_null() {
        // SAFETY: the caller gives room for the result.
        unsafe { *result = other.result.get() };
    }
    0
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_detach(pthread: libc::pthread_t) -> c_int {
    // SAFETY: the caller's handle is good.
    match (thread::current(), unsafe { thread::thread_of(pthread) }) {
        (Some(me), Some(other)) => {
            other.detached.set(true);
            if other.ended.get() {
                let engine = turn::read(|scheduler| scheduler.engine);
                turn::unseen(|| engine::release(engine, other));
            }
            turn::point(me, Op::Detach, CALL_NS);
            0
        }
        (None, Some(_)) => 0,
        // SAFETY: passed on from the caller.
        (_, None) => unsafe { sys::real_pthread_detach(pthread) },
    }
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_setname_np(
    pthread: libc::pthread_t,
    name: *const c_char,
) -> c_int {
    if let Some(me) = thread::current()
        && me.pthread.get() == pthread
    {
        // SAFETY: the caller gives a C string.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        with(|scheduler| {
            let kept = &mut scheduler.running().name;
            let length = name.len().min(15);
            *kept = [0; 16];
            kept[..length].copy_from_slice(&name[..length]);
        });
        return 0;
    }
    type Function = unsafe extern "C" fn(libc::pthread_t, *const c_char) -> c_int;
    // SAFETY: the address is that of libc's function of this type.
    let real: Function = unsafe { std::mem::transmute(PTHREAD_SETNAME.get()) };
    // SAFETY: passed on from the caller.
    unsafe { real(pthread, name) }
}

/// The attributes of a fiber's thread: its stack, and that it has a guard page. The real function
/// would report none for a stack that the caller of `pthread_create` provides, and would ask the
/// kernel about a kernel thread that has exited.
///
/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_getattr_np(
    pthread: libc::pthread_t,
    attributes: *mut libc::pthread_attr_t,
) -> c_int {
    // SAFETY: the caller's handle is good.
    if let Some(thread) = unsafe { thread::thread_of(pthread) }
        && thread.stack_size.get() != 0
    {
        let base = thread.stack_base.get() as *mut c_void;
        // SAFETY: the caller gives room for the attributes; the stack is the thread's own.
        unsafe {
            libc::pthread_attr_init(attributes);
            libc::pthread_attr_setstack(attributes, base, thread.stack_size.get());
            libc::pthread_attr_setguardsize(attributes, 4096);
        }
        return 0;
    }
    type Function = unsafe extern "C" fn(libc::pthread_t, *mut libc::pthread_attr_t) -> c_int;
    // SAFETY: the address is that of libc's function of this type.
    let real: Function = unsafe { std::mem::transmute(PTHREAD_GETATTR.get()) };
    // SAFETY: passed on from the caller.
    unsafe { real(pthread, attributes) }
}

/// The system's number for a simulated thread. It is never 0.
pub(crate) fn simulated_tid(me: &SimThread) -> c_int {
    me.id.get() as c_int + 1
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn gettid() -> libc::pid_t {
    thread::current().map_or_else(sys::real_tid, simulated_tid)
}

/// A fiber gets the answer that its signal stack is already set, because its kernel thread has one.
/// That saves two mappings for each thread.
///
/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sigaltstack(
    new: *const libc::stack_t,
    old: *mut libc::stack_t,
) -> c_int {
    let fiber = thread::current().is_some_and(|me| me.stack_size.get() != 0);
    if !fiber {
        // SAFETY: passed on from the caller.
        return unsafe { sys::call(libc::SYS_sigaltstack, [new as usize, old as usize, 0, 0, 0, 0]) }
            as c_int;
    }
    if !old.is_null() {
        // SAFETY: the caller gives room for a description of a stack.
        unsafe { *old = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: 0, ss_size: 0 } };
    }
    0
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn __cxa_thread_atexit_impl(
    destructor: unsafe extern "C" fn(*mut c_void),
    object: *mut c_void,
    library: *mut c_void,
) -> c_int {
    if let Some(me) = thread::current() {
        // SAFETY: only this thread touches its list.
        unsafe { (*me.destructors.get()).push((destructor, object)) };
        return 0;
    }
    type Destructor = unsafe extern "C" fn(*mut c_void);
    type Function = unsafe extern "C" fn(Destructor, *mut c_void, *mut c_void) -> c_int;
    // SAFETY: the address is that of libc's function of this type.
    let real: Function = unsafe { std::mem::transmute(THREAD_ATEXIT.get()) };
    // SAFETY: passed on from the caller.
    unsafe { real(destructor, object, library) }
}

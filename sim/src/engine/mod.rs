//! What carries a simulated thread: a body with a stack and thread-local storage of its own.
//!
//! The scheduler decides who runs; an engine only makes it so. There are two, with one contract:
//! `prepare` makes a body ready to run a start routine when it first gets the turn, `switch` hands
//! the turn over and returns when it comes back, `leave` hands it over for good.

use std::backtrace::Backtrace;
use std::cell::{Cell, UnsafeCell};
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};

use crate::hooks::keys;
use crate::options::Engine;

#[cfg(target_arch = "x86_64")]
pub(crate) mod donor;
#[cfg(target_arch = "x86_64")]
pub(crate) mod fiber;
pub(crate) mod kernel;

/// A thread's start routine, as `pthread_create` takes it.
pub(crate) type Start = extern "C" fn(*mut c_void) -> *mut c_void;

/// A thread-local destructor with its object.
pub(crate) type Destructor = (unsafe extern "C" fn(*mut c_void), *mut c_void);

/// What a simulated thread runs on. A body is never freed: a handle to it may turn up at any time.
pub(crate) struct Body {
    /// The saved stack pointer and the thread pointer (fibers).
    #[cfg(target_arch = "x86_64")]
    pub(crate) context: UnsafeCell<fiber::Context>,
    /// 1 when the body has the turn (kernel threads).
    pub(crate) turn: AtomicU32,
    /// The run it belongs to, and its slot there.
    pub(crate) run: Cell<u32>,
    pub(crate) slot: Cell<u32>,
    /// Its number in the run.
    pub(crate) id: Cell<u32>,
    pub(crate) start: Cell<Option<Start>>,
    pub(crate) argument: Cell<*mut c_void>,
    pub(crate) result: Cell<*mut c_void>,
    pub(crate) started: Cell<bool>,
    pub(crate) ended: Cell<bool>,
    pub(crate) detached: Cell<bool>,
    pub(crate) joiner: Cell<Option<u32>>,
    pub(crate) pthread: Cell<libc::pthread_t>,
    pub(crate) destructors: UnsafeCell<Vec<Destructor>>,
    pub(crate) backtrace: UnsafeCell<Option<Backtrace>>,
    /// Usable stack: lowest address and size (fibers).
    pub(crate) stack_base: Cell<usize>,
    pub(crate) stack_size: Cell<usize>,
    /// Where a fiber's stack begins.
    #[cfg(target_arch = "x86_64")]
    pub(crate) stack_top: Cell<usize>,
    /// Cleared by the kernel when the donor's own kernel thread is gone.
    #[cfg(target_arch = "x86_64")]
    pub(crate) kernel_alive: AtomicU32,
}

// SAFETY: the cells are touched only by the thread that has the turn, or before the first turn by
// the thread that makes the body; the engines' hand-over orders these accesses.
unsafe impl Sync for Body {}
// SAFETY: as above.
unsafe impl Send for Body {}

impl Body {
    pub(crate) fn leak() -> &'static Body {
        Box::leak(Box::new(Body {
            #[cfg(target_arch = "x86_64")]
            context: UnsafeCell::new(fiber::Context::default()),
            turn: AtomicU32::new(0),
            run: Cell::new(0),
            slot: Cell::new(0),
            id: Cell::new(0),
            start: Cell::new(None),
            argument: Cell::new(ptr::null_mut()),
            result: Cell::new(ptr::null_mut()),
            started: Cell::new(false),
            ended: Cell::new(false),
            detached: Cell::new(false),
            joiner: Cell::new(None),
            pthread: Cell::new(0),
            destructors: UnsafeCell::new(Vec::new()),
            backtrace: UnsafeCell::new(None),
            stack_base: Cell::new(0),
            stack_size: Cell::new(0),
            #[cfg(target_arch = "x86_64")]
            stack_top: Cell::new(0),
            #[cfg(target_arch = "x86_64")]
            kernel_alive: AtomicU32::new(1),
        }))
    }

    /// Makes the body a fresh thread of the current run.
    pub(crate) fn assign(&self, start: Start, argument: *mut c_void, detached: bool) {
        self.run.set(RUN.load(Ordering::Relaxed));
        self.start.set(Some(start));
        self.argument.set(argument);
        self.result.set(ptr::null_mut());
        self.started.set(false);
        self.ended.set(false);
        self.detached.set(detached);
        self.joiner.set(None);
        // SAFETY: no other reference to the list exists while the body is not running.
        unsafe { (*self.destructors.get()).clear() };
    }

    /// Runs the start routine, then the thread-local destructors, last in first out, until none
    /// is left: a destructor may register more. Those of pthread keys come last.
    pub(crate) fn live(&self) {
        self.started.set(true);
        keys::forget_values();
        if let Some(start) = self.start.get() {
            self.result.set(start(self.argument.get()));
        }
        loop {
            // SAFETY: only this thread touches its list, and the borrow ends before the call.
            let next = unsafe { (*self.destructors.get()).pop() };
            let Some((destructor, object)) = next else { break };
            // SAFETY: registered for this thread and this object by `__cxa_thread_atexit_impl`.
            unsafe { destructor(object) };
        }
        keys::run_destructors();
    }
}

thread_local! {
    /// The body that runs here; null outside the simulation. `const`, and without a destructor, so
    /// that reading it is one load and never a call.
    static CURRENT: Cell<*const Body> = const { Cell::new(ptr::null()) };
    /// The body that the thread was made for, also when it has ended: what a handle leads to.
    static HANDLE: Cell<*const Body> = const { Cell::new(ptr::null()) };
}

/// The number of the run in progress. Threads left over from another run must never go on.
pub(crate) static RUN: AtomicU32 = AtomicU32::new(0);

/// The kernel thread that now runs simulated code, for the watchdog's signal.
pub(crate) static RUNNING_TID: AtomicI32 = AtomicI32::new(0);

/// The distance from a `pthread_t` to that thread's `HANDLE`, the same for every thread.
static HANDLE_OFFSET: AtomicUsize = AtomicUsize::new(0);

/// The body that runs here, or none outside the simulation.
#[inline]
pub(crate) fn current() -> Option<&'static Body> {
    let body = CURRENT.get();
    if body.is_null() {
        return None;
    }
    // SAFETY: bodies are never freed.
    let body = unsafe { &*body };
    if body.run.get() != RUN.load(Ordering::Relaxed) {
        crate::sys::park_for_ever();
    }
    Some(body)
}

/// Makes the calling thread a simulated one.
pub(crate) fn enter(body: &'static Body) {
    CURRENT.set(body);
    HANDLE.set(body);
}

/// Makes the calling thread an ordinary one again, though its handle still leads to its body.
pub(crate) fn quit() {
    CURRENT.set(ptr::null());
}

fn handle_offset() -> usize {
    let known = HANDLE_OFFSET.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let here = HANDLE.with(|handle| ptr::from_ref(handle) as usize);
    // SAFETY: always callable.
    let offset = here.wrapping_sub(unsafe { libc::pthread_self() } as usize);
    HANDLE_OFFSET.store(offset, Ordering::Relaxed);
    offset
}

/// The address of another thread's `HANDLE`.
fn handle_of(pthread: libc::pthread_t) -> *mut *const Body {
    (pthread as usize).wrapping_add(handle_offset()) as *mut *const Body
}

/// The body behind a thread handle, if it is a simulated thread's.
///
/// # Safety
/// The handle must be of a thread that was neither joined nor detached and ended.
pub(crate) unsafe fn body_of(pthread: libc::pthread_t) -> Option<&'static Body> {
    // SAFETY: the thread's static storage exists as long as its handle is good.
    unsafe { (*handle_of(pthread)).as_ref() }
}

/// Makes a body that will run `start(argument)` on a stack of at least `stack_size` bytes. `Err`
/// holds the errno value of a failure.
pub(crate) fn prepare(
    engine: Engine,
    stack_size: usize,
    start: Start,
    argument: *mut c_void,
    detached: bool,
) -> Result<&'static Body, c_int> {
    match engine {
        #[cfg(target_arch = "x86_64")]
        Engine::Fiber => fiber::prepare(stack_size, start, argument, detached),
        _ => kernel::prepare(stack_size, start, argument, detached),
    }
}

/// Makes ahead of time what so many fibers need.
///
/// # Safety
/// The caller holds the lock of runs, and there is no simulation.
pub(crate) unsafe fn make_ready(stack_size: usize, fibers: usize) {
    // SAFETY: passed on from the caller.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        donor::make_ready(stack_size, fibers);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (stack_size, fibers);
}

/// Gives the turn to `to`, and returns when it comes back to `from`.
#[inline]
pub(crate) fn switch(engine: Engine, from: &'static Body, to: &'static Body) {
    match engine {
        #[cfg(target_arch = "x86_64")]
        Engine::Fiber => fiber::switch(from, to),
        _ => kernel::switch(from, to),
    }
}

/// Gives the turn to `to` for good. A kernel thread returns from here to end; a fiber does not.
pub(crate) fn leave(engine: Engine, from: &'static Body, to: &'static Body) {
    match engine {
        #[cfg(target_arch = "x86_64")]
        Engine::Fiber => {
            fiber::switch(from, to);
            std::process::abort();
        }
        _ => kernel::leave(from, to),
    }
}

/// Gives back what an ended, joined or detached body used.
pub(crate) fn release(engine: Engine, body: &'static Body) {
    match engine {
        #[cfg(target_arch = "x86_64")]
        Engine::Fiber => donor::give_back(body),
        _ => kernel::release(body),
    }
}

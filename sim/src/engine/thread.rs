//! A simulated thread as an engine sees it, and how to find the one that runs here.

use std::backtrace::Backtrace;
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};

use crate::engine::keys;
use crate::sys::{self, Start};

/// A thread-local destructor with its object.
pub(crate) type Destructor = (unsafe extern "C" fn(*mut c_void), *mut c_void);

/// The work of a new thread.
pub(crate) struct Task {
    /// The thread's start routine and its argument, as `pthread_create` takes them.
    pub(crate) start: Start,
    pub(crate) argument: *mut c_void,
    pub(crate) detached: bool,
    /// Called on the thread when the routine and all destructors have returned. It gives the turn
    /// away permanently.
    pub(crate) end: fn(&'static SimThread),
}

/// A simulated thread. It is never freed, because a handle to it can be used at any time. Later
/// threads use it again.
pub(crate) struct SimThread {
    /// 1 when the thread has the turn. Only kernel threads use it.
    pub(crate) turn: AtomicU32,
    /// The run to which it belongs, and its slot there.
    pub(crate) run: Cell<u32>,
    pub(crate) slot: Cell<u32>,
    /// Its number in the run.
    pub(crate) id: Cell<u32>,
    task: Cell<Option<Task>>,
    pub(crate) result: Cell<*mut c_void>,
    pub(crate) started: Cell<bool>,
    pub(crate) ended: Cell<bool>,
    pub(crate) detached: Cell<bool>,
    pub(crate) joiner: Cell<Option<u32>>,
    pub(crate) pthread: Cell<libc::pthread_t>,
    pub(crate) destructors: UnsafeCell<Vec<Destructor>>,
    pub(crate) backtrace: UnsafeCell<Option<Backtrace>>,
    /// Usable stack: lowest address and size in bytes. 0 on kernel threads.
    pub(crate) stack_base: Cell<usize>,
    pub(crate) stack_size: Cell<usize>,
    #[cfg(sim_fibers)]
    pub(crate) fiber: Fiber,
}

/// The part of a thread that only the fiber engine needs.
#[cfg(sim_fibers)]
pub(crate) struct Fiber {
    /// Its position in the code while it does not run.
    pub(crate) context: UnsafeCell<crate::arch::Context>,
    /// The address at which its stack begins.
    pub(crate) stack_top: Cell<usize>,
    pub(crate) thread_pointer: Cell<usize>,
    /// Set to 0 by the kernel when the donor's own kernel thread is gone.
    pub(crate) kernel_alive: AtomicU32,
}

// SAFETY: the cells are touched only by the thread that has the turn, or before the first turn by
// the thread that makes the simulated one; the engines' hand-over orders these accesses.
unsafe impl Sync for SimThread {}
// SAFETY: as above.
unsafe impl Send for SimThread {}

impl SimThread {
    pub(crate) fn leak() -> &'static SimThread {
        Box::leak(Box::new(SimThread {
            turn: AtomicU32::new(0),
            run: Cell::new(0),
            slot: Cell::new(0),
            id: Cell::new(0),
            task: Cell::new(None),
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
            #[cfg(sim_fibers)]
            fiber: Fiber {
                context: UnsafeCell::default(),
                stack_top: Cell::new(0),
                thread_pointer: Cell::new(0),
                kernel_alive: AtomicU32::new(1),
            },
        }))
    }

    /// Makes it a fresh thread of the current run.
    pub(crate) fn assign(&self, task: Task) {
        self.run.set(RUN.load(Ordering::Relaxed));
        self.result.set(ptr::null_mut());
        self.started.set(false);
        self.ended.set(false);
        self.detached.set(task.detached);
        self.joiner.set(None);
        self.task.set(Some(task));
        // SAFETY: no other reference to the list exists while the thread is not running.
        unsafe { (*self.destructors.get()).clear() };
    }

    /// The whole life of the thread. First comes the start routine. Then come the thread-local
    /// destructors, last in first out, until none is left, because a destructor can register more.
    /// Those of pthread keys come last. Then the thread ends. Returns only on kernel threads.
    pub(crate) fn run(&'static self) {
        self.started.set(true);
        keys::forget_values();
        let task = self.task.take().expect("every thread has a task until it runs");
        let Task { start, argument, end, .. } = task;
        self.result.set(start(argument));
        loop {
            // SAFETY: only this thread touches its list, and the borrow ends before the call.
            let next = unsafe { (*self.destructors.get()).pop() };
            let Some((destructor, object)) = next else { break };
            // SAFETY: registered for this thread and this object by `__cxa_thread_atexit_impl`.
            unsafe { destructor(object) };
        }
        keys::run_destructors();
        end(self);
    }
}

impl fmt::Debug for SimThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimThread({})", self.id.get())
    }
}

thread_local! {
    /// The simulated thread that runs here; null outside the simulation. `const`, and without a
    /// destructor, so that reading it is one load and never a call.
    static CURRENT: Cell<*const SimThread> = const { Cell::new(ptr::null()) };
    /// The simulated thread for which this thread was made, even if it has ended. A handle finds
    /// its simulated thread here.
    static HANDLE: Cell<*const SimThread> = const { Cell::new(ptr::null()) };
}

/// The number of the run in progress. Threads left over from another run must never continue.
pub(crate) static RUN: AtomicU32 = AtomicU32::new(0);

/// The kernel thread that now runs simulated code, for the watchdog's signal.
pub(crate) static RUNNING_TID: AtomicI32 = AtomicI32::new(0);

/// The distance from a `pthread_t` to that thread's `HANDLE`. It is the same for every thread.
static HANDLE_OFFSET: AtomicUsize = AtomicUsize::new(0);

/// The simulated thread that runs here, or none outside the simulation.
#[inline]
pub(crate) fn current() -> Option<&'static SimThread> {
    let thread = CURRENT.get();
    if thread.is_null() {
        return None;
    }
    // SAFETY: simulated threads are never freed.
    let thread = unsafe { &*thread };
    if thread.run.get() != RUN.load(Ordering::Relaxed) {
        sys::park_forever();
    }
    Some(thread)
}

/// Makes the calling thread a simulated one.
pub(crate) fn enter(thread: &'static SimThread) {
    CURRENT.set(thread);
    HANDLE.set(thread);
}

/// Makes the calling thread an ordinary one again, though its handle still leads to the simulated
/// one.
pub(crate) fn quit() {
    CURRENT.set(ptr::null());
}

/// The simulated thread that a handle stands for, if any.
///
/// # Safety
/// The handle must be of a thread that was neither joined, nor detached and ended.
pub(crate) unsafe fn thread_of(pthread: libc::pthread_t) -> Option<&'static SimThread> {
    // SAFETY: the thread's static storage exists as long as its handle is good.
    unsafe { (*handle_of(pthread)).as_ref() }
}

/// The address of another thread's `HANDLE`.
pub(crate) fn handle_of(pthread: libc::pthread_t) -> *mut *const SimThread {
    (pthread as usize).wrapping_add(handle_offset()) as *mut *const SimThread
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

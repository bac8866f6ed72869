//! The machine: the kernel thread that carries one simulation.
//!
//! It carries out orders of the thread that called `run`, or of a host that it calls itself.

use std::any::Any;
use std::backtrace::Backtrace;
use std::ffi::c_void;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::border::BORDER;
use crate::engine;
use crate::engine::thread::{RUNNING_TID, SimThread, Task};
use crate::engine_kind::Engine;
use crate::halt::Halt;
use crate::hooks;
use crate::hooks::threads::STACK_SIZE;
use crate::options::Options;
use crate::scheduler::progress::{IDLE, STEPS};
use crate::scheduler::schedule::Schedule;
use crate::scheduler::turn::{self, with};
use crate::scheduler::{Scheduler, Stop};
use crate::sys;

/// The stack of the thread that runs the closure, in bytes.
pub(crate) const CLOSURE_STACK_SIZE: usize = STACK_SIZE * 4;
/// The most backtraces that are taken when a run does not finish.
const BACKTRACES_MAX: usize = 64;

/// The state that the caller and the machine share.
#[derive(Default)]
pub(crate) struct Control {
    /// Counts the orders given to the machine, and those it has carried out.
    pub(crate) ordered: AtomicU32,
    pub(crate) done: AtomicU32,
    /// The time to which the run can go, and the overtime of threads that are ready then, in ns.
    pub(crate) until: AtomicU64,
    pub(crate) overtime: AtomicU64,
    /// Whether the next order is to end the run.
    pub(crate) closing: AtomicBool,
    /// Whether the run is over and the machine ends.
    pub(crate) over: AtomicBool,
}

/// How far an order lets the run go.
pub(crate) enum Mode {
    /// To the closure's end.
    Whole,
    /// To the time that the order names.
    Stepped,
    /// Segment by segment, as a host says, until it gives none.
    Served(Host),
}

/// Says how a run continues whenever it has stopped.
pub(crate) type Host = Box<dyn FnMut() -> Option<Segment> + Send>;

/// A part of a run: up to a time in ns, then a delivery, then an overtime in ns.
pub(crate) struct Segment {
    pub(crate) until: u64,
    pub(crate) overtime: u64,
    pub(crate) deliver: Box<dyn FnOnce()>,
}

/// A list that the machine and the caller share.
pub(crate) struct Shared<T>(Mutex<Vec<T>>);

impl<T> Shared<T> {
    pub(crate) fn with_lock<R>(&self, f: impl FnOnce(&mut Vec<T>) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Backtraces of the run in progress, with the numbers of the threads.
pub(crate) static COLLECTED: Shared<(u32, Backtrace)> = Shared(Mutex::new(Vec::new()));
/// The simulated threads of machines that have ended. They are used again.
static MACHINES: Shared<&'static SimThread> = Shared(Mutex::new(Vec::new()));

/// The main function of the machine thread.
pub(crate) fn run(
    options: &Options,
    schedule: Box<dyn Schedule>,
    mut mode: Mode,
    closure: Box<dyn FnOnce() + Send>,
    control: &Control,
) {
    let machine = set_up(options, schedule, &mode, closure);
    let mut carried_out = 0;
    loop {
        while control.ordered.load(Ordering::Acquire) == carried_out {
            BORDER.asleep(|| sys::futex_wait(&control.ordered, carried_out, None));
        }
        carried_out += 1;
        if !control.closing.load(Ordering::Relaxed) {
            match &mut mode {
                Mode::Served(host) => serve(host),
                Mode::Whole | Mode::Stepped => {
                    let until = control.until.load(Ordering::Relaxed);
                    drive(until, control.overtime.load(Ordering::Relaxed));
                }
            }
        }
        let stop = with(|scheduler| scheduler.stop.clone());
        let over = stop != Some(Stop::Paused) || control.closing.load(Ordering::Relaxed);
        if over {
            hooks::edges::enable(None);
            if options.backtraces && stop != Some(Stop::Over(Halt::Finished)) {
                let found = turn::backtraces(machine, BACKTRACES_MAX);
                COLLECTED.with_lock(|all| *all = found);
            }
        }
        control.over.store(over, Ordering::Release);
        control.done.store(carried_out, Ordering::Release);
        sys::futex_wake(&control.done, 1);
        if over {
            MACHINES.with_lock(|spare| spare.push(machine));
            return;
        }
    }
}

/// Installs a scheduler with the closure's thread. Returns the machine's own simulated thread.
fn set_up(
    options: &Options,
    schedule: Box<dyn Schedule>,
    mode: &Mode,
    closure: Box<dyn FnOnce() + Send>,
) -> &'static SimThread {
    RUNNING_TID.store(sys::real_tid(), Ordering::Relaxed);
    if options.engine == Engine::Kernel {
        pin_to_one_processor();
    }
    let machine = MACHINES.with_lock(Vec::pop).unwrap_or_else(SimThread::leak);
    engine::adopt(options.engine, machine);
    let mut scheduler = Scheduler::new(options, schedule);
    scheduler.stepped = !matches!(mode, Mode::Whole);
    hooks::edges::enable(options.edges.then(|| scheduler.schedule.edges_to_preemption()));
    turn::install(scheduler, machine);
    let argument = Box::into_raw(Box::new(closure)).cast();
    let task = Task { start: root, argument, detached: true, end: turn::end };
    let root = engine::prepare(options.engine, CLOSURE_STACK_SIZE, task)
        .expect("the closure gets a stack");
    with(|scheduler| scheduler.admit(root));
    machine
}

fn drive(until: u64, overtime: u64) {
    with(|scheduler| {
        scheduler.until = until;
        scheduler.overtime_until = until.max(scheduler.now).saturating_add(overtime);
    });
    turn::drive();
}

/// Runs segments until the run is over or the host gives no more.
fn serve(host: &mut Host) {
    let is_paused = || with(|scheduler| scheduler.stop == Some(Stop::Paused));
    loop {
        // The host can take any time, so the watchdog must not count it.
        IDLE.store(true, Ordering::Relaxed);
        let segment = host();
        IDLE.store(false, Ordering::Relaxed);
        let Some(Segment { until, overtime, deliver }) = segment else { return };
        drive(until, 0);
        if is_paused() {
            deliver();
            drive(until, overtime);
        }
        if !is_paused() {
            return;
        }
    }
}

/// The machine is stuck inside a thread: the caller takes its place and asks the other threads for
/// their backtraces.
pub(crate) fn collect_as_new_machine(engine: Engine) {
    let machine = SimThread::leak();
    engine::adopt(engine, machine);
    turn::replace_machine(machine);
    hooks::edges::enable(None);
    let stuck = with(|scheduler| scheduler.current);
    let found = turn::backtraces_except(machine, stuck, BACKTRACES_MAX);
    COLLECTED.with_lock(|all| *all = found);
}

/// The start routine of the first thread: runs the closure and catches its panic.
extern "C" fn root(argument: *mut c_void) -> *mut c_void {
    // SAFETY: made by `set_up` from a box, and used once.
    let closure = unsafe { Box::from_raw(argument.cast::<Box<dyn FnOnce() + Send>>()) };
    self_test();
    let halt = match panic::catch_unwind(AssertUnwindSafe(*closure)) {
        Ok(()) => Halt::Finished,
        Err(payload) => Halt::Panicked { message: text_of(payload.as_ref()) },
    };
    with(|scheduler| scheduler.begin_drain(halt));
    ptr::null_mut()
}

/// Checks that the standard library calls the hooks. It is not enough that this object file calls
/// them.
fn self_test() {
    let before = STEPS.load(Ordering::Relaxed);
    hooks::clock::read_by_std();
    let after = STEPS.load(Ordering::Relaxed);
    if before == after {
        eprintln!(
            "sim: the standard library does not call the hooks, so time would not be virtual"
        );
        std::process::abort();
    }
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}

/// Kernel threads hand over a turn fastest if they share one processor.
fn pin_to_one_processor() {
    // SAFETY: plain calls; the set is zero and then has one processor. A failure costs only speed.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let here = usize::try_from(libc::sched_getcpu()).unwrap_or(0);
        libc::CPU_SET(here, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}

//! One run from outside: a machine thread carries the simulation, the caller watches it.
//!
//! The machine is a kernel thread of the run's own, so that a run that gets stuck in a loop or in a
//! real call costs the process one parked thread, and the caller still has its report.

use std::any::Any;
use std::backtrace::Backtrace;
use std::ffi::c_void;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use crate::engine::{self, Body, RUN, RUNNING_TID};
use crate::hooks;
use crate::hooks::threads::STACK_SIZE;
use crate::options::{Engine, Options};
use crate::report::{Outcome, PanicInfo, Report, ThreadInfo};
use crate::scheduler::border::BORDER;
use crate::scheduler::threads::name_of;
use crate::scheduler::turn::{self, with};
use crate::scheduler::{IDLE, STEPS, Scheduler, Stop};
use crate::sys;
use crate::watchdog::{self, Bark};

/// The stack of the thread that runs the closure.
pub(crate) const CLOSURE_STACK_SIZE: usize = STACK_SIZE * 4;
/// Backtraces taken at a bad end, at most.
const BACKTRACES_MAX: usize = 64;

/// Runs `closure` and every thread that it starts in virtual time, and says what came of it.
///
/// The closure runs on a thread of its own, like any other of the simulation. The run ends when it
/// returns; threads that are then still alive get the chance to finish what they can do at that
/// instant, and are then left behind: counted in [`Report::threads`], never run again, their
/// memory never freed.
///
/// A process holds one simulation at a time: a second `run` waits for the first.
///
/// # Panics
/// If called inside a simulation, if the hooks are not in force in this executable, or if no
/// thread can be started.
///
/// ```
/// use std::time::{Duration, Instant};
/// let report = sim::run(sim::Options::new(), || {
///     let start = Instant::now();
///     std::thread::sleep(Duration::from_secs(3600 / 2));
///     assert!(start.elapsed() >= Duration::from_secs(1800));
/// });
/// assert_eq!(report.outcome, sim::Outcome::Finished);
/// ```
pub fn run(options: Options, closure: impl FnOnce() + Send + 'static) -> Report {
    let mut driver = Driver::start(options, false, Box::new(closure), None);
    driver.advance(u64::MAX, 0);
    driver.finish()
}

/// What the caller and the machine share.
struct Control {
    /// Counts the orders given to the machine, and those it has carried out.
    ordered: AtomicU32,
    done: AtomicU32,
    until: AtomicU64,
    overtime: AtomicU64,
    closing: AtomicBool,
    over: AtomicBool,
}

/// Says how a stepped run goes on whenever it has stopped.
pub(crate) type Host = Box<dyn FnMut() -> Option<Leg> + Send>;

/// A part of a run: to a time in ns, then something arrives, then an overtime.
pub(crate) struct Leg {
    pub(crate) until: u64,
    pub(crate) overtime: u64,
    pub(crate) deliver: Box<dyn FnOnce()>,
}

/// A run in progress, held by the thread that drives it.
pub(crate) struct Driver {
    options: Options,
    control: Arc<Control>,
    machine: Option<std::thread::JoinHandle<()>>,
    /// A host was asked for every step.
    is_served: bool,
    /// Set when a thread got stuck: the outcome, and the machine is lost.
    stuck: Option<Outcome>,
    finished: bool,
    /// Processor time of the process when the run began.
    cpu_start_ns: u64,
}

/// Held for the length of a run. A word of our own rather than a `Mutex`, since a stepped run may
/// be dropped by another thread than the one that started it.
static RUNS: AtomicU32 = AtomicU32::new(0);
static NEXT_RUN: AtomicU32 = AtomicU32::new(1);

fn lock_runs() {
    while RUNS.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
        BORDER.asleep(|| sys::futex_wait(&RUNS, 1, None));
    }
}

fn unlock_runs() {
    RUNS.store(0, Ordering::Release);
    sys::futex_wake(&RUNS, 1);
}

impl Driver {
    pub(crate) fn start(
        options: Options,
        stepped: bool,
        closure: Box<dyn FnOnce() + Send>,
        host: Option<Host>,
    ) -> Driver {
        assert!(engine::current().is_none(), "a simulation cannot start another one");
        let missing = hooks::missing();
        assert!(missing.is_empty(), "these hooks are not in force in this executable: {missing:?}");
        prepare_process();
        lock_runs();
        let cpu_start_ns = sys::real_clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID);
        let run = NEXT_RUN.fetch_add(1, Ordering::Relaxed);
        RUN.store(run, Ordering::SeqCst);
        STEPS.store(0, Ordering::Relaxed);
        IDLE.store(false, Ordering::Relaxed);
        BORDER.open();
        let control = Arc::new(Control {
            ordered: AtomicU32::new(0),
            done: AtomicU32::new(0),
            until: AtomicU64::new(u64::MAX),
            overtime: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let (shared, settings) = (Arc::clone(&control), options.clone());
        let is_served = host.is_some();
        let machine = std::thread::Builder::new()
            .name("sim machine".to_owned())
            .spawn(move || machine(&settings, stepped, closure, host, &shared))
            .expect("a kernel thread for the simulation");
        let machine = Some(machine);
        Driver { options, control, machine, is_served, stuck: None, finished: false, cpu_start_ns }
    }

    /// Lets the simulation run until `until` (in ns), or its end; true while it is not over.
    /// Threads that are ready then may take so many ns more until they wait.
    pub(crate) fn advance(&mut self, until: u64, overtime: u64) -> bool {
        if self.is_over() {
            return false;
        }
        self.control.until.store(until, Ordering::Relaxed);
        self.control.overtime.store(overtime, Ordering::Relaxed);
        self.order();
        !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.stuck.is_some() || self.control.over.load(Ordering::Acquire)
    }

    /// Gives the machine an order and watches until it is carried out, or never will be.
    fn order(&mut self) {
        let order = self.control.ordered.fetch_add(1, Ordering::Release) + 1;
        sys::futex_wake(&self.control.ordered, 1);
        let control = Arc::clone(&self.control);
        let bark =
            BORDER.asleep(|| watchdog::watch(&self.options, &control.done, |done| done == order));
        if let Some(bark) = bark {
            self.stuck = Some(self.stuck_outcome(bark));
        }
    }

    /// Ends the run, if it is not over, and gives its report.
    pub(crate) fn finish(&mut self) -> Report {
        self.finished = true;
        if !self.is_over() {
            self.control.closing.store(true, Ordering::Relaxed);
            self.order();
        }
        if self.stuck.is_none()
            && let Some(machine) = self.machine.take()
            && !self.is_served
        {
            // It has nothing left to do but to end. A process that was served may not be allowed to
            // wait for that by what other processes could wake, and ends itself.
            let _ = machine.join();
        }
        let report = self.report();
        RUN.store(0, Ordering::SeqCst);
        BORDER.close();
        unlock_runs();
        report
    }

    fn stuck_outcome(&self, bark: Bark) -> Outcome {
        BORDER.adjust_asleep(1);
        let body = watchdog::catch_runner();
        if body.is_some() && self.options.backtraces {
            collect_as_new_machine();
        }
        let thread = body.map_or_else(|| with(|scheduler| scheduler.running().id), |b| b.id.get());
        if let Some(body) = body {
            // SAFETY: the thread is parked for ever in the signal handler that wrote the cell.
            let backtrace = unsafe { (*body.backtrace.get()).take() };
            COLLECTED.with_lock(|all| all.extend(backtrace.map(|trace| (thread, trace))));
        }
        match bark {
            Bark::Spin => Outcome::Spin { thread },
            Bark::BlockedOutside => Outcome::BlockedOutside { thread },
        }
    }

    fn report(&self) -> Report {
        let mut scheduler = turn::uninstall().expect("a run has a scheduler");
        scheduler.flush_all_lines();
        let mut threads = scheduler.infos();
        attach(&mut threads, COLLECTED.with_lock(std::mem::take));
        let outcome = match (&self.stuck, &scheduler.stop) {
            (Some(outcome), _) | (None, Some(Stop::Over(outcome))) => outcome.clone(),
            _ => Outcome::Stopped,
        };
        Report {
            outcome,
            is_virtual: true,
            engine: self.options.engine,
            seed: self.options.seed,
            elapsed: Duration::from_nanos(scheduler.ended_at.unwrap_or(scheduler.now)),
            steps: scheduler.steps,
            switches: scheduler.switches,
            spawned: scheduler.spawned,
            threads_peak: scheduler.alive_peak,
            threads,
            panics: scheduler.panics,
            trace_hash: scheduler.tracer.hash,
            trace: scheduler.tracer.steps.unwrap_or_default(),
            output: scheduler.lines.captured,
            outside_wakes: BORDER.wakes_in(),
            cpu: Duration::from_nanos(
                sys::real_clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID) - self.cpu_start_ns,
            ),
            memory_peak_bytes: memory_peak_bytes(),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.finished {
            self.finish();
        }
    }
}

/// A list that the machine and the caller pass things in.
struct Shared<T>(Mutex<Vec<T>>);

impl<T> Shared<T> {
    fn with_lock<R>(&self, f: impl FnOnce(&mut Vec<T>) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Backtraces of the run in progress, with the numbers of the threads.
static COLLECTED: Shared<(u32, Backtrace)> = Shared(Mutex::new(Vec::new()));
/// Bodies of machines that have ended, to be used again.
static MACHINES: Shared<&'static Body> = Shared(Mutex::new(Vec::new()));

/// The life of the machine thread.
fn machine(
    options: &Options,
    stepped: bool,
    closure: Box<dyn FnOnce() + Send>,
    mut host: Option<Host>,
    control: &Control,
) {
    RUNNING_TID.store(sys::real_tid(), Ordering::Relaxed);
    if options.engine == Engine::Kernel {
        pin_to_one_processor();
    }
    let body = MACHINES.with_lock(Vec::pop).unwrap_or_else(Body::leak);
    #[cfg(target_arch = "x86_64")]
    engine::fiber::adopt(body);
    let mut scheduler = Scheduler::new(options);
    scheduler.stepped = stepped;
    hooks::edges::enable(options.edges.then(|| scheduler.draw_edges()));
    turn::install(scheduler, body);
    let argument = Box::into_raw(Box::new(closure)).cast();
    let root = engine::prepare(options.engine, CLOSURE_STACK_SIZE, root, argument, true)
        .expect("a stack for the closure");
    with(|scheduler| scheduler.admit(root));
    let mut carried_out = 0;
    loop {
        while control.ordered.load(Ordering::Acquire) == carried_out {
            BORDER.asleep(|| sys::futex_wait(&control.ordered, carried_out, None));
        }
        carried_out += 1;
        if !control.closing.load(Ordering::Relaxed) {
            match &mut host {
                Some(host) => serve(host),
                None => {
                    let until = control.until.load(Ordering::Relaxed);
                    drive(until, control.overtime.load(Ordering::Relaxed));
                }
            }
        }
        let outcome = with(|scheduler| scheduler.stop.clone());
        let over = outcome != Some(Stop::Paused) || control.closing.load(Ordering::Relaxed);
        if over {
            hooks::edges::enable(None);
            if options.backtraces && outcome != Some(Stop::Over(Outcome::Finished)) {
                let found = turn::backtraces(body, BACKTRACES_MAX);
                COLLECTED.with_lock(|all| *all = found);
            }
        }
        control.over.store(over, Ordering::Release);
        control.done.store(carried_out, Ordering::Release);
        sys::futex_wake(&control.done, 1);
        if over {
            MACHINES.with_lock(|spare| spare.push(body));
            return;
        }
    }
}

fn drive(until: u64, overtime: u64) {
    with(|scheduler| {
        scheduler.until = until;
        scheduler.overtime_until = until.max(scheduler.now).saturating_add(overtime);
    });
    turn::drive();
}

/// Until the run is over, or the host has no more to order.
fn serve(host: &mut Host) {
    let is_paused = || with(|scheduler| scheduler.stop == Some(Stop::Paused));
    loop {
        // The host may wait for what it is to order as long as it likes.
        IDLE.store(true, Ordering::Relaxed);
        let leg = host();
        IDLE.store(false, Ordering::Relaxed);
        let Some(Leg { until, overtime, deliver }) = leg else { return };
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

/// The machine is stuck inside a thread: the caller takes its place to ask the others where they
/// stand.
fn collect_as_new_machine() {
    let body = Body::leak();
    #[cfg(target_arch = "x86_64")]
    engine::fiber::adopt(body);
    turn::replace_machine(body);
    hooks::edges::enable(None);
    let stuck = with(|scheduler| scheduler.current);
    let found = turn::backtraces_except(body, stuck, BACKTRACES_MAX);
    COLLECTED.with_lock(|all| *all = found);
}

/// The first routine of a run: the closure, under a net.
extern "C" fn root(argument: *mut c_void) -> *mut c_void {
    // SAFETY: made by `machine` from a box, and used once.
    let closure = unsafe { Box::from_raw(argument.cast::<Box<dyn FnOnce() + Send>>()) };
    self_test();
    let outcome = match panic::catch_unwind(AssertUnwindSafe(*closure)) {
        Ok(()) => Outcome::Finished,
        Err(payload) => Outcome::Panicked { message: text_of(payload.as_ref()) },
    };
    with(|scheduler| scheduler.begin_drain(outcome));
    ptr::null_mut()
}

/// That names are bound to our hooks in this object says nothing of the standard library's.
fn self_test() {
    let before = STEPS.load(Ordering::Relaxed);
    hooks::clock::read_by_std();
    let after = STEPS.load(Ordering::Relaxed);
    if before == after {
        eprintln!("sim: the standard library does not call the hooks: this run is not virtual");
        std::process::abort();
    }
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}

/// Prepares the process, and more, while no simulation runs and the lock of runs is held.
pub(crate) fn prepare(more: impl FnOnce()) {
    lock_runs();
    prepare_process();
    more();
    unlock_runs();
}

/// What a process needs before its first run.
fn prepare_process() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        record_panics();
        watchdog::install();
        hooks::system::warm_up();
        hooks::clock::learn_std();
        refuse_huge_pages();
        #[cfg(target_arch = "x86_64")]
        engine::donor::warm_up();
        // SAFETY: the handler only stores to atomics.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    });
}

/// Asks for no transparent huge pages. An allocator that has a heap for each thread may ask for
/// them (mimalloc does); with hundreds of threads, of which each touches little, the kernel would
/// clear memory for longer than the run takes.
fn refuse_huge_pages() {
    // SAFETY: changes how memory is backed, not what it holds. Where it is refused it costs speed.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

/// A forked child has one thread, and no run is in progress there.
pub(crate) extern "C" fn forked() {
    BORDER.forget_threads();
    RUNS.store(0, Ordering::Relaxed);
}

/// Puts a panic hook in front of the present one that notes panics inside simulations.
fn record_panics() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if engine::current().is_some() {
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

/// Kernel threads that pass a turn among them do so fastest on one processor.
fn pin_to_one_processor() {
    // SAFETY: plain calls; the set is zero and then has one processor. A failure costs speed only.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let here = usize::try_from(libc::sched_getcpu()).unwrap_or(0);
        libc::CPU_SET(here, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}

fn memory_peak_bytes() -> u64 {
    // SAFETY: a zero `rusage` is valid, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024
}

/// Puts backtraces to the threads that took them.
pub(crate) fn attach(infos: &mut [ThreadInfo], traces: Vec<(u32, Backtrace)>) {
    for (id, backtrace) in traces {
        if let Some(info) = infos.iter_mut().find(|info| info.id == id) {
            info.backtrace = Some(Arc::new(backtrace));
        }
    }
}

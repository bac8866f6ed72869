//! The caller's side of a run: gives orders to the machine and watches how it carries them out.
//!
//! The machine is a kernel thread for this run alone. So a run that is stuck in a loop or in a real
//! call costs the process one parked thread, and the caller still gets a report.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::border::BORDER;
use crate::engine::thread::{self, RUN};
use crate::halt::Halt;
use crate::hooks;
use crate::options::Options;
use crate::report::Report;
use crate::run::machine::{self, COLLECTED, Control, Mode};
use crate::run::process::{lock_runs, memory_peak_bytes, prepare_process, unlock_runs};
use crate::scheduler::Stop;
use crate::scheduler::progress::{IDLE, STEPS};
use crate::scheduler::schedule::Schedule;
use crate::scheduler::threads::attach;
use crate::scheduler::turn::{self, with};
use crate::sys;
use crate::watchdog::{self, Stuck};

static NEXT_RUN: AtomicU32 = AtomicU32::new(1);

/// A run in progress, owned by the thread that drives it.
pub(crate) struct Driver {
    options: Options,
    control: Arc<Control>,
    machine: Option<std::thread::JoinHandle<()>>,
    /// Whether a host gives each segment.
    is_served: bool,
    /// Set when a thread is stuck. Then the machine is lost.
    stuck: Option<Halt>,
    finished: bool,
    /// CPU time of the process when the run began.
    cpu_start_ns: u64,
}

impl Driver {
    pub(crate) fn start(
        options: Options,
        schedule: Box<dyn Schedule>,
        mode: Mode,
        closure: Box<dyn FnOnce() + Send>,
    ) -> Driver {
        assert!(thread::current().is_none(), "a simulation cannot start another simulation");
        let missing = hooks::missing();
        assert!(
            missing.is_empty(),
            "this executable does not call these hooks of sim: {missing:?}"
        );
        prepare_process();
        lock_runs();
        let cpu_start_ns = sys::real_clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID);
        let run = NEXT_RUN.fetch_add(1, Ordering::Relaxed);
        RUN.store(run, Ordering::SeqCst);
        STEPS.store(0, Ordering::Relaxed);
        IDLE.store(false, Ordering::Relaxed);
        BORDER.open();
        let control = Arc::new(Control::default());
        let (shared, settings) = (Arc::clone(&control), options.clone());
        let is_served = matches!(mode, Mode::Served(_));
        let machine = std::thread::Builder::new()
            .name("sim machine".to_owned())
            .spawn(move || machine::run(&settings, schedule, mode, closure, &shared))
            .expect("the simulation gets a kernel thread");
        let machine = Some(machine);
        Driver { options, control, machine, is_served, stuck: None, finished: false, cpu_start_ns }
    }

    /// Lets the simulation run until `until` or its end. Threads that are ready then continue for
    /// up to `overtime`, until they wait. Both are in ns. Returns false if the run is over.
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

    /// Gives the machine an order and waits until it is carried out, or the run is stuck.
    fn order(&mut self) {
        let order = self.control.ordered.fetch_add(1, Ordering::Release) + 1;
        sys::futex_wake(&self.control.ordered, 1);
        let control = Arc::clone(&self.control);
        let stuck =
            BORDER.asleep(|| watchdog::watch(&self.options, &control.done, |done| done == order));
        if let Some(stuck) = stuck {
            self.stuck = Some(self.stuck_halt(stuck));
        }
    }

    /// Ends the run if it is not over. Returns its report.
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
            // The machine is about to end. In a process with a host nothing waits for that: the
            // sandbox may forbid to wait on a futex that other processes could wake.
            let _ = machine.join();
        }
        let report = self.report();
        RUN.store(0, Ordering::SeqCst);
        BORDER.close();
        unlock_runs();
        report
    }

    fn stuck_halt(&self, stuck: Stuck) -> Halt {
        BORDER.adjust_asleep(1);
        let caught = watchdog::catch_runner();
        if caught.is_some() && self.options.backtraces {
            machine::collect_as_new_machine(self.options.engine);
        }
        let thread = caught
            .map_or_else(|| with(|scheduler| scheduler.running().id), |caught| caught.id.get());
        if let Some(caught) = caught {
            // SAFETY: the thread is parked forever in the signal handler that wrote the cell.
            let backtrace = unsafe { (*caught.backtrace.get()).take() };
            COLLECTED.with_lock(|all| all.extend(backtrace.map(|trace| (thread, trace))));
        }
        match stuck {
            Stuck::Spin => Halt::Spin { thread },
            Stuck::BlockedOutside => Halt::BlockedOutside { thread },
        }
    }

    fn report(&self) -> Report {
        let mut scheduler = turn::uninstall().expect("a run has a scheduler");
        scheduler.flush_all_lines();
        let mut threads = scheduler.infos();
        attach(&mut threads, COLLECTED.with_lock(std::mem::take));
        let halt = match (&self.stuck, &scheduler.stop) {
            (Some(halt), _) | (None, Some(Stop::Over(halt))) => halt.clone(),
            _ => Halt::Stopped,
        };
        Report {
            halt,
            is_virtual: true,
            engine: self.options.engine,
            seed: self.options.seed,
            elapsed: Duration::from_nanos(scheduler.ended_at.unwrap_or(scheduler.now)),
            steps: scheduler.steps,
            switches: scheduler.switches,
            decisions: scheduler.schedule.decisions(),
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

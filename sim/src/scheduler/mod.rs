//! The scheduler: which thread has the turn, what time it is, and why.
//!
//! Plain safe code over plain data. The hooks report what the running thread does, the scheduler
//! answers which thread runs next, and `turn` hands the turn over. Every decision depends only on
//! the order of the calls and on the answers of its [`Schedule`], and never on an address, a hash
//! order or the real clock.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::border::BORDER;
use crate::engine::thread::SimThread;
use crate::engine_kind::Engine;
use crate::halt::Halt;
use crate::label::Label;
use crate::options::Options;
use crate::report::PanicInfo;
use crate::scheduler::groups::Groups;
use crate::scheduler::lines::Lines;
use crate::scheduler::progress::STEPS;
use crate::scheduler::random::Random;
use crate::scheduler::ready::{Ready, ReadyThread};
use crate::scheduler::schedule::{Point, Schedule};
use crate::scheduler::thread::{State, Thread, Wake};
use crate::scheduler::timers::Timers;
use crate::scheduler::tracer::Tracer;
use crate::trace::Op;

pub(crate) mod turn;
pub(crate) mod thread;
pub(crate) mod schedule;
pub(crate) mod ready;
mod random;
mod timers;
mod groups;
mod lines;
mod tracer;
mod limits;
mod faults;
mod output;
pub(crate) mod threads;
pub(crate) mod progress;

/// The cost of a hooked call in virtual time, in ns.
pub(crate) const CALL_NS: u64 = 1_000;
/// The cost of a clock read in virtual time, in ns.
const CLOCK_NS: u64 = 50;
/// The number of clock reads up to the first one that yields. The schedule gives the later numbers.
const FIRST_CLOCK_READS: u32 = 16;
/// After this many looks at a clock without a step in between, there is a step, with the cost of
/// that many reads. That step must not happen inside an allocator. So the number is higher than the
/// number of looks that any allocator makes between two steps of a thread that does more than
/// allocate.
const CLOCK_LOOKS_MAX: u32 = 1 << 16;

/// The receiver of the turn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    /// To the thread that has it.
    Same,
    Thread(&'static SimThread),
    /// To the machine: the run is over or paused.
    Machine,
}

/// The reason for which the machine has the turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A stepped run has reached the time to which it can run.
    Paused,
    Over(Halt),
}

/// The whole state of a run.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pub(crate) engine: Engine,
    /// The virtual time, in ns, as are all times here.
    pub(crate) now: u64,
    pub(crate) steps: u64,
    pub(crate) switches: u64,
    pub(crate) spawned: u32,
    pub(crate) alive: usize,
    pub(crate) alive_peak: usize,
    /// The slot of the running thread.
    pub(crate) current: u32,
    pub(crate) stop: Option<Stop>,
    /// The virtual time at which the closure returned.
    pub(crate) ended_at: Option<u64>,
    /// The reason for which the run is about to end, and the number of steps left.
    drain: Option<(Halt, u64)>,
    /// The time to which a stepped run can go.
    pub(crate) until: u64,
    /// The time to which its threads that are ready then can continue.
    pub(crate) overtime_until: u64,
    pub(crate) stepped: bool,
    time_limit: u64,
    step_limit: u64,
    thread_limit: usize,
    outside_limit_ns: u64,
    threads: Vec<Thread>,
    free: Vec<u32>,
    ready: Ready,
    pub(crate) schedule: Box<dyn Schedule>,
    /// The next step that is reported to the schedule.
    schedule_told_at: u64,
    timers: Timers,
    groups: Groups,
    /// Random bytes for the program inside.
    pub(crate) entropy: Random,
    /// Random bytes for requests that must not wait, such as those of an allocator.
    pub(crate) entropy_no_wait: Random,
    pub(crate) tracer: Tracer,
    /// The time after which everything is drawn by another seed, and that seed.
    turn: Option<(u64, u64)>,
    spurious: bool,
    /// Clock reads left until the next that yields.
    clock_reads: u32,
    /// Looks at a clock since the step `clock_looks_since`.
    clock_looks: u32,
    clock_looks_since: u64,
    pub(crate) lines: Lines,
    pub(crate) panics: Vec<PanicInfo>,
    /// The thread that asked the thread with the turn for its backtrace.
    pub(crate) reporter: Option<&'static SimThread>,
}

impl Scheduler {
    pub(crate) fn new(options: &Options, schedule: Box<dyn Schedule>) -> Scheduler {
        let ns = |limit: Duration| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Scheduler {
            engine: options.engine,
            now: 0,
            steps: 0,
            switches: 0,
            spawned: 0,
            alive: 0,
            alive_peak: 0,
            current: u32::MAX,
            stop: None,
            ended_at: None,
            drain: None,
            until: u64::MAX,
            overtime_until: u64::MAX,
            stepped: false,
            time_limit: ns(options.time_limit),
            step_limit: options.step_limit,
            thread_limit: options.thread_limit,
            outside_limit_ns: ns(options.outside_limit),
            threads: Vec::new(),
            free: Vec::new(),
            ready: Ready::new(),
            schedule,
            schedule_told_at: 0,
            timers: Timers::default(),
            groups: Groups::default(),
            entropy: Random::new(options.seed, 2),
            entropy_no_wait: Random::new(options.seed, 3),
            tracer: Tracer::new(options.trace),
            turn: options.turn.map(|turn| (ns(turn.at), turn.seed(options.seed))),
            spurious: options.spurious,
            clock_reads: FIRST_CLOCK_READS,
            clock_looks: 0,
            clock_looks_since: 0,
            lines: Lines::new(options.output, options.label_names),
            panics: Vec::new(),
            reporter: None,
        }
    }

    /// Takes a step of the running thread: time, hash, limits.
    #[inline]
    pub(crate) fn step(&mut self, op: Op, cost_ns: u64) {
        self.now = self.now.saturating_add(cost_ns);
        self.steps += 1;
        STEPS.store(self.steps, Ordering::Relaxed);
        let thread = &self.threads[self.current as usize];
        self.tracer.record(self.steps, thread.id, op, self.now);
        if self.steps >= self.schedule_told_at {
            self.schedule_told_at = self.schedule.stepped(self.current, self.steps);
        }
        if self.now > self.overtime_until.min(self.time_limit) || self.steps >= self.step_limit {
            self.check_limits();
        }
    }

    /// The running thread can continue. Decides which thread runs next. A thread that `yields` lets
    /// others go first.
    #[inline]
    pub(crate) fn point(&mut self, yields: bool) -> Next {
        let slot = self.current;
        if yields {
            self.schedule.yielded(slot);
        }
        self.make_ready(slot);
        self.choose(yields)
    }

    /// A clock was read. Sometimes other threads get the turn, because otherwise a loop that polls
    /// would never end.
    #[inline]
    pub(crate) fn clock_read(&mut self) -> Option<Next> {
        self.step(Op::Clock, CLOCK_NS);
        self.clock_reads -= 1;
        if self.clock_reads > 0 && self.stop.is_none() {
            return None;
        }
        self.clock_reads = self.schedule.clock_reads_to_preemption();
        Some(self.point(true))
    }

    /// Code that must not be switched looked at a clock (see `hooks::clock`). One look is not a
    /// step, but a very large number of looks is one, so that a loop that only looks ends.
    pub(crate) fn clock_look(&mut self) -> Option<Next> {
        if self.clock_looks_since != self.steps {
            (self.clock_looks_since, self.clock_looks) = (self.steps, 0);
        }
        self.clock_looks += 1;
        if self.clock_looks < CLOCK_LOOKS_MAX || self.reporter.is_some() {
            return None;
        }
        self.step(Op::Clock, u64::from(CLOCK_LOOKS_MAX) * CLOCK_NS);
        Some(self.point(true))
    }

    /// The running thread waits; `deadline` is on its group's clock.
    pub(crate) fn block(&mut self, state: State, deadline: Option<u64>) -> Next {
        let slot = self.current;
        let now = self.now;
        let thread = &mut self.threads[slot as usize];
        thread.state = state;
        thread.since = now;
        thread.deadline = deadline;
        thread.spurious = false;
        let mut at = deadline.map(|local| self.groups.global(thread.label.group, local));
        if self.spurious
            && matches!(state, State::Futex { .. })
            && let Some(after) = self.schedule.early_wake()
        {
            let early = now.saturating_add(after);
            if at.is_none_or(|at| early < at) {
                self.threads[slot as usize].spurious = true;
                at = Some(early);
            }
        }
        if let Some(at) = at {
            self.timers.set(slot, at);
        }
        self.choose(false)
    }

    /// A thread that waited can continue.
    pub(crate) fn wake(&mut self, slot: u32, wake: Wake) {
        let thread = &mut self.threads[slot as usize];
        if matches!(thread.state, State::Futex { .. } | State::Sleeping | State::Joining { .. }) {
            thread.wake = wake;
            self.timers.cancel(slot);
            self.make_ready(slot);
        }
    }

    #[inline]
    fn make_ready(&mut self, slot: u32) {
        let now = self.now;
        let thread = &mut self.threads[slot as usize];
        if matches!(thread.state, State::Free | State::Discarded) {
            return;
        }
        thread.since = now;
        if self.groups.is_paused(thread.label.group) {
            thread.state = State::Held;
        } else {
            thread.state = State::Ready;
            self.ready.push(ReadyThread { slot, id: thread.id });
        }
    }

    /// Decides which thread runs next. Advances the clock if none can run.
    #[inline]
    pub(crate) fn choose(&mut self, yields: bool) -> Next {
        loop {
            if BORDER.has_woken() {
                for slot in BORDER.take_woken() {
                    self.wake(slot, Wake::Woken);
                }
            }
            while let Some(slot) = self.timers.pop_due(self.now) {
                self.timer_fired(slot);
            }
            self.count_drain();
            if self.stop.is_some() {
                return Next::Machine;
            }
            if let Some(slot) = self.take_ready(yields) {
                let before = self.current;
                let thread = &mut self.threads[slot as usize];
                thread.state = State::Running;
                self.current = slot;
                if slot == before {
                    return Next::Same;
                }
                self.switches += 1;
                return thread.sim_thread.map_or(Next::Machine, Next::Thread);
            }
            self.pass_time();
        }
    }

    /// Takes the ready thread that runs next. If there are several, the schedule decides.
    #[inline]
    fn take_ready(&mut self, yields: bool) -> Option<u32> {
        if self.ready.len() <= 1 {
            return self.ready.take_first().map(|thread| thread.slot);
        }
        let slot = self.current;
        let running =
            self.threads.get(slot as usize).map(|thread| ReadyThread { slot, id: thread.id });
        let point = Point { running, yields };
        Some(self.schedule.next(point, &mut self.ready).slot)
    }

    fn timer_fired(&mut self, slot: u32) {
        if let Some((_, seed)) = self.turn.take_if(|(at, _)| *at <= self.now) {
            self.entropy = Random::new(seed, 2);
            self.schedule.turn(seed);
        }
        let thread = &self.threads[slot as usize];
        let wake = if thread.spurious { Wake::Spurious } else { Wake::TimedOut };
        match thread.state {
            // A thread outside was faster: its wake comes next.
            State::Futex { address } if !BORDER.with(|w| w.remove(address, slot)) => {}
            _ => self.wake(slot, wake),
        }
    }

    /// Adds a new thread, with the label of the running one.
    pub(crate) fn admit(&mut self, sim_thread: &'static SimThread) {
        let label = self.threads.get(self.current as usize).map_or(Label::default(), |t| t.label);
        let thread = Thread::new(self.spawned, label, self.now, sim_thread);
        let slot = match self.free.pop() {
            Some(slot) => {
                self.threads[slot as usize] = thread;
                slot
            }
            None => {
                self.threads.push(thread);
                self.threads.len() as u32 - 1
            }
        };
        sim_thread.slot.set(slot);
        sim_thread.id.set(self.spawned);
        self.spawned += 1;
        self.alive += 1;
        self.alive_peak = self.alive_peak.max(self.alive);
        self.schedule.started(slot);
        self.lines.admit(slot);
        self.make_ready(slot);
    }

    /// The running thread has ended.
    pub(crate) fn end(&mut self, joiner: Option<u32>) -> Next {
        let slot = self.current;
        self.flush_lines(slot);
        let thread = &mut self.threads[slot as usize];
        thread.state = State::Free;
        thread.sim_thread = None;
        self.free.push(slot);
        self.alive -= 1;
        if let Some(joiner) = joiner {
            self.wake(joiner, Wake::Woken);
        }
        self.current = u32::MAX;
        self.choose(false)
    }

    pub(crate) fn running(&mut self) -> &mut Thread {
        &mut self.threads[self.current as usize]
    }

    /// The reason for which the running thread continues after it has blocked.
    #[inline]
    pub(crate) fn last_wake(&self) -> Wake {
        self.threads[self.current as usize].wake
    }

    /// The time on the running thread's clock.
    #[inline]
    pub(crate) fn local_now(&self) -> u64 {
        let group = self.threads[self.current as usize].label.group;
        self.groups.local(group, self.now)
    }

    pub(crate) fn next_deadline(&mut self) -> Option<u64> {
        if self.ready.is_empty() { self.timers.next_deadline() } else { Some(self.now) }
    }

    /// The simulated threads that are alive, by slot.
    pub(crate) fn sim_threads(&self) -> Vec<(u32, &'static SimThread)> {
        let alive = self.threads.iter().enumerate();
        alive.filter_map(|(slot, thread)| Some((slot as u32, thread.sim_thread?))).collect()
    }
}

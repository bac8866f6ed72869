//! The scheduler: whose turn it is, what time it is, and why.
//!
//! Plain safe code over plain data. The hooks tell it what the running thread does, it answers who
//! runs next, and `turn` makes that so. Whatever it decides follows from the seed and from the
//! order of the calls; never from an address, a hash order or the real clock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::engine::Body;
use crate::options::{Engine, Options, Output, Schedule};
use crate::report::{Label, Outcome, PanicInfo};
use crate::scheduler::border::BORDER;
use crate::scheduler::groups::Groups;
use crate::scheduler::lines::Lines;
use crate::scheduler::random::Random;
use crate::scheduler::ready::Ready;
use crate::scheduler::timers::Timers;
use crate::scheduler::tracer::Tracer;
use crate::sys;
use crate::trace::Op;

pub(crate) mod turn;
pub(crate) mod random;
pub(crate) mod ready;
pub(crate) mod timers;
pub(crate) mod groups;
pub(crate) mod border;
pub(crate) mod lines;
pub(crate) mod tracer;
mod faults;
pub(crate) mod threads;

/// What a hooked call costs in virtual time.
pub(crate) const CALL_NS: u64 = 1_000;
/// What reading a clock costs in virtual time.
pub(crate) const CLOCK_NS: u64 = 50;
/// Clock reads between two chances for others, at most.
const CLOCK_READS_MAX: u32 = 16;
/// Looks at a clock without a step between, until there is a step all the same, as long as so many
/// reads. High, since it must not happen within an allocator: none looks as often between two steps
/// of a thread that does anything but allocate.
const CLOCK_LOOKS_MAX: u32 = 1 << 16;
/// Steps that the threads left may take after the closure's return, to end by themselves.
const DRAIN_STEPS: u64 = 10_000;

/// Steps so far, for the watchdog to look at from outside.
pub(crate) static STEPS: AtomicU64 = AtomicU64::new(0);
/// Set while the simulation waits for a thread outside, which is no reason to bark.
pub(crate) static IDLE: AtomicBool = AtomicBool::new(false);

/// What a thread waits for, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The slot has no thread.
    Free,
    Running,
    Ready,
    /// Ready, but its group is paused.
    Held,
    Sleeping,
    Futex {
        address: usize,
    },
    Joining {
        id: u32,
    },
    /// It will never run again.
    Discarded,
}

/// Why a thread that blocked goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    Woken,
    TimedOut,
    Spurious,
}

#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) id: u32,
    pub(crate) label: Label,
    pub(crate) name: [u8; 16],
    state: State,
    since: u64,
    /// On the group's own clock.
    deadline: Option<u64>,
    /// Whether the timer that runs is a spurious wake-up, not the deadline.
    spurious: bool,
    pub(crate) wake: Wake,
    body: Option<&'static Body>,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({})", self.id.get())
    }
}

/// Who gets the turn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    /// The thread that has it.
    Same,
    Thread(&'static Body),
    /// The machine: the run is over or paused.
    Machine,
}

/// Why the machine has the turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A stepped run came to its next limit in time.
    Paused,
    Over(Outcome),
}

/// All of one run's state.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pub(crate) engine: Engine,
    pub(crate) now: u64,
    pub(crate) steps: u64,
    pub(crate) switches: u64,
    pub(crate) spawned: u32,
    pub(crate) alive: usize,
    pub(crate) alive_peak: usize,
    pub(crate) current: u32,
    pub(crate) stop: Option<Stop>,
    /// The virtual time at which the closure returned.
    pub(crate) ended_at: Option<u64>,
    /// The outcome to come, and the steps left until it does.
    drain: Option<(Outcome, u64)>,
    /// How far a stepped run may go now.
    pub(crate) until: u64,
    /// How far its threads may go on that have something to do at that time.
    pub(crate) overtime_until: u64,
    pub(crate) stepped: bool,
    time_limit: u64,
    step_limit: u64,
    thread_limit: usize,
    outside_limit_ns: u64,
    threads: Vec<Thread>,
    free: Vec<u32>,
    ready: Ready,
    fair: bool,
    timers: Timers,
    groups: Groups,
    random: Random,
    /// Bytes for the program inside, apart from the schedule's own stream.
    pub(crate) entropy: Random,
    /// Bytes for who must not wait: an allocator.
    pub(crate) entropy_no_wait: Random,
    pub(crate) tracer: Tracer,
    spurious: bool,
    clock_reads: u32,
    /// Looks at a clock since the step of this number.
    clock_looks: u32,
    clock_looks_since: u64,
    edge_mean: u32,
    pub(crate) lines: Lines,
    pub(crate) panics: Vec<PanicInfo>,
    /// Who asked the thread that now has the turn for its backtrace.
    pub(crate) reporter: Option<&'static Body>,
}

impl Scheduler {
    pub(crate) fn new(options: &Options) -> Scheduler {
        let mut random = Random::new(options.seed, 1);
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
            ready: Ready::new(options.schedule, &mut random),
            fair: options.schedule != Schedule::Fifo,
            timers: Timers::default(),
            groups: Groups::default(),
            entropy: Random::new(options.seed, 2),
            entropy_no_wait: Random::new(options.seed, 3),
            tracer: Tracer::new(options.trace),
            spurious: options.spurious,
            clock_reads: CLOCK_READS_MAX,
            clock_looks: 0,
            clock_looks_since: 0,
            edge_mean: options.edge_mean,
            lines: Lines::new(options.output, options.label_names),
            panics: Vec::new(),
            reporter: None,
            random,
        }
    }

    pub(crate) fn output(&self) -> Output {
        self.lines.output
    }

    /// Takes a step of the running thread: time, hash, limits.
    #[inline]
    pub(crate) fn step(&mut self, op: Op, cost_ns: u64) {
        self.now = self.now.saturating_add(cost_ns);
        self.steps += 1;
        STEPS.store(self.steps, Ordering::Relaxed);
        let thread = &self.threads[self.current as usize];
        self.tracer.record(self.steps, thread.id, op, self.now);
        self.ready.stepped(self.current, self.steps);
        if self.now > self.overtime_until.min(self.time_limit) || self.steps >= self.step_limit {
            self.check_limits();
        }
    }

    #[cold]
    fn check_limits(&mut self) {
        if self.stop.is_some() || self.drain.is_some() {
            return;
        }
        if self.steps >= self.step_limit {
            self.stop = Some(Stop::Over(Outcome::StepLimit));
        } else if self.now > self.time_limit {
            self.stop = Some(Stop::Over(Outcome::TimeLimit));
        } else if self.stepped && self.now > self.overtime_until {
            self.stop = Some(Stop::Paused);
        }
    }

    /// The running thread could go on: who does?
    #[inline]
    pub(crate) fn point(&mut self, yields: bool) -> Next {
        let slot = self.current;
        if yields {
            self.ready.lower(slot);
        }
        self.make_ready(slot);
        self.choose(yields.then_some(slot))
    }

    /// A clock was read: others get a chance now and then, or a loop that polls would never end.
    #[inline]
    pub(crate) fn clock_read(&mut self) -> Option<Next> {
        self.step(Op::Clock, CLOCK_NS);
        self.clock_reads -= 1;
        if self.clock_reads > 0 && self.stop.is_none() {
            return None;
        }
        self.clock_reads =
            if self.fair { 1 + self.random.below(2 * 16) as u32 } else { CLOCK_READS_MAX };
        Some(self.point(true))
    }

    /// A clock was looked at by code that must not be switched (see `hooks::clock`). That takes no
    /// step, but a loop that only looks must end: very many looks do.
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

    /// Edges to pass until the next switch at one.
    pub(crate) fn draw_edges(&mut self) -> u32 {
        1 + self.random.below(2 * u64::from(self.edge_mean)) as u32
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
        if self.spurious && matches!(state, State::Futex { .. }) && self.random.below(8) == 0 {
            let early = now.saturating_add(self.random.below(2_000_000));
            if at.is_none_or(|at| early < at) {
                self.threads[slot as usize].spurious = true;
                at = Some(early);
            }
        }
        if let Some(at) = at {
            self.timers.set(slot, at);
        }
        self.choose(None)
    }

    /// A thread that waited can go on.
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
            self.ready.push(slot);
        }
    }

    /// Who runs next. Moves the clock on when nobody can run.
    #[inline]
    pub(crate) fn choose(&mut self, avoid: Option<u32>) -> Next {
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
            if let Some(slot) = self.ready.pick(&mut self.random, avoid) {
                let before = self.current;
                let thread = &mut self.threads[slot as usize];
                thread.state = State::Running;
                self.current = slot;
                if slot == before {
                    return Next::Same;
                }
                self.switches += 1;
                return thread.body.map_or(Next::Machine, Next::Thread);
            }
            self.pass_time();
        }
    }

    fn timer_fired(&mut self, slot: u32) {
        let thread = &self.threads[slot as usize];
        let wake = if thread.spurious { Wake::Spurious } else { Wake::TimedOut };
        match thread.state {
            // Somebody outside was faster: the wake is on its way.
            State::Futex { address } if !BORDER.with(|w| w.remove(address, slot)) => {}
            _ => self.wake(slot, wake),
        }
    }

    #[inline]
    fn count_drain(&mut self) {
        if let Some((outcome, left)) = &mut self.drain {
            *left = left.saturating_sub(1);
            if *left == 0 || self.ready.is_empty() {
                self.stop = Some(Stop::Over(outcome.clone()));
            }
        }
    }

    /// Nobody is ready: jump to the next deadline, or find that there is none.
    #[cold]
    fn pass_time(&mut self) {
        let next = self.timers.next_deadline();
        let horizon = self.until.min(self.time_limit);
        if let Some(at) = next
            && at <= horizon
        {
            self.now = self.now.max(at);
            return;
        }
        if self.stepped && self.until <= self.time_limit {
            self.now = self.now.max(self.until);
            self.stop = Some(Stop::Paused);
        } else if next.is_some() {
            self.now = self.now.max(self.time_limit);
            self.stop = Some(Stop::Over(Outcome::TimeLimit));
        } else if !self.woken_from_outside() {
            self.stop = Some(Stop::Over(Outcome::Deadlock));
        }
    }

    /// Waits in real time for a thread outside to wake one of ours, as long as one could.
    fn woken_from_outside(&self) -> bool {
        let start = sys::real_clock_ns(libc::CLOCK_MONOTONIC);
        IDLE.store(true, Ordering::Relaxed);
        let woken = loop {
            let may_act = BORDER.outside_may_act();
            if BORDER.has_woken() {
                break true;
            }
            let waited = sys::real_clock_ns(libc::CLOCK_MONOTONIC) - start;
            if !may_act || waited > self.outside_limit_ns {
                break false;
            }
            BORDER.sleep_idle();
        };
        IDLE.store(false, Ordering::Relaxed);
        woken
    }

    /// Lets in a new thread, labelled as the running one; false if there are too many.
    pub(crate) fn admit(&mut self, body: &'static Body) {
        let label = self.threads.get(self.current as usize).map_or(Label::default(), |t| t.label);
        let thread = Thread {
            id: self.spawned,
            label,
            name: [0; 16],
            state: State::Ready,
            since: self.now,
            deadline: None,
            spurious: false,
            wake: Wake::Woken,
            body: Some(body),
        };
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
        body.slot.set(slot);
        body.id.set(self.spawned);
        self.spawned += 1;
        self.alive += 1;
        self.alive_peak = self.alive_peak.max(self.alive);
        self.ready.admit(slot, &mut self.random);
        self.lines.admit(slot);
        self.make_ready(slot);
    }

    /// Whether another thread may start; if not, the run ends.
    pub(crate) fn has_room(&mut self) -> bool {
        let room = self.alive < self.thread_limit;
        if !room && self.stop.is_none() {
            self.stop = Some(Stop::Over(Outcome::ThreadLimit));
        }
        room
    }

    /// The running thread has ended.
    pub(crate) fn end(&mut self, joiner: Option<u32>) -> Next {
        let slot = self.current;
        self.flush_lines(slot);
        let thread = &mut self.threads[slot as usize];
        thread.state = State::Free;
        thread.body = None;
        self.free.push(slot);
        self.alive -= 1;
        if let Some(joiner) = joiner {
            self.wake(joiner, Wake::Woken);
        }
        self.current = u32::MAX;
        self.choose(None)
    }

    /// The closure has come to its end: the others may finish what they can do at this instant.
    pub(crate) fn begin_drain(&mut self, outcome: Outcome) {
        self.ended_at = Some(self.now);
        let steps = if outcome == Outcome::Finished { DRAIN_STEPS } else { 1 };
        self.drain = Some((outcome, steps));
    }

    pub(crate) fn running(&mut self) -> &mut Thread {
        &mut self.threads[self.current as usize]
    }

    /// Why the running thread goes on after it has blocked.
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

    /// The bodies of live threads, by slot.
    pub(crate) fn bodies(&self) -> Vec<(u32, &'static Body)> {
        let alive = self.threads.iter().enumerate();
        alive.filter_map(|(slot, thread)| Some((slot as u32, thread.body?))).collect()
    }

    /// The number and the name of a live thread, for the output.
    pub(crate) fn write_lines(&mut self, fd: i32, bytes: &[u8]) {
        let slot = self.current;
        let thread = &self.threads[slot as usize];
        self.lines.write(slot, fd, bytes, self.now, thread);
    }

    fn flush_lines(&mut self, slot: u32) {
        let thread = &self.threads[slot as usize];
        self.lines.flush(slot, self.now, thread);
    }

    /// Writes out the lines that were begun and not ended.
    pub(crate) fn flush_all_lines(&mut self) {
        for slot in 0..self.threads.len() as u32 {
            if self.threads[slot as usize].state != State::Free {
                self.flush_lines(slot);
            }
        }
    }
}

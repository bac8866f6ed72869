//! Tests that the `Schedule` trait sees enough: a recorded schedule repeats every step of a random
//! one, and a recording with some answers replaced by "run on" is a schedule too.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::engine_kind::Engine;
use crate::halt::Halt;
use crate::options::{Options, Output};
use crate::report::Report;
use crate::run::driver::Driver;
use crate::run::machine::Mode;
use crate::scheduler::ready::{Ready, ReadyThread};
use crate::scheduler::schedule::{Point, Schedule, policy};

/// One answer of a schedule.
#[derive(Clone, Copy, Debug)]
enum Choice {
    /// The number of the thread that runs next.
    Next(u32),
    /// The running thread continues if it can, otherwise the first in the queue runs.
    RunOn,
    Edges(u32),
    ClockReads(u32),
    EarlyWake(Option<u64>),
}

/// Records the answers of another schedule.
#[derive(Debug)]
struct Recorder {
    inner: Box<dyn Schedule>,
    choices: Arc<Mutex<Vec<Choice>>>,
}

impl Recorder {
    fn note(&self, choice: Choice) {
        self.choices.lock().unwrap().push(choice);
    }
}

impl Schedule for Recorder {
    fn next(&mut self, point: Point, ready: &mut Ready) -> ReadyThread {
        let thread = self.inner.next(point, ready);
        self.note(Choice::Next(thread.id));
        thread
    }

    fn edges_to_preemption(&mut self) -> u32 {
        let edges = self.inner.edges_to_preemption();
        self.note(Choice::Edges(edges));
        edges
    }

    fn clock_reads_to_preemption(&mut self) -> u32 {
        let reads = self.inner.clock_reads_to_preemption();
        self.note(Choice::ClockReads(reads));
        reads
    }

    fn early_wake(&mut self) -> Option<u64> {
        let after = self.inner.early_wake();
        self.note(Choice::EarlyWake(after));
        after
    }

    fn turn(&mut self, seed: u64) {
        self.inner.turn(seed);
    }
}

/// Gives recorded answers in order. If the recording has ended or has the answer to another
/// question, the answers are "run on", "never" and a fixed number of clock reads.
#[derive(Debug)]
struct Recorded {
    choices: VecDeque<Choice>,
}

impl Schedule for Recorded {
    fn next(&mut self, point: Point, ready: &mut Ready) -> ReadyThread {
        let id = match self.choices.pop_front() {
            Some(Choice::Next(id)) => Some(id),
            // A thread that yields waits for others, so it cannot run on.
            _ => point.running.filter(|_| !point.yields).map(|thread| thread.id),
        };
        let index = ready.iter().position(|thread| Some(thread.id) == id);
        ready.take(index.unwrap_or(0)).unwrap()
    }

    fn edges_to_preemption(&mut self) -> u32 {
        match self.choices.pop_front() {
            Some(Choice::Edges(edges)) => edges,
            _ => u32::MAX,
        }
    }

    fn clock_reads_to_preemption(&mut self) -> u32 {
        match self.choices.pop_front() {
            Some(Choice::ClockReads(reads)) => reads,
            _ => 16,
        }
    }

    fn early_wake(&mut self) -> Option<u64> {
        match self.choices.pop_front() {
            Some(Choice::EarlyWake(after)) => after,
            _ => None,
        }
    }

    fn turn(&mut self, _: u64) {}
}

/// Threads that contend for locks, pass messages, sleep, yield and poll the clock.
fn work() {
    let total = Mutex::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for i in 0..4_u32 {
            let (sender, total) = (sender.clone(), &total);
            scope.spawn(move || {
                for j in 0..10 {
                    let mut guard = total.lock().unwrap();
                    *guard += i;
                    thread::yield_now();
                    drop(guard);
                    sender.send(i * j).unwrap();
                    let start = Instant::now();
                    while start.elapsed() < Duration::from_micros(20) {}
                    thread::sleep(Duration::from_micros(u64::from(i)));
                }
            });
        }
        drop(sender);
        assert_eq!(receiver.iter().count(), 40);
    });
}

fn run(options: &Options, schedule: Box<dyn Schedule>) -> Report {
    let mut driver = Driver::start(options.clone(), schedule, Mode::Whole, Box::new(work));
    driver.advance(u64::MAX, 0);
    driver.finish()
}

fn record(options: &Options) -> (Report, Vec<Choice>) {
    let choices = Arc::new(Mutex::new(Vec::new()));
    let recorder = Recorder { inner: policy::schedule(options), choices: Arc::clone(&choices) };
    let report = run(options, Box::new(recorder));
    assert_eq!(report.halt, Halt::Finished, "{report}");
    let choices = choices.lock().unwrap().clone();
    (report, choices)
}

fn replay(options: &Options, choices: &[Choice]) -> Report {
    run(options, Box::new(Recorded { choices: choices.iter().copied().collect() }))
}

fn options(seed: u64) -> Options {
    Options::new().seed(seed).spurious(true).output(Output::Captured)
}

/// The recorded answers alone determine the run, whatever the seed and the engine are.
#[test]
fn recorded_choices_replay_a_run() {
    let (other, _) = record(&options(2));
    let (report, choices) = record(&options(1));
    assert_ne!(report.trace_hash, other.trace_hash, "the schedule decides nothing");
    for engine in [Engine::Fiber, Engine::Kernel] {
        let again = replay(&options(99).engine(engine), &choices);
        assert_eq!(again.trace_hash, report.trace_hash, "{engine:?}: {again}");
        assert_eq!(again.steps, report.steps);
    }
}

/// If every second choice or every choice is replaced by "run on", the run is a different one, and
/// it repeats.
#[test]
fn choices_can_be_replaced_by_running_on() {
    let (report, choices) = record(&options(1));
    let rules: [fn(usize) -> bool; 2] = [|index| index % 2 == 0, |_| false];
    for keeps in rules {
        let shrink = |(index, choice): (usize, &Choice)| {
            if keeps(index) { *choice } else { Choice::RunOn }
        };
        let shrunk: Vec<Choice> = choices.iter().enumerate().map(shrink).collect();
        let first = replay(&options(1), &shrunk);
        assert_eq!(first.halt, Halt::Finished, "{first}");
        assert_ne!(first.trace_hash, report.trace_hash);
        assert_eq!(first.trace_hash, replay(&options(1), &shrunk).trace_hash);
    }
}

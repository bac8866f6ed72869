//! A run in virtual time: what `sim` reports becomes the outcome of a test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use config::label::{self, Label};
use config::{Class, Failure, Habit, TEST_LIMIT, threads};
use sim::{Engine, Options, Report, ThreadInfo};

use crate::runner::child::GRACE;
use crate::runner::outcome::{Outcome, Simulation};

/// The costliest test of the reference takes about a hundredth of this.
const STEPS_MAX: u64 = 100_000_000;
/// So many threads at once are a fault in themselves.
const THREADS_MAX: usize = 5_000;
/// A thread that computes for so long without a call is in an endless loop.
const CPU_WITHOUT_A_STEP: Duration = Duration::from_secs(5);
/// A thread that waits for so long in real time waits for something that time does not end.
const REAL_TIME_WITHOUT_A_STEP: Duration = Duration::from_secs(10);
/// A killed server's threads may still wait for an RPC that takes seven seconds to fail.
const THREADS_END_WITHIN: Duration = Duration::from_secs(10);
const THREADS_LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Runs `test` in virtual time. What goes wrong beside it, such as a thread that spins, is its
/// outcome.
pub(crate) fn run(
    engine: Engine,
    seed: u64,
    test: impl FnOnce() -> Outcome + Send + 'static,
) -> Outcome {
    let options = Options::new()
        .seed(seed)
        .engine(engine)
        .time_limit(TEST_LIMIT + 4 * GRACE)
        .step_limit(STEPS_MAX)
        .thread_limit(THREADS_MAX)
        .cpu_limit(CPU_WITHOUT_A_STEP)
        .wall_limit(REAL_TIME_WITHOUT_A_STEP)
        .label_names(label::name)
        .edges(sim::instrumented_edges() > 0);
    let slot = Arc::new(Mutex::new(None));
    let report = {
        let slot = Arc::clone(&slot);
        sim::run(options, move || {
            let outcome = test();
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        })
    };
    let outcome = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut outcome = outcome.unwrap_or_else(|| Outcome::failed(failure(&report)));
    outcome.simulation = Some(Simulation {
        trace_hash: report.trace_hash,
        time: report.elapsed,
        steps: report.steps,
        switches: report.switches,
        threads_peak: report.threads_peak,
        cpu: report.cpu,
    });
    outcome
}

/// Why the simulation ended before the test did.
fn failure(report: &Report) -> Failure {
    let blamed = |id: u32| report.threads.iter().find(|thread| thread.id == id);
    let of_thread = |class, id, what: &str| {
        let Some(thread) = blamed(id) else {
            return Failure::new(class, format!("a thread {what}"));
        };
        let sentence = format!("{} {what}", threads::name(thread));
        let failure = match Label::of(thread.label) {
            Label::Server(server) => Failure::of(server, class, sentence),
            Label::Kit => Failure::new(Class::Infra, sentence),
        };
        failure.with_notes(threads::place(thread).map(|place| format!("it is {place}")))
    };
    match &report.outcome {
        sim::Outcome::Spin { thread } => of_thread(
            Class::Spin,
            *thread,
            "runs on and on without a call that could let time pass",
        ),
        sim::Outcome::BlockedOutside { thread } => of_thread(
            Class::Outside,
            *thread,
            "waits for something outside of the lab, such as a file or a socket",
        ),
        sim::Outcome::Deadlock => {
            Failure::new(Class::Deadlock, "every thread waits for another, for ever").with_notes(
                report.threads.iter().map(|thread| {
                    let place = threads::place(thread).unwrap_or_default();
                    format!("{} waits {place}", threads::name(thread))
                }),
            )
        }
        sim::Outcome::StepLimit => {
            let busiest = report.threads.iter().find(|t| t.state == sim::ThreadState::Running);
            let what = "was running after STEPS steps: does it poll?";
            let what = what.replace("STEPS", &STEPS_MAX.to_string());
            of_thread(Class::Spin, busiest.map_or(u32::MAX, |thread| thread.id), &what)
        }
        sim::Outcome::ThreadLimit => {
            let sentence = format!("more than {THREADS_MAX} threads were alive at once");
            Failure::new(Class::Limit, sentence).with_notes(crowd(&report.threads))
        }
        other => Failure::new(Class::Infra, format!("the simulation ended early: {other}")),
    }
}

/// How many threads each server has.
fn crowd(threads: &[ThreadInfo]) -> Vec<String> {
    let mut crowd: BTreeMap<sim::Label, (usize, &ThreadInfo)> = BTreeMap::new();
    for thread in threads {
        crowd.entry(thread.label).or_insert((0, thread)).0 += 1;
    }
    let line = |(count, one): &(usize, &ThreadInfo)| match count {
        1 => threads::name(one),
        n => format!("{n} threads like {}", threads::name(one)),
    };
    crowd.values().map(line).collect()
}

/// Waits for the threads of all servers to end, and tells of those that do not.
pub(crate) fn threads_left_behind() -> Vec<String> {
    let of_servers = || -> Vec<ThreadInfo> {
        let threads = sim::threads().into_iter();
        threads.filter(|thread| Label::of(thread.label) != Label::Kit).collect()
    };
    let mut waited = Duration::ZERO;
    let mut left = of_servers();
    while !left.is_empty() && waited < THREADS_END_WITHIN {
        thread::sleep(THREADS_LOOK_INTERVAL);
        waited += THREADS_LOOK_INTERVAL;
        left = of_servers();
    }
    let within = THREADS_END_WITHIN.as_secs();
    let tell = |line| format!("{}: {line} outlived the kill by {within} s", Habit::ThreadsLeft);
    crowd(&left).into_iter().map(tell).collect()
}

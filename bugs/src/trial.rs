//! Runs labs on one mutant, seed by seed, until it is killed or every seed has passed.

use std::io;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use ::tests::LABS;
use anyhow::{Result, bail};
use config::{Class, Failure};
use runner::{Clock, End, Job, Outcome, Supervisor, Test, TimeLimit};

use crate::column::{Column, Run, SuiteOnly};
use crate::compile::Program;

/// Tests in the order in which they are tried.
pub(crate) struct Suite {
    tests: Vec<&'static Test>,
    /// The number of parallel runs.
    jobs: usize,
    /// Whether the rules of Raft are checked.
    invariants: bool,
}

impl Suite {
    /// All labs. The tests in which the reference makes the fewest calls come first.
    ///
    /// The order is deterministic, so the same run kills a mutant each time.
    pub(crate) fn cheap_first(reference: &Program, jobs: usize) -> Result<Suite> {
        let in_order = Suite { tests: LABS.tests.iter().collect(), jobs, invariants: true };
        let mut costs = Vec::new();
        for (at, run) in in_order.run(reference, 1) {
            match (run.outcome.figures, run.outcome.verdict) {
                (Some(figures), Ok(())) => costs.push((figures.rpcs, at)),
                (_, Ok(())) => costs.push((u64::MAX, at)),
                (_, Err(failure)) => bail!("the reference fails {}: {failure}", run.test),
            }
        }
        costs.sort_unstable();
        let tests = costs.iter().map(|(_, at)| in_order.tests[*at]).collect();
        Ok(Suite { tests, ..in_order })
    }

    /// All but these tests.
    pub(crate) fn without(&self, names: &[String]) -> Suite {
        let tests = self.tests.iter().copied().filter(|test| !names.contains(&test.name()));
        Suite { tests: tests.collect(), ..*self }
    }

    /// Only the tests that the original has too, without checks of Raft's rules.
    pub(crate) fn suite_only(&self) -> Suite {
        let tests = self.tests.iter().copied().filter(|test| test.original.is_some());
        Suite { tests: tests.collect(), jobs: self.jobs, invariants: false }
    }

    /// Runs the whole suite with the seeds 1 to `seeds`, until one run kills.
    pub(crate) fn try_out(&self, program: &Program, seeds: u64) -> Column {
        let began = Instant::now();
        let mut column = Column::default();
        for seed in 1..=seeds {
            for (_, run) in self.run(program, seed) {
                column.note(&run);
            }
            column.seeds_run = seed;
            if column.killed_by.is_some() {
                break;
            }
        }
        Column { seconds: began.elapsed().as_secs(), ..column }
    }

    /// Runs the whole suite with the seeds 1 to `seeds`, until it passes with one of them.
    pub(crate) fn try_to_pass(&self, program: &Program, seeds: u64) -> SuiteOnly {
        let began = Instant::now();
        let mut tried = SuiteOnly::default();
        for seed in 1..=seeds {
            tried.seeds_run = seed;
            if self.run(program, seed).iter().all(|(_, run)| run.outcome.passed()) {
                tried.survived_seed = Some(seed);
                break;
            }
        }
        SuiteOnly { seconds: began.elapsed().as_secs(), ..tried }
    }

    /// Every test with this seed, in order, up to the first that kills.
    ///
    /// The runs of later tests are left out, because parallel jobs may have run them or not.
    fn run(&self, program: &Program, seed: u64) -> Vec<(usize, Run)> {
        let (next, killed_at) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let runs = Mutex::new(Vec::new());
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(test) = self.tests.get(at).copied() else { return };
                if at > killed_at.load(Ordering::Relaxed) {
                    return;
                }
                let outcome = run_once_or_twice(program, test, seed, self.invariants);
                let run = Run { test: test.name(), seed, outcome };
                if run.kills() {
                    killed_at.fetch_min(at, Ordering::Relaxed);
                }
                runs.lock().expect("no thread panics while it holds this").push((at, run));
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(work);
            }
        });
        let mut runs = runs.into_inner().expect("no thread panics while it holds this");
        runs.sort_by_key(|(at, _)| *at);
        runs.retain(|(at, _)| *at <= killed_at.load(Ordering::Relaxed));
        runs
    }
}

/// As in a grading, a run of processes is tried once more if the kit or the machine failed.
fn run_once_or_twice(
    program: &Program,
    test: &'static Test,
    seed: u64,
    invariants: bool,
) -> Outcome {
    let Program { path, arguments, is_graded } = program;
    let job = Job {
        program: path,
        arguments,
        test,
        seed,
        clock: Clock::default(),
        invariants,
        record: None,
        variation: None,
    };
    if !is_graded {
        return job.run();
    }
    let outcome = job.run_under(&KitAlone);
    match &outcome.verdict {
        Err(failure) if failure.class == Class::Infra => job.run_under(&KitAlone),
        _ => outcome,
    }
}

/// No code of the mutant is in the process of the run, so its end is never the mutant's fault.
struct KitAlone;

impl Supervisor for KitAlone {
    fn folder(&self) -> Option<&Path> {
        None
    }

    fn wait(&self, child: &mut Child) -> io::Result<End> {
        TimeLimit.wait(child)
    }

    fn without_outcome(&self, status: ExitStatus, _: &str, _: bool) -> Failure {
        Failure::new(
            Class::Infra,
            format!("the process of the run ended before the test ended: {status}"),
        )
    }
}

//! Runs every test with every seed, several at once.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use ::tests::{Clock, Job, Outcome, Test};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Plan;
use crate::remote::PEERS;

/// So many of the running tests are named beside the bar.
const NAMED_MAX: usize = 2;

/// One run of one test.
pub(crate) struct Run {
    pub(crate) test: &'static Test,
    pub(crate) seed: u64,
    pub(crate) outcome: Outcome,
    pub(crate) time: Duration,
}

/// The program that plays a run.
pub(crate) struct Runner {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Runner {
    /// For a submission that was compiled to `program`: to a run of its own, or to one peer.
    pub(crate) fn new(program: PathBuf, in_process: bool) -> io::Result<Runner> {
        if in_process {
            return Ok(Runner { program, arguments: Vec::new() });
        }
        let arguments = vec![PEERS.into(), program.into()];
        Ok(Runner { program: env::current_exe()?, arguments })
    }
}

/// All runs of the plan, in no particular order.
pub(crate) fn run(runner: &Runner, plan: &Plan) -> Vec<Run> {
    // Seed by seed, so that every test has been seen early.
    let wanted: Vec<(u64, &'static Test)> = plan
        .seeds
        .iter()
        .flat_map(|seed| plan.tests.iter().map(move |test| (*seed, *test)))
        .collect();
    let (next, progress) = (AtomicUsize::new(0), Progress::new(wanted.len()));
    let runs = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..plan.jobs.min(wanted.len()) {
            scope.spawn(|| {
                while let Some((seed, test)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    progress.begin(test, *seed);
                    let start = Instant::now();
                    let clock = Clock::default();
                    let Runner { program, arguments } = runner;
                    let outcome =
                        Job { program, arguments, test, seed: *seed, clock, invariants: true }
                            .run();
                    let run = Run { test, seed: *seed, outcome, time: start.elapsed() };
                    progress.end(&run);
                    runs.lock().expect("no thread panics while it holds this").push(run);
                }
            });
        }
    });
    progress.bar.finish_and_clear();
    runs.into_inner().expect("no thread panics while it holds this")
}

/// A bar with what runs and how many failures there were; nothing if stderr is no terminal.
struct Progress {
    bar: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Vec<(u64, String)>,
    failed: usize,
}

impl Progress {
    fn new(runs: usize) -> Progress {
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {wide_msg}");
        let bar = ProgressBar::new(runs as u64).with_style(style.expect("a valid template"));
        Progress { bar, state: Mutex::default() }
    }

    fn begin(&self, test: &Test, seed: u64) {
        let mut state = self.state.lock().expect("no thread panics while it holds this");
        state.running.push((seed, test.name()));
        self.bar.set_message(state.message());
    }

    fn end(&self, run: &Run) {
        let mut state = self.state.lock().expect("no thread panics while it holds this");
        let ended = (run.seed, run.test.name());
        state.running.retain(|running| *running != ended);
        state.failed += usize::from(!run.outcome.passed());
        self.bar.set_message(state.message());
        self.bar.inc(1);
    }
}

impl State {
    fn message(&self) -> String {
        let named = self.running.iter().take(NAMED_MAX);
        let mut names: Vec<String> =
            named.map(|(seed, name)| format!("{name} (seed {seed})")).collect();
        if self.running.len() > NAMED_MAX {
            names.push(format!("{} more", self.running.len() - NAMED_MAX));
        }
        format!("{} failed; running {}", self.failed, names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_what_runs_and_how_much_has_failed() {
        let running = (1..=4).map(|seed| (seed, "3A re-election".to_owned())).collect();
        let state = State { running, failed: 3 };
        assert_eq!(
            state.message(),
            "3 failed; running 3A re-election (seed 1), 3A re-election (seed 2), 2 more"
        );
    }
}

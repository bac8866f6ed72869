//! The child process: one test, one seed.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::{process, thread};

use config::{Class, Failure, Referee, TEST_LIMIT};
use raftapi::{PeerContext, RaftPeer};
use record::Recorder;
use sim::Decisions;
use verdict::label::{self, Label};
use verdict::panics;

use crate::arguments::JobArguments;
use crate::lab::Lab;
use crate::limits::GRACE;
use crate::outcome::Outcome;
use crate::recording;
use crate::settings::Clock;
use crate::test::Test;
use crate::virtual_time::{self, Drawing};

/// The exit code of a child process that failed to write its outcome. A panic, a signal or an
/// ordinary `exit` gives another code.
pub(crate) const UNWRITTEN: i32 = 174;

impl JobArguments {
    /// Ends this process when the process that waits for it ends, even by a signal. Without this, a
    /// run could go on for minutes without a parent. Linux only.
    ///
    /// To be called in the first thread, before anything else is started.
    pub fn end_with_parent(&self) {
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Signal, getppid, set_parent_process_death_signal};
            // If a filter of system calls forbids it, the only cost is that a lost run ends later.
            let _ = set_parent_process_death_signal(Some(Signal::KILL));
            let parent = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
            if parent != Some(self.parent) {
                // The parent ended before the call, so no signal will come.
                process::exit(UNWRITTEN);
            }
        }
    }

    /// Runs the test, writes the outcome to the file, and ends the process.
    ///
    /// The peers of `make` can report to the referee what the lab cannot see.
    pub fn run<M>(&self, make: impl FnOnce(&Referee) -> M) -> !
    where
        M: Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
    {
        self.end_with_parent();
        let referee = Referee::new();
        panics::report_to(referee.clone());
        let make = make(&referee);
        let recorder = self.record.is_some().then(Recorder::new);
        let lab = Lab::new(make, self.seed, referee).watched(self.invariants);
        let lab = lab.recorded(recorder.clone());
        let variation = self.variation.clone().unwrap_or_default();
        let (choices, drawing) = variation.choices().unwrap_or_else(|error| {
            eprintln!("failed to vary the run: {error}");
            process::exit(UNWRITTEN);
        });
        let lab = lab.choosing(choices.clone());
        let (outcome, decisions) = run_test(lab, self.test, self.clock, drawing);
        if let Err(error) = variation.write_listing(&choices, decisions) {
            eprintln!("failed to write the choices of the run: {error}");
        }
        if let (Some(recorder), Some(path)) = (recorder, &self.record)
            && let Err(error) = recording::write(self, recorder.take(), &outcome, path)
        {
            eprintln!("failed to write {}: {error}", path.display());
        }
        if let Err(error) = outcome.write(&self.file) {
            eprintln!("failed to write {}: {error}", self.file.display());
            process::exit(UNWRITTEN);
        }
        // Waits for no thread: threads of the implementation may hang.
        process::exit(0);
    }
}

/// Runs a test in this process, for measurements, with the rules of Raft checked or not.
///
/// Here a panic in a thread of a peer is not a failure, and all runs share statics.
pub fn run_here(
    make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
    test: &'static Test,
    seed: u64,
    clock: Clock,
    invariants: bool,
) -> Outcome {
    let lab = Lab::new(make, seed, Referee::new()).watched(invariants);
    run_test(lab, test, clock, Drawing::default()).0
}

/// The same run, recorded: also returns its events.
pub fn record_here(
    make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
    test: &'static Test,
    seed: u64,
    clock: Clock,
    invariants: bool,
) -> (Outcome, Vec<runfile::Event>) {
    let recorder = Recorder::new();
    let lab = Lab::new(make, seed, Referee::new()).watched(invariants);
    let lab = lab.recorded(Some(recorder.clone()));
    let outcome = run_test(lab, test, clock, Drawing::default()).0;
    (outcome, recorder.take().events)
}

/// Also returns what the schedule decided, if only some of its decisions are drawn.
fn run_test(lab: Lab, test: &'static Test, clock: Clock, drawing: Drawing) -> (Outcome, Decisions) {
    match clock {
        Clock::Real => (judge(lab, test), Decisions::default()),
        Clock::Virtual(engine) => {
            let options = drawing.options(lab.seed()).engine(engine);
            let referee = lab.referee().clone();
            virtual_time::run(options, &referee, move || judge_to_the_last_thread(lab, test))
        }
    }
}

/// Runs the test on another thread, so that this thread can stop waiting for it.
fn judge(lab: Lab, test: &'static Test) -> Outcome {
    let _label = label::enter(Label::Kit, "the runner");
    let referee = lab.referee().clone();
    let run = test.run;
    thread::Builder::new()
        .name("test".into())
        .spawn(move || {
            let _label = label::enter(Label::Kit, "the test");
            // After an unwind the referee already knows why: a check failed, or the panic hook
            // reported a panic.
            if panic::catch_unwind(AssertUnwindSafe(|| run(&lab))).is_ok() {
                lab.referee().pass();
            }
        })
        .expect("failed to start the thread of the test");

    let limit = TEST_LIMIT + GRACE;
    let verdict = referee.wait(limit).unwrap_or_else(|| {
        let sentence = format!("the test did not end within {} s", limit.as_secs());
        Err(Failure::new(Class::Timeout, sentence))
    });
    Outcome {
        verdict,
        figures: referee.figures(),
        findings: referee.findings(),
        simulation: None,
        output: String::new(),
    }
}

/// Also waits for the threads of killed servers. In virtual time this takes no real time.
fn judge_to_the_last_thread(lab: Lab, test: &'static Test) -> Outcome {
    let referee = lab.referee().clone();
    let mut outcome = judge(lab, test);
    if outcome.passed() {
        virtual_time::wait_for_the_last_thread(&referee);
        // A thread may have panicked while it ended.
        outcome.findings = referee.findings();
        outcome.verdict = referee.verdict().unwrap_or(outcome.verdict);
    }
    outcome
}

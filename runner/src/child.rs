//! The child process: one test, one seed.

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::{process, thread};

use config::{Class, Failure, Referee, TEST_LIMIT};
use raftapi::{PeerContext, RaftPeer};
use verdict::label::{self, Label};
use verdict::panics;

use crate::lab::Lab;
use crate::limits::GRACE;
use crate::outcome::Outcome;
use crate::settings::Clock;
use crate::test::Test;
use crate::virtual_time;

/// The first argument of a child process.
pub(crate) const RUN: &str = "--lab-run";
/// Whether the rules of Raft are watched: one word of the order.
pub(crate) const WATCHED: &str = "watched";
pub(crate) const UNWATCHED: &str = "unwatched";
/// The exit code of a child process that failed to leave its outcome: unlike any that a panic, a
/// signal or an ordinary `exit` gives.
pub(crate) const UNWRITTEN: i32 = 174;

/// What a child process is to do: `--lab-run TEST SEED CLOCK WATCHED PARENT FILE`.
pub struct Order {
    test: &'static Test,
    seed: u64,
    clock: Clock,
    invariants: bool,
    /// The number of the process that waits for this one.
    parent: u32,
    file: PathBuf,
}

impl Order {
    /// The order in the last words of a command line, as a [`Job`](crate::Job) puts them; none if
    /// they are no order for one of the tests.
    pub fn from_words(
        tests: &'static [Test],
        words: impl IntoIterator<Item = OsString>,
    ) -> Option<Order> {
        let mut words = words.into_iter();
        if words.next()? != RUN {
            return None;
        }
        let name = words.next()?.into_string().ok()?;
        let test = tests.iter().find(|test| test.name() == name)?;
        let seed = words.next()?.to_str()?.parse().ok()?;
        let clock = words.next()?.to_str()?.parse().ok()?;
        let invariants = words.next()? == WATCHED;
        let parent = words.next()?.to_str()?.parse().ok()?;
        Some(Order { test, seed, clock, invariants, parent, file: words.next()?.into() })
    }

    /// The test that is run.
    pub fn test(&self) -> &'static Test {
        self.test
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Has this process end with the one that waits for it, by whatever signal that ends: a run
    /// that nobody waits for could go on for minutes. Linux only.
    ///
    /// To be called in the first thread, before anything else is started.
    pub fn end_with_parent(&self) {
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Signal, getppid, set_parent_process_death_signal};
            // Where a filter forbids it, it only may take longer.
            let _ = set_parent_process_death_signal(Some(Signal::KILL));
            let parent = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
            if parent != Some(self.parent) {
                // It has ended meanwhile, and no signal will come.
                process::exit(UNWRITTEN);
            }
        }
    }

    /// Runs the test and leaves the outcome in the file. What `make` makes tells the referee what
    /// is wrong beyond what the lab can see.
    pub fn obey<M>(&self, make: impl FnOnce(&Referee) -> M) -> !
    where
        M: Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
    {
        self.end_with_parent();
        let referee = Referee::new();
        panics::report_to(referee.clone());
        let make = make(&referee);
        let lab = Lab::new(make, self.seed, referee).watched(self.invariants);
        let outcome = run(lab, self.test, self.clock);
        if let Err(error) = outcome.write(&self.file) {
            eprintln!("failed to write {}: {error}", self.file.display());
            process::exit(UNWRITTEN);
        }
        // At once: threads of the implementation may hang.
        process::exit(0);
    }
}

/// Runs a test in this process, for a look at what it costs, with the rules of Raft watched or not.
/// Panics in threads of the peers are no verdict here, and what one run leaves behind, such as a
/// static, the next one finds.
pub fn run_here(
    make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
    test: &'static Test,
    seed: u64,
    clock: Clock,
    invariants: bool,
) -> Outcome {
    run(Lab::new(make, seed, Referee::new()).watched(invariants), test, clock)
}

fn run(lab: Lab, test: &'static Test, clock: Clock) -> Outcome {
    match clock {
        Clock::Real => judge(lab, test),
        Clock::Virtual(engine) => {
            let (seed, referee) = (lab.seed(), lab.referee().clone());
            virtual_time::run(engine, seed, &referee, move || judge_to_the_last_thread(lab, test))
        }
    }
}

/// Runs the test on a thread of its own, so that this one can give it up.
fn judge(lab: Lab, test: &'static Test) -> Outcome {
    let _label = label::enter(Label::Kit, "the runner");
    let referee = lab.referee().clone();
    let run = test.run;
    thread::Builder::new()
        .name("test".into())
        .spawn(move || {
            let _label = label::enter(Label::Kit, "the test");
            // What unwinds is with the referee already: a failed check, or a panic by its hook.
            if panic::catch_unwind(AssertUnwindSafe(|| run(&lab))).is_ok() {
                lab.referee().pass();
            }
        })
        .expect("failed to start the thread of the test");

    let limit = TEST_LIMIT + GRACE;
    let verdict = referee.wait(limit).unwrap_or_else(|| {
        let sentence = format!("the test has not come to its end after {} s", limit.as_secs());
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

/// In virtual time it costs nothing to wait for the threads of the servers that were killed.
fn judge_to_the_last_thread(lab: Lab, test: &'static Test) -> Outcome {
    let referee = lab.referee().clone();
    let mut outcome = judge(lab, test);
    if outcome.passed() {
        virtual_time::wait_for_the_last_thread(&referee);
        // A thread may have panicked on its way out.
        outcome.findings = referee.findings();
        outcome.verdict = referee.verdict().unwrap_or(outcome.verdict);
    }
    outcome
}

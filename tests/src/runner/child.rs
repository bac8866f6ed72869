//! The child process: one test, one seed.

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{env, process, thread};

use config::label::{self, Label};
use config::{Class, Failure, PeerContext, RaftPeer, Referee, TEST_LIMIT, panics};

use crate::lab::Lab;
use crate::runner::outcome::Outcome;
use crate::runner::settings::Clock;
use crate::runner::virtual_time;
use crate::table::{LABS, Test};

/// The first argument of a child process.
pub(crate) const RUN: &str = "--lab-run";
/// Whether the rules of Raft are watched: one word of the order.
pub(crate) const WATCHED: &str = "watched";
pub(crate) const UNWATCHED: &str = "unwatched";
/// The exit code of a child process that failed to leave its outcome: unlike any that a panic, a
/// signal or an ordinary `exit` gives.
pub(crate) const UNWRITTEN: i32 = 174;
/// A test that hangs is given up so long after it should have failed by itself.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// What a child process is to do: `--lab-run TEST SEED CLOCK WATCHED FILE`.
pub(crate) struct Order {
    test: &'static Test,
    seed: u64,
    clock: Clock,
    invariants: bool,
    file: PathBuf,
}

impl Order {
    pub(crate) fn from_args() -> Option<Order> {
        let mut args = env::args_os().skip(1);
        if args.next()? != RUN {
            return None;
        }
        let name = args.next()?.into_string().ok()?;
        let test = LABS.iter().find(|test| test.name() == name)?;
        let seed = args.next()?.to_str()?.parse().ok()?;
        let clock = args.next()?.to_str()?.parse().ok()?;
        let invariants = args.next()? == WATCHED;
        Some(Order { test, seed, clock, invariants, file: args.next()?.into() })
    }
}

/// Runs the test and leaves the outcome in the file.
pub(crate) fn obey(
    make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
    order: &Order,
) -> ! {
    let referee = Referee::new();
    panics::report_to(referee.clone());
    let lab = Lab::new(make, order.seed, referee).watched(order.invariants);
    let outcome = run(lab, order.test, order.clock);
    if let Err(error) = outcome.write(&order.file) {
        eprintln!("failed to write {}: {error}", order.file.display());
        process::exit(UNWRITTEN);
    }
    // At once: threads of the implementation may hang.
    process::exit(0);
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
            let seed = lab.seed();
            virtual_time::run(engine, seed, move || judge_to_the_last_thread(lab, test))
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
        outcome.findings.extend(virtual_time::threads_left_behind());
        // A thread may have panicked on its way out.
        outcome.verdict = referee.verdict().unwrap_or(outcome.verdict);
    }
    outcome
}

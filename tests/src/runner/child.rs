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
use crate::table::{LABS, Test};

/// The first argument of a child process.
pub(crate) const RUN: &str = "--lab-run";
/// A test that hangs is given up so long after it should have failed by itself.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// What a child process is to do: `--lab-run TEST SEED FILE`.
pub(crate) struct Order {
    test: &'static Test,
    seed: u64,
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
        Some(Order { test, seed, file: args.next()?.into() })
    }
}

/// Runs the test and leaves the outcome in the file. The test has a thread of its own, so that this
/// one can give it up.
pub(crate) fn obey(
    make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
    order: &Order,
) -> ! {
    let referee = Referee::new();
    panics::report_to(referee.clone());
    let (lab, run) = (Lab::new(make, order.seed, referee.clone()), order.test.run);
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
    let outcome = Outcome {
        verdict,
        figures: referee.figures(),
        findings: referee.findings(),
        output: String::new(),
    };
    if let Err(error) = outcome.write(&order.file) {
        eprintln!("failed to write {}: {error}", order.file.display());
        process::exit(1);
    }
    // At once: threads of the implementation may hang.
    process::exit(0);
}

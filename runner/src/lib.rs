//! Runs tests over seeds, each run in a process of its own, and reports the outcomes.
//!
//! It works on any table of [tests](Test). [`main`] is the whole test program; a [`Job`] is one run
//! for programs that do more, such as the grader.
//!
//! A process per run means that a crash, a hang or a leak in one run costs no other its result.

mod test;
mod lab;
mod settings;
mod filter;
mod trial;
mod job;
mod child;
mod virtual_time;
mod limits;
mod outcome;
pub mod plain;
pub mod explore;

use std::sync::Arc;
use std::{env, process};

use libtest_mimic::Arguments;
use raftapi::{PeerContext, RaftPeer};

use settings::Settings;

pub use child::{Order, run_here};
pub use filter::{find, nearest};
pub use job::{End, Job, Supervisor, TimeLimit};
pub use lab::Lab;
pub use limits::RUN_LIMIT;
pub use outcome::{Outcome, Simulation};
pub use settings::{Clock, SEEDS_BY_DEFAULT};
pub use test::{Part, Test};

/// Runs the tests on an implementation: the whole `main` of a `harness = false` test target.
///
/// It understands the arguments of `cargo test` and of nextest. A filter may separate its words by
/// anything, so `"initial election"`, `initial_election` and `re-election` all work, and so does a
/// part such as `3A`. It does not return.
pub fn main(
    make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
    tests: &'static [Test],
) -> ! {
    if let Some(order) = Order::from_words(tests, env::args_os().skip(1)) {
        order.obey(|_| make);
    }
    let mut arguments = Arguments::from_args();
    let settings = Settings::from_env().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        process::exit(2);
    });
    let tests = filter::choose(tests, &arguments);
    // The tests are chosen already: the rest of the filter would remove some of them.
    arguments.filter = None;
    arguments.exact = false;
    let trials = tests.into_iter().map(|test| trial::trial(test, &settings)).collect();
    libtest_mimic::run(&arguments, trials).exit()
}

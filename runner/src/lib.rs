//! Runs tests over seeds, each run in a process of its own, and reports the outcomes.
//!
//! It works on any [suites](Suite) of tests. [`main_with`] is a whole test program. A [`Job`] is
//! one run, for programs that do more, such as the grader.
//!
//! Each run has a process of its own, so a crash, a hang or a leak in one run affects no other run.

mod test;
mod lab;
mod filter;
mod table;
mod settings;
mod plan;
mod target;
mod variation;
mod arguments;
mod trial;
mod job;
mod child;
mod virtual_time;
mod limits;
mod outcome;
mod recording;
mod picture;
pub mod shrink;
pub mod shorter;
pub mod by_plan;
pub mod decisive;
mod interrupt;
mod render;
pub mod plain;
pub mod explore;

use std::sync::Arc;
use std::{env, process};

use libtest_mimic::Arguments;
use raftapi::{PeerContext, RaftPeer};

use settings::Settings;

pub use arguments::JobArguments;
pub use child::{record_here, run_here};
pub use job::{End, Job, Supervise, Supervisor, TimeLimit};
pub use lab::Lab;
pub use limits::RUN_LIMIT;
pub use outcome::{Outcome, Simulation};
pub use plan::{PLAN_VERSION, Plan};
pub use render::{Heading, Style};
pub use settings::{Clock, SEEDS_BY_DEFAULT};
pub use table::{Suite, Table, TableError};
pub use target::Target;
pub use test::{Part, Test};
pub use variation::{Listing, Variation};

/// Runs suites of tests on an implementation: the whole `main` of a `harness = false` test target.
///
/// It understands the arguments of `cargo test` and of nextest. The words of a filter can be
/// separated by any character, so `"initial election"`, `initial_election` and `re-election` all
/// work, and so does a part such as `3A`. It does not return. If the suites do not fit together,
/// the program ends with an error and exit code 2.
pub fn main_with(
    make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
    suites: &[Suite],
) -> ! {
    let table = Table::new(suites).unwrap_or_else(|error| end_with(&error.to_string()));
    if let Some(job) = JobArguments::from_words(&table, env::args_os().skip(1)) {
        job.run(|_| make);
    }
    let mut arguments = Arguments::from_args();
    let settings = Settings::from_env().unwrap_or_else(|error| end_with(&error));
    let tests = filter::choose(table.tests(), &arguments);
    if let Some(planned) = settings.planned()
        && !arguments.list
        && let Some(other) = tests.iter().find(|test| test.name() != planned.test)
    {
        let (plan, other) = (&planned.test, other.name());
        end_with(&format!("LAB_PLAN is a plan of {plan:?}, and {other:?} would run too"));
    }
    // The tests are already chosen. The filter would remove some of them.
    arguments.filter = None;
    arguments.exact = false;
    let trials = tests.into_iter().map(|test| trial::trial(&table, test, &settings)).collect();
    libtest_mimic::run(&arguments, trials).exit()
}

/// Ends the program because of a mistake of the user.
fn end_with(error: &str) -> ! {
    eprintln!("error: {error}");
    process::exit(2);
}

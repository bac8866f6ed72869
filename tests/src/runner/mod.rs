//! The runner: from the command line of `cargo test` to verdicts.

mod settings;
mod filter;
mod trial;
mod job;
mod child;
mod virtual_time;
mod outcome;

use std::sync::Arc;
use std::{env, process};

use libtest_mimic::Arguments;
use raftapi::{PeerContext, RaftPeer};

use settings::Settings;

pub use child::{Order, run_here};
pub use filter::{find, nearest};
pub use job::{End, Job, RUN_LIMIT, Supervisor, TimeLimit};
pub use outcome::{Outcome, Simulation};
pub use settings::{Clock, SEEDS_BY_DEFAULT};

/// Puts an implementation through the labs: the whole `main` of a `harness = false` test target.
///
/// It understands the arguments of `cargo test` and of nextest. A filter may separate its words by
/// anything, so `"initial election"`, `initial_election` and `re-election` all work, and so does a
/// part such as `3A`. It does not return.
pub fn main(make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static) -> ! {
    if let Some(order) = Order::from_words(env::args_os().skip(1)) {
        order.obey(|_| make);
    }
    let mut arguments = Arguments::from_args();
    let settings = Settings::from_env().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        process::exit(2);
    });
    let tests = filter::choose(&arguments);
    // The choice is made: what is left of the filter would only get in the way of it.
    arguments.filter = None;
    arguments.exact = false;
    let trials = tests.into_iter().map(|test| trial::trial(test, &settings)).collect();
    libtest_mimic::run(&arguments, trials).exit()
}

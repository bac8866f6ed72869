//! One run, seen from outside: a machine thread carries the simulation, the caller watches it.

use crate::options::Options;
use crate::report::Report;
use crate::run::driver::Driver;
use crate::run::machine::Mode;
use crate::scheduler::schedule::policy;

pub(crate) mod driver;
pub(crate) mod machine;
pub(crate) mod process;
#[cfg(test)]
mod replay;

/// Runs `closure` and every thread that it starts in virtual time, and says what came of it.
///
/// The closure runs on a thread of its own, like any other of the simulation. The run ends when it
/// returns; threads that are then still alive get the chance to finish what they can do at that
/// instant, and are then left behind: counted in [`Report::threads`], never run again, their
/// memory never freed.
///
/// A process holds one simulation at a time: a second `run` waits for the first.
///
/// # Panics
/// If called inside a simulation, if the hooks are not in force in this executable, or if no
/// thread can be started.
///
/// ```
/// use std::time::{Duration, Instant};
/// let report = sim::run(sim::Options::new(), || {
///     let start = Instant::now();
///     std::thread::sleep(Duration::from_secs(3600 / 2));
///     assert!(start.elapsed() >= Duration::from_secs(1800));
/// });
/// assert_eq!(report.halt, sim::Halt::Finished);
/// ```
pub fn run(options: Options, closure: impl FnOnce() + Send + 'static) -> Report {
    let schedule = policy::schedule(&options);
    let mut driver = Driver::start(options, schedule, Mode::Whole, Box::new(closure));
    driver.advance(u64::MAX, 0);
    driver.finish()
}

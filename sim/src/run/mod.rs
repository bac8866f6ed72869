//! A run, seen from outside: a machine thread carries the simulation, and the caller watches it.

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

/// Runs `closure` and every thread that it starts in virtual time, and reports the result.
///
/// The closure runs on its own simulated thread. The run ends when it returns. Threads that are
/// still alive can then finish what they can do at that instant. The others are left behind:
/// [`Report::threads`] lists them, they never run again, and their memory is never freed.
///
/// A process has one simulation at a time: a second `run` waits until the first ends.
///
/// # Panics
/// If called inside a simulation, if this executable does not call the hooks, or if no thread can
/// be started.
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

//! Makes a failing run smaller: finds the choices that the failure needs.
//!
//! A run is deterministic and takes milliseconds, so leaving something out and running again shows
//! whether the failure needs it. What is left is a [`Plan`]: a few choices that a person can read.
//! The search is delta debugging (Zeller and Hildebrandt, 2002): first large blocks, then smaller
//! ones, until no single choice can be left out.

mod bounds;
mod passes;
mod size;
mod trials;

use std::time::{Duration, Instant};

use crate::job::{Job, Supervise};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::target::Target;

use trials::Trials;

pub use bounds::Bounds;
pub use size::Size;

/// The smallest run that was found.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The choices that it makes.
    pub plan: Plan,
    /// How it ended.
    pub outcome: Outcome,
    /// The size of the whole run.
    pub before: Size,
    /// The size of this run.
    pub after: Size,
    /// The number of runs that were made.
    pub runs: usize,
    /// How long the search took.
    pub time: Duration,
    /// The CPU time of the simulations.
    pub cpu: Duration,
    /// Whether no single choice can be left out; false if the search was stopped before.
    pub is_minimal: bool,
}

/// Makes a failing run smaller. `outcome` is the outcome of the whole run, and `supervise` makes
/// the supervisor of each run.
///
/// # Errors
/// One sentence, if the run cannot be repeated from the list of its choices.
pub fn shrink(
    job: &Job<'_>,
    supervise: &dyn Supervise,
    outcome: &Outcome,
    bounds: &Bounds<'_>,
) -> Result<Shrunk, String> {
    let begin = Instant::now();
    let failure = outcome.verdict.as_ref().err().ok_or("the run passed")?;
    let target = Target::of(failure);
    let mut trials = Trials::new(job, supervise, &target, bounds)?;
    let before = trials.size();
    let is_minimal = passes::reduce(&mut trials);
    let (plan, outcome, after) = trials.best();
    let (runs, cpu, time) = (trials.runs(), trials.cpu(), begin.elapsed());
    Ok(Shrunk { plan, outcome, before, after, runs, time, cpu, is_minimal })
}

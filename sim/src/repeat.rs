//! The determinism check: runs of one seed must all take the same steps.
//!
//! If two runs differ, something nondeterministic entered: a clock read by an instruction, a
//! decision that depends on an address, a static that an earlier run changed. The first step that
//! differs shows where to look.

use std::fmt;

use crate::options::Options;
use crate::report::Report;
use crate::trace::Step;

/// Two runs of one seed that differ.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// The number of the run that differs from the first run. The first run has number 1.
    pub run: u32,
    /// The trace hashes of the first run and of this one.
    pub hashes: (u64, u64),
    /// The first step that differs. `None` if no two recorded runs differed.
    pub first: Option<Difference>,
    /// The reports of the first recorded run and of the one that differs.
    pub reports: Box<(Report, Report)>,
}

/// Where two traces differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The step of the first run. `None` if that run ended before.
    pub left: Option<Step>,
    /// The step of the second run. `None` if that run ended before.
    pub right: Option<Step>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right) = self.hashes;
        write!(f, "run {} of one seed differs: {left:016x} | {right:016x}", self.run)?;
        match &self.first {
            Some(first) => write!(f, "; first at {first}"),
            None => f.write_str("; recorded runs did not differ"),
        }
    }
}

impl std::error::Error for Divergence {}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |step: Option<Step>| step.map_or("the end".to_owned(), |step| step.to_string());
        write!(f, "{} | {}", side(self.left), side(self.right))
    }
}

/// Runs `work` `runs` times with the same options and compares the trace hashes. Returns the report
/// of the first run. If a hash differs, it records up to 20 more runs step by step, until one
/// differs.
///
/// # Errors
/// The first run that differs.
///
/// ```
/// let report = sim::repeat(&sim::Options::new().seed(3), 10, || {
///     std::thread::spawn(|| ()).join().unwrap();
/// });
/// assert!(report.unwrap().finished());
/// ```
pub fn repeat(
    options: &Options,
    runs: u32,
    work: impl Fn() + Clone + Send + 'static,
) -> Result<Report, Divergence> {
    let first = crate::run(options.clone(), work.clone());
    for run in 2..=runs {
        let report = crate::run(options.clone(), work.clone());
        if report.trace_hash != first.trace_hash {
            return Err(locate(options, run, (first, report), &work));
        }
    }
    Ok(first)
}

fn locate(
    options: &Options,
    run: u32,
    reports: (Report, Report),
    work: &(impl Fn() + Clone + Send + 'static),
) -> Divergence {
    let hashes = (reports.0.trace_hash, reports.1.trace_hash);
    let options = options.clone().trace(true);
    let recorded = crate::run(options.clone(), work.clone());
    for _ in 0..20 {
        let again = crate::run(options.clone(), work.clone());
        if let Some(first) = first_difference(&recorded, &again) {
            let reports = Box::new((recorded, again));
            return Divergence { run, hashes, first: Some(first), reports };
        }
    }
    Divergence { run, hashes, first: None, reports: Box::new(reports) }
}

/// The first step in which two recorded runs differ, if any.
#[must_use]
pub fn first_difference(left: &Report, right: &Report) -> Option<Difference> {
    let longest = left.trace.len().max(right.trace.len());
    (0..longest)
        .map(|i| Difference {
            left: left.trace.get(i).copied(),
            right: right.trace.get(i).copied(),
        })
        .find(|pair| pair.left != pair.right)
}

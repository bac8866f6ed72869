//! Runs with some choices left out, and the smallest that still fails.

use std::num::NonZero;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::job::{Job, Supervise};
use crate::outcome::Outcome;
use crate::plan::{PLAN_VERSION, Plan};
use crate::target::Target;
use crate::variation::{Listing, Variation, every_decision};

use super::bounds::Bounds;
use super::size::Size;

/// The smallest run so far that fails as the whole run does, and how others are tried.
pub(super) struct Trials<'a> {
    runs: Runs<'a>,
    best: Attempt,
}

/// The runs of one search.
struct Runs<'a> {
    job: &'a Job<'a>,
    supervise: &'a dyn Supervise,
    target: &'a Target,
    bounds: &'a Bounds<'a>,
    begin: Instant,
    folder: TempDir,
    made: AtomicUsize,
    /// The CPU time of the simulations, in us.
    cpu_us: AtomicU64,
}

/// A run that fails as the whole run does.
#[derive(Debug, Clone)]
struct Attempt {
    plan: Plan,
    outcome: Outcome,
    size: Size,
}

impl<'a> Trials<'a> {
    /// Begins with the whole run, repeated from the list of its choices.
    pub(super) fn new(
        job: &'a Job<'a>,
        supervise: &'a dyn Supervise,
        target: &'a Target,
        bounds: &'a Bounds<'a>,
    ) -> Result<Trials<'a>, String> {
        let folder = tempfile::tempdir()
            .map_err(|error| format!("failed to make a folder for the runs: {error}"))?;
        let made = AtomicUsize::new(0);
        let cpu_us = AtomicU64::new(0);
        let begin = Instant::now();
        let runs = Runs { job, supervise, target, bounds, begin, folder, made, cpu_us };
        // The first run lists its choices, the second makes exactly those.
        let stopped = || bounds.stop.load(Ordering::Relaxed);
        let listed = runs.whole().ok_or_else(|| match stopped() {
            true => "the search was stopped at once",
            false => "the run did not fail the same way again",
        })?;
        let hash = |outcome: &Outcome| outcome.simulation.map(|simulation| simulation.trace_hash);
        let best = runs
            .attempt(&listed.plan)
            .filter(|repeated| hash(&repeated.outcome) == hash(&listed.outcome))
            .ok_or_else(|| match stopped() {
                true => "the search was stopped at once",
                false => "the run cannot be repeated from the list of its choices",
            })?;
        // Only now, so that a short time also gives something.
        let runs = Runs { begin: Instant::now(), ..runs };
        Ok(Trials { runs, best })
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.best.plan
    }

    pub(super) fn size(&self) -> Size {
        self.best.size
    }

    pub(super) fn best(&self) -> (Plan, Outcome, Size) {
        let Attempt { plan, outcome, size } = self.best.clone();
        (plan, outcome, size)
    }

    pub(super) fn runs(&self) -> usize {
        self.runs.made.load(Ordering::Relaxed)
    }

    pub(super) fn cpu(&self) -> Duration {
        Duration::from_micros(self.runs.cpu_us.load(Ordering::Relaxed))
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.runs.is_stopped()
    }

    /// Takes the first plan that still fails as the smallest so far, and returns its place. The
    /// plans are tried side by side, but a plan counts only if all before it do not fail: so the
    /// result does not depend on the number of processors.
    pub(super) fn take_first(&mut self, plans: &[Plan]) -> Option<usize> {
        let next = AtomicUsize::new(0);
        let first = AtomicUsize::new(usize::MAX);
        let found = Mutex::new(Vec::new());
        let runs = &self.runs;
        let size = self.best.size;
        let work = || {
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let is_needed = place < first.load(Ordering::Relaxed);
                let Some(plan) = plans.get(place).filter(|_| is_needed) else { break };
                if runs.is_stopped() {
                    break;
                }
                if let Some(attempt) = runs.attempt(plan) {
                    first.fetch_min(place, Ordering::Relaxed);
                    found.lock().expect("no trial panics").push((place, attempt));
                }
                (runs.bounds.progress)(runs.made.load(Ordering::Relaxed), size);
            }
        };
        let workers = thread::available_parallelism().map_or(1, NonZero::get).min(plans.len());
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
        let found = found.into_inner().expect("no trial panics");
        let (place, attempt) = found.into_iter().min_by_key(|(place, _)| *place)?;
        self.best = attempt;
        Some(place)
    }
}

impl Runs<'_> {
    fn is_stopped(&self) -> bool {
        self.bounds.stop.load(Ordering::Relaxed) || self.begin.elapsed() >= self.bounds.time
    }

    /// The whole run, with a list of its choices.
    fn whole(&self) -> Option<Attempt> {
        let plan = Plan {
            plan: PLAN_VERSION,
            test: self.job.test.name(),
            seed: self.job.seed,
            code_seed: self.job.seed,
            fails: self.target.clone(),
            decisions: every_decision(),
            choices: Vec::new(),
        };
        self.run(&plan, None)
    }

    /// A run by a plan. None if it does not fail the same way.
    fn attempt(&self, plan: &Plan) -> Option<Attempt> {
        let folder = tempfile::tempdir_in(self.folder.path()).ok()?;
        let file = folder.path().join("plan");
        plan.write(&file).ok()?;
        self.run(plan, Some(file))
    }

    fn run(&self, plan: &Plan, file: Option<PathBuf>) -> Option<Attempt> {
        self.made.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::tempdir_in(self.folder.path()).ok()?;
        let listing = folder.path().join("listing");
        let variation =
            Variation { plan: file, listing: Some(listing.clone()), ..Variation::default() };
        let job = Job { variation: Some(&variation), record: None, ..*self.job };
        let outcome = job.run_under(&*self.supervise.supervisor());
        let cpu = outcome.simulation.map_or(Duration::ZERO, |simulation| simulation.cpu);
        self.cpu_us.fetch_add(cpu.as_micros() as u64, Ordering::Relaxed);
        let failure = outcome.verdict.as_ref().err()?;
        if !self.target.is_shown_by(failure) {
            return None;
        }
        let listing = Listing::read(&listing).ok()?;
        let size = Size::of(&listing.choices, listing.switches);
        // What comes after the failure is in no list, and so is left out.
        let made = |range: &Range<u64>| range.start..range.end.min(listing.decisions);
        let decisions = plan.decisions.iter().map(made).filter(|range| range.start < range.end);
        let decisions = decisions.collect();
        let plan = Plan { decisions, choices: listing.choices, ..plan.clone() };
        Some(Attempt { plan, outcome, size })
    }
}

//! Grades many submissions: the next is built while the runs of others go on.
//!
//! A submission that cannot be graded does not stop the others. Memory is bounded: at any time one
//! submission is built, one waits, and the runs belong to one or two.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Context, Result};
use runner::Test;
use sandbox::Sandbox;

use crate::build::compile::Builder;
use crate::intake::source_tree::Ignored;
use crate::intake::submission::Submission;
use crate::kit::{self, Kit};
use crate::plan::Plan;
use crate::report::graded::Attempt;
use crate::report::inspected;
use crate::report::progress::Progress;
use crate::report::reporter::Conditions;
use crate::report::score::{Account, Score};
use crate::run::finished::{Run, Verdict};
use crate::run::runner::{Files, Runner};

const UNPOISONED: &str = "no thread panics while it holds this";

/// A submission that was built, and its runs so far.
struct Built {
    at: usize,
    id: String,
    ignored: Vec<Ignored>,
    runner: Runner,
    /// The next of its runs to begin.
    next: AtomicUsize,
    made: Mutex<Made>,
    /// For each test, whether a run has failed.
    failed: Vec<AtomicBool>,
}

/// The runs of a submission that were made or skipped.
struct Made {
    /// By seed and test.
    runs: BTreeMap<(u64, usize), Run>,
    /// The number of the plan's runs that were made or skipped.
    settled: usize,
    /// For each test the lowest seed after which no other is run.
    stopped_at: Vec<Option<u64>>,
    /// The sum of the plan's first runs, up to the first that was neither made nor skipped.
    account: Account,
    /// The number of runs in that sum.
    entered: usize,
}

/// The data that all threads of a grading share.
struct Batch<'a> {
    plan: &'a Plan,
    sandbox: Option<&'a Sandbox>,
    names: &'a [String],
    files: Files<'a>,
    progress: &'a Progress,
    /// All runs of a submission, seed by seed, so that every test runs early.
    wanted: Vec<(u64, usize)>,
}

/// The submissions that still have runs to make.
struct Source {
    current: Option<Arc<Built>>,
    following: Receiver<Built>,
}

type Finished = (usize, Attempt);

/// Grades all submissions of the plan and passes each to `report`, in the order of the plan.
pub(crate) fn grade(
    conditions: Conditions<'_>,
    names: &[String],
    files: Files<'_>,
    progress: &Progress,
    mut report: impl FnMut(usize, Attempt),
) -> Result<()> {
    let Conditions { kit, sandbox, plan } = conditions;
    let builder = Builder::new(kit, plan.isolation, sandbox, plan.budget)?;
    let wanted = plan.seeds.iter().flat_map(|seed| (0..plan.tests.len()).map(|at| (*seed, at)));
    let batch = Batch { plan, sandbox, names, files, progress, wanted: wanted.collect() };
    let (ready, following) = sync_channel(1);
    let source = Mutex::new(Source { current: None, following });
    let (done, finished) = channel::<Finished>();
    thread::scope(|scope| {
        let (batch, source) = (&batch, &source);
        for _ in 0..plan.jobs {
            let done = done.clone();
            scope.spawn(move || batch.run_all(source, &done));
        }
        scope.spawn(move || {
            for (at, path) in plan.paths.iter().enumerate() {
                match batch.build(kit, &builder, at, path) {
                    Ok(built) => ready.send(built).expect("a runner waits for it"),
                    Err(attempt) => {
                        batch.progress.skip(batch.wanted.len());
                        done.send((at, attempt)).expect("the caller waits for it");
                    }
                }
            }
        });
        // Submissions wait here for an earlier one that is not finished. They are few.
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (at, attempt) in finished {
            waiting.insert(at, attempt);
            while let Some(attempt) = waiting.remove(&next) {
                report(next, attempt);
                next += 1;
            }
        }
    });
    Ok(())
}

impl Batch<'_> {
    fn build(
        &self,
        kit: &Kit,
        builder: &Builder,
        at: usize,
        path: &Path,
    ) -> Result<Built, Attempt> {
        let name = &self.names[at];
        let submission = Submission::read(name, path, kit).map_err(|error| Attempt {
            id: None,
            ignored: Vec::new(),
            scores: Err(error),
        })?;
        self.progress.build(Some(name));
        let runner = self.runner(builder, &submission);
        self.progress.build(None);
        let (id, ignored) = (submission.id(kit, self.plan.isolation), submission.ignored);
        match runner.and_then(|runner| self.inspect_first(name, &id, runner)) {
            Err(error) => Err(Attempt { id: Some(id), ignored, scores: Err(error) }),
            Ok(runner) => Ok(Built {
                at,
                id,
                ignored,
                runner,
                next: AtomicUsize::new(0),
                made: Mutex::new(Made::new(self.plan)),
                failed: self.plan.tests.iter().map(|_| AtomicBool::default()).collect(),
            }),
        }
    }

    fn runner(&self, builder: &Builder, submission: &Submission) -> Result<Runner> {
        let program = builder.program(submission)?;
        Runner::new(program, self.sandbox, &self.plan.salt).context("failed to find this program")
    }

    /// With `--require-inspect`, one run finds most submissions whose servers do not show their
    /// state, before all others are made.
    fn inspect_first(&self, name: &str, id: &str, runner: Runner) -> Result<Runner> {
        if self.plan.require_inspect {
            let (seed, test) = self.wanted[0];
            let (test, id) = (self.plan.tests[test], self.id_of_runs(id));
            let run = runner.run_or_load(self.files, &id, test, seed);
            inspected::judge(self.plan, name, &[run])?;
        }
        Ok(runner)
    }

    fn run_all(&self, source: &Mutex<Source>, done: &Sender<Finished>) {
        while let Some((built, seed, test)) = self.next_run(source) {
            let is_worth_it = built.made.lock().expect(UNPOISONED).is_worth_it(seed, test);
            let run = is_worth_it.then(|| self.run(&built, seed, test));
            if run.is_none() {
                self.progress.skip(1);
            }
            let mut made = built.made.lock().expect(UNPOISONED);
            made.settle(&self.wanted, seed, test, run);
            if made.settled == self.wanted.len() {
                let runs = std::mem::take(&mut made.runs);
                let Plan { tests, seeds, submission_budget, .. } = self.plan;
                let inspected = inspected::judge(self.plan, &self.names[built.at], runs.values());
                let attempt = Attempt {
                    id: Some(built.id.clone()),
                    ignored: built.ignored.clone(),
                    scores: inspected
                        .map(|()| Score::of_each(tests, seeds, *submission_budget, runs)),
                };
                done.send((built.at, attempt)).expect("the caller waits for it");
            }
        }
    }

    /// The id under which runs are stored. It depends on the salt, because the runs do.
    fn id_of_runs(&self, id: &str) -> String {
        match &*self.plan.salt {
            "" => id.to_owned(),
            salt => kit::hash([id.as_bytes(), salt.as_bytes()]),
        }
    }

    fn run(&self, built: &Built, seed: u64, test: usize) -> Run {
        let name = &self.names[built.at];
        let tested: &'static Test = self.plan.tests[test];
        self.progress.begin(name, tested, seed);
        let id = self.id_of_runs(&built.id);
        let run = built.runner.run_or_load(self.files, &id, tested, seed);
        let is_failure = run.verdict() != Verdict::Passed;
        let is_first = is_failure && !built.failed[test].swap(true, Ordering::Relaxed);
        self.progress.end(name, &run, is_first);
        run
    }

    /// Waits for the next submission when all runs of the others have begun.
    fn next_run(&self, source: &Mutex<Source>) -> Option<(Arc<Built>, u64, usize)> {
        let mut source = source.lock().expect(UNPOISONED);
        loop {
            if let Some(built) = &source.current {
                let next = built.next.fetch_add(1, Ordering::Relaxed);
                if let Some((seed, test)) = self.wanted.get(next) {
                    return Some((Arc::clone(built), *seed, *test));
                }
            }
            source.current = Some(Arc::new(source.following.recv().ok()?));
        }
    }
}

impl Made {
    fn new(plan: &Plan) -> Made {
        let tests = plan.tests.len();
        Made {
            runs: BTreeMap::new(),
            settled: 0,
            stopped_at: vec![None; tests],
            account: Account::new(tests, plan.submission_budget),
            entered: 0,
        }
    }

    /// Whether a run could count. Some runs are made that do not count in the end, because an
    /// earlier one was not known yet.
    fn is_worth_it(&self, seed: u64, test: usize) -> bool {
        self.stopped_at[test].is_none_or(|stopped_at| seed < stopped_at)
            && self.account.refuses(test).is_none()
    }

    /// Records a run that was made or skipped.
    fn settle(&mut self, wanted: &[(u64, usize)], seed: u64, test: usize, run: Option<Run>) {
        self.settled += 1;
        let Some(run) = run else { return };
        if run.stops_its_test() {
            let first = self.stopped_at[test].map_or(seed, |stopped_at| stopped_at.min(seed));
            self.stopped_at[test] = Some(first);
        }
        self.runs.insert((seed, test), run);
        while let Some(&(seed, test)) = wanted.get(self.entered) {
            if self.account.refuses(test).is_none() {
                let Some(run) = self.runs.get(&(seed, test)) else { break };
                self.account.enter(test, run);
            }
            self.entered += 1;
        }
    }
}

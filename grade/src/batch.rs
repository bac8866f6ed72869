//! Grades many submissions: the next is built while the runs of others go on.
//!
//! One that cannot be graded never keeps the others from it. What is held at once is bounded: one
//! submission is built, one waits, and the runs are those of one or two.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use ::tests::Test;
use anyhow::Result;
use sandbox::Sandbox;

use crate::args::Plan;
use crate::build::compile::Builder;
use crate::intake::source_tree::{LeftOut, Submission};
use crate::kit::{self, Kit};
use crate::report::inspected;
use crate::report::progress::Progress;
use crate::report::score::{Account, Score, Verdict};
use crate::run::finished::{Files, Run};
use crate::run::runner::Runner;

const UNPOISONED: &str = "no thread panics while it holds this";

/// What has become of a submission.
pub(crate) struct Attempt {
    /// What it was compiled from and with; none if it could not be taken.
    pub(crate) id: Option<String>,
    /// What it has beyond its sources.
    pub(crate) left_out: Vec<LeftOut>,
    /// An error if it could not be graded.
    pub(crate) scores: Result<Vec<Score>>,
}

/// A submission that was built, and what has become of its runs so far.
struct Built {
    at: usize,
    id: String,
    left_out: Vec<LeftOut>,
    runner: Runner,
    /// The next of its runs to begin.
    next: AtomicUsize,
    made: Mutex<Made>,
    /// For each test, whether a run has failed.
    failed: Vec<AtomicBool>,
}

/// The runs of a submission that were made, and those that will not be.
struct Made {
    /// By seed and test.
    runs: BTreeMap<(u64, usize), Run>,
    /// So many of the plan's runs were made or passed over.
    settled: usize,
    /// Of each test the lowest seed that makes those behind it not worth their time.
    stopped_at: Vec<Option<u64>>,
    /// What the first runs of the plan came to, up to one that was neither made nor passed over.
    account: Account,
    /// So many are those.
    entered: usize,
}

/// What all threads of a grading share.
struct Batch<'a> {
    plan: &'a Plan,
    names: &'a [String],
    files: Files<'a>,
    progress: &'a Progress,
    /// Seed by seed, so that every test has been seen early.
    wanted: Vec<(u64, usize)>,
}

/// Where the runs come from: a submission that has some left, and those that follow.
struct Source {
    current: Option<Arc<Built>>,
    following: Receiver<Built>,
}

type Finished = (usize, Attempt);

/// Grades all of the plan's submissions and hands each to `tell`, in the order of the plan.
pub(crate) fn grade(
    kit: &Kit,
    sandbox: Option<&Sandbox>,
    plan: &Plan,
    names: &[String],
    files: Files<'_>,
    progress: &Progress,
    mut tell: impl FnMut(usize, Attempt),
) -> Result<()> {
    let builder = Builder::new(kit, plan.peers, sandbox, plan.budget, &plan.salt)?;
    let wanted = plan.seeds.iter().flat_map(|seed| (0..plan.tests.len()).map(|at| (*seed, at)));
    let batch = Batch { plan, names, files, progress, wanted: wanted.collect() };
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
        // Those behind one that is not finished wait here; they are few.
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (at, attempt) in finished {
            waiting.insert(at, attempt);
            while let Some(attempt) = waiting.remove(&next) {
                tell(next, attempt);
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
        let submission = Submission::take(name, path, kit).map_err(|error| Attempt {
            id: None,
            left_out: Vec::new(),
            scores: Err(error),
        })?;
        self.progress.build(Some(name));
        let runner = builder.runner(&submission);
        self.progress.build(None);
        let (id, left_out) = (submission.id(kit, self.plan.peers), submission.left_out);
        match runner.and_then(|runner| self.inspect_first(name, &id, runner)) {
            Err(error) => Err(Attempt { id: Some(id), left_out, scores: Err(error) }),
            Ok(runner) => Ok(Built {
                at,
                id,
                left_out,
                runner,
                next: AtomicUsize::new(0),
                made: Mutex::new(Made::new(self.plan)),
                failed: self.plan.tests.iter().map(|_| AtomicBool::default()).collect(),
            }),
        }
    }

    /// Where servers have to show their state, one run tells of most that do not, before all
    /// others are made.
    fn inspect_first(&self, name: &str, id: &str, runner: Runner) -> Result<Runner> {
        if self.plan.require_inspect {
            let (seed, test) = self.wanted[0];
            let (test, id) = (self.plan.tests[test], self.id_of_runs(id));
            let run = Run::stored(self.files, &id, &runner, test, seed);
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
                    left_out: built.left_out.clone(),
                    scores: inspected
                        .map(|()| Score::of_each(tests, seeds, *submission_budget, runs)),
                };
                done.send((built.at, attempt)).expect("the caller waits for it");
            }
        }
    }

    /// Under which runs are kept: with another salt they are others.
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
        let run = Run::stored(self.files, &id, &built.runner, tested, seed);
        let is_failure = run.verdict() != Verdict::Passed;
        let is_first = is_failure && !built.failed[test].swap(true, Ordering::Relaxed);
        self.progress.end(name, &run, is_first);
        run
    }

    /// Waits for the next submission where the runs of all others have begun.
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

    /// Whether a run could count. What does not may be made all the same, where another is not
    /// known yet that comes before it.
    fn is_worth_it(&self, seed: u64, test: usize) -> bool {
        self.stopped_at[test].is_none_or(|stopped_at| seed < stopped_at)
            && self.account.refuses(test).is_none()
    }

    /// A run was made, or passed over.
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

/// The end of each path, as long as it takes to tell it from the others.
pub(crate) fn names(paths: &[PathBuf]) -> Vec<String> {
    let parts: Vec<Vec<String>> = paths.iter().map(|path| parts(path)).collect();
    let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
    let end =
        |parts: &Vec<String>, length: usize| parts[parts.len().saturating_sub(length)..].join("/");
    let mut names: Vec<String> = Vec::new();
    for own in &parts {
        let is_own = |length: &usize| {
            let same = parts.iter().filter(|other| end(other, *length) == end(own, *length));
            same.count() == 1
        };
        let length = (1..=longest).find(is_own).unwrap_or(1);
        names.push(end(own, length));
    }
    // The same path several times, or a folder beside an archive of its name.
    let mut known = BTreeSet::new();
    for name in &mut names {
        let base = name.clone();
        let mut count = 1;
        while !known.insert(name.clone()) {
            count += 1;
            *name = format!("{base} ({count})");
        }
    }
    names
}

fn parts(path: &Path) -> Vec<String> {
    // Where it really is, so that `.` has a name.
    let whole = path.canonicalize().or_else(|_| std::path::absolute(path));
    let whole = whole.unwrap_or_else(|_| path.into());
    let mut parts: Vec<String> = whole
        .components()
        .filter(|part| matches!(part, std::path::Component::Normal(_)))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if let Some(last) = parts.last_mut().filter(|_| !whole.is_dir()) {
        let end = [".tar.gz", ".tgz", ".tar", ".zip"].into_iter().find(|end| last.ends_with(end));
        last.truncate(last.len() - end.map_or(0, str::len));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paths: &[&str], expected: &[&str]) {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        assert_eq!(names(&paths), expected);
    }

    #[test]
    fn names_are_the_shortest_ends_of_paths_that_differ() {
        check(&["/x/ada", "/x/bob.tar.gz"], &["ada", "bob"]);
        check(&["/x/ada/raft", "/x/bob/raft", "/x/eve"], &["ada/raft", "bob/raft", "eve"]);
        check(&["/x/ada", "/x/ada", "/x/ada.zip"], &["ada", "ada (2)", "ada (3)"]);
    }
}

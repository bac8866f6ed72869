//! Makes runs of a submission: starts the process that runs one test with one seed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, io};

use config::{Class, Failure};
use runner::{Clock, Job, Supervise, Supervisor, Test, Variation, plain};
use sandbox::Sandbox;

use crate::bounds::OUTPUT_BYTES_MAX;
use crate::build::programs::Program;
use crate::isolation::Isolation;
use crate::run::finished::{Run, Verdict};
use crate::run::remote;
use crate::run::store::Store;
use crate::run::supervisor::Watch;

/// The program that makes a run.
pub(crate) struct Runner {
    program: PathBuf,
    arguments: Vec<OsString>,
    isolation: Isolation,
    /// Keeps the submission's program in the cache. It is `program`, or one of the arguments.
    _compiled: Program,
}

/// Where the files of runs are.
#[derive(Clone, Copy)]
pub(crate) struct Files<'a> {
    /// Finished runs, if they are kept.
    pub(crate) store: Option<&'a Store>,
    /// Runs that have not ended.
    pub(crate) scratch: &'a Path,
}

impl Runner {
    /// With a sandbox, `compiled` hosts one server and is run by this program. Without one it makes
    /// the whole run.
    pub(crate) fn new(
        compiled: Program,
        sandbox: Option<&Sandbox>,
        salt: &str,
    ) -> io::Result<Runner> {
        let (program, arguments) = match sandbox {
            None => (compiled.path.clone(), Vec::new()),
            Some(sandbox) => {
                (env::current_exe()?, remote::arguments(sandbox, &compiled.path, salt)?)
            }
        };
        let isolation = if sandbox.is_some() { Isolation::Process } else { Isolation::Thread };
        Ok(Runner { program, arguments, isolation, _compiled: compiled })
    }

    /// Takes the run from the store if it is there; otherwise makes it and stores it.
    pub(crate) fn run_or_load(
        &self,
        files: Files<'_>,
        id: &str,
        test: &'static Test,
        seed: u64,
    ) -> Run {
        let Files { store, scratch } = files;
        if let Some(run) = store.and_then(|store| store.load(id, test, seed)) {
            return run;
        }
        let run = self.run(scratch, test, seed);
        if let Some(store) = store {
            store.save(id, &run);
        }
        run
    }

    /// Makes the run. After a fault of the kit it is tried once more, because the machine may have
    /// caused it.
    pub(crate) fn run(&self, scratch: &Path, test: &'static Test, seed: u64) -> Run {
        let run = self.run_once(scratch, test, seed);
        match run.verdict() {
            Verdict::Infra => self.run_once(scratch, test, seed),
            Verdict::Passed | Verdict::Failed => run,
        }
    }

    /// Makes a run once more, recorded, and writes the run file and the timeline next to it.
    pub(crate) fn record(
        &self,
        scratch: &Path,
        run: &Run,
        variation: Option<&Variation>,
        file: &Path,
        replay: &str,
    ) -> Result<(), String> {
        let watch = Watch::new(scratch, self.isolation);
        let job = Job { variation, ..self.job(run.test, run.seed) };
        job.record_again(&watch, &run.outcome, file, replay)
    }

    /// Lets `use_job` make other runs of this submission, which differ a little from `run`.
    pub(crate) fn vary<R>(
        &self,
        scratch: &Path,
        run: &Run,
        use_job: impl FnOnce(&Job<'_>, &dyn Supervise) -> R,
    ) -> R {
        let watches = Watches { scratch, isolation: self.isolation };
        use_job(&self.job(run.test, run.seed), &watches)
    }

    fn job(&self, test: &'static Test, seed: u64) -> Job<'_> {
        let Runner { program, arguments, .. } = self;
        let clock = Clock::default();
        Job {
            program,
            arguments,
            test,
            seed,
            clock,
            invariants: true,
            record: None,
            variation: None,
        }
    }

    fn run_once(&self, scratch: &Path, test: &'static Test, seed: u64) -> Run {
        self.run_by(scratch, test, seed, None)
    }

    /// Makes a run that differs from the plain run of its seed.
    pub(crate) fn run_by(
        &self,
        scratch: &Path,
        test: &'static Test,
        seed: u64,
        variation: Option<&Variation>,
    ) -> Run {
        let watch = Watch::new(scratch, self.isolation);
        let mut outcome = Job { variation, ..self.job(test, seed) }.run_under(&watch);
        let used = watch.used();
        if let Err(failure @ Failure { class: Class::Infra, .. }) = &outcome.verdict
            && let Some(failure) = used.excess_of_memory(failure)
        {
            outcome.verdict = Err(failure);
        }
        // Many runs are in memory at the same time.
        outcome.output =
            if outcome.passed() { String::new() } else { end_of(&outcome.output).into() };
        Run { test, seed, outcome, cost: used.cost() }
    }
}

/// A watch over each of several runs.
struct Watches<'a> {
    scratch: &'a Path,
    isolation: Isolation,
}

impl Supervise for Watches<'_> {
    fn supervisor(&self) -> Box<dyn Supervisor + '_> {
        Box::new(Watch::new(self.scratch, self.isolation))
    }
}

/// The last whole lines, up to the limit on what is shown.
fn end_of(output: &str) -> &str {
    let mut room = OUTPUT_BYTES_MAX;
    let fits = |(_, c): &(usize, char)| {
        let width = plain::width(*c);
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    };
    match output.char_indices().rev().take_while(fits).last() {
        None => "",
        Some((0, _)) => output,
        Some((at, _)) => {
            let end = &output[at..];
            end.split_once('\n').map_or(end, |(_, lines)| lines)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_much_output_is_whole_lines() {
        let lines: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        let end = end_of(&lines);
        assert!(end.len() <= OUTPUT_BYTES_MAX && end.ends_with("line 998\nline 999\n"));
        assert!(end.starts_with("line ") && lines.ends_with(end));
        assert_eq!(end_of("one\ntwo\n"), "one\ntwo\n");
        assert_eq!(end_of(""), "");
        let escapes = "\x1b".repeat(OUTPUT_BYTES_MAX);
        assert_eq!(end_of(&escapes).len(), OUTPUT_BYTES_MAX / 4);
    }
}

//! One run in a process of its own, seen from its parent.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{self, Child, Command, ExitStatus, Stdio};

use config::{Class, Failure};
use wait_timeout::ChildExt;

use crate::arguments::JobArguments;
use crate::child::UNWRITTEN;
use crate::limits::RUN_LIMIT;
use crate::outcome::Outcome;
use crate::settings::Clock;
use crate::test::Test;
use crate::variation::Variation;

/// The limit of a run's output. The end of a longer output is kept.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;
/// The size of the file that tests whether files can be written.
const TRIAL_BYTES: usize = 64 << 10;

/// One run of one test with one seed.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// A program whose `main` is [`main_with`](crate::main_with), or runs its [`JobArguments`].
    pub program: &'a Path,
    /// Arguments that come before those of the job.
    pub arguments: &'a [OsString],
    /// The test.
    pub test: &'static Test,
    /// The seed.
    pub seed: u64,
    /// The clock of the run.
    pub clock: Clock,
    /// Whether the rules of Raft are checked.
    pub invariants: bool,
    /// The run file to write; none if the run is not recorded. Recording changes no step of the
    /// run.
    pub record: Option<&'a Path>,
    /// How the run differs from the plain run of its seed; none for the plain run.
    pub variation: Option<&'a Variation>,
}

/// Watches the process of a run, and gives the verdict on a process that leaves no outcome.
///
/// The caller of a job can know more about the process: what it is allowed to use, and whose code
/// it runs.
pub trait Supervisor {
    /// The folder for the files of a run while it runs.
    fn folder(&self) -> Option<&Path>;

    /// Waits for the end of the process, or says why it must be ended.
    ///
    /// # Errors
    /// If the process cannot be waited for.
    fn wait(&self, child: &mut Child) -> io::Result<End>;

    /// The verdict on a process that ended without an outcome; `takes_files` says whether files can
    /// still be written.
    fn without_outcome(&self, status: ExitStatus, printed: &str, takes_files: bool) -> Failure;
}

/// Makes a supervisor for each of several runs.
pub trait Supervise: Sync {
    /// The supervisor of the next run.
    fn supervisor(&self) -> Box<dyn Supervisor + '_>;
}

/// How the process of a run ended.
#[derive(Debug)]
pub enum End {
    /// By itself, or by a signal.
    Ended(ExitStatus),
    /// It has to be killed, for this reason.
    Stopped(Failure),
}

/// The supervisor that ends a run after [`RUN_LIMIT`]. Anything else that ends the process is the
/// fault of the implementation, which runs in it.
pub struct TimeLimit;

impl Job<'_> {
    /// Runs the job and waits for its end. A fault of the kit is also an outcome, of
    /// [`Class::Infra`].
    pub fn run(&self) -> Outcome {
        self.run_under(&TimeLimit)
    }

    /// Like [`Job::run`], with another supervisor.
    pub fn run_under(&self, supervisor: &dyn Supervisor) -> Outcome {
        self.try_run(supervisor).unwrap_or_else(|error| {
            let program = self.program.display();
            let sentence = format!("failed to run {program}: {error}");
            Outcome::failed(Failure::new(Class::Infra, sentence))
        })
    }

    fn try_run(&self, supervisor: &dyn Supervisor) -> io::Result<Outcome> {
        let folder = match supervisor.folder() {
            Some(folder) => tempfile::tempdir_in(folder)?,
            None => tempfile::tempdir()?,
        };
        let file = folder.path().join("outcome");
        if let Some(record) = self.record {
            // A file of an earlier call shows another run.
            _ = std::fs::remove_file(record);
        }
        let mut printed = tempfile::tempfile_in(folder.path())?;
        let mut child = Command::new(self.program)
            .args(self.arguments)
            .args(self.arguments_of_child(&file).to_words())
            .stdin(Stdio::null())
            .stdout(printed.try_clone()?)
            .stderr(printed.try_clone()?)
            .spawn()?;
        let end = supervisor.wait(&mut child);
        if !matches!(end, Ok(End::Ended(_))) {
            child.kill()?;
            child.wait()?;
        }
        let output = tail(&mut printed)?;
        let outcome = match (Outcome::read(&file), end?) {
            (Some(outcome), _) => outcome,
            (None, End::Stopped(failure)) => Outcome::failed(failure),
            (None, End::Ended(status)) => {
                let takes_files = takes_files(folder.path());
                Outcome::failed(supervisor.without_outcome(status, &output, takes_files))
            }
        };
        Ok(Outcome { output, ..outcome.bounded() })
    }

    fn arguments_of_child(&self, file: &Path) -> JobArguments {
        let Job { test, seed, clock, invariants, .. } = *self;
        let (parent, file) = (process::id(), file.into());
        let (record, variation) = (self.record.map(Into::into), self.variation.cloned());
        JobArguments { test, seed, clock, invariants, parent, file, record, variation }
    }
}

impl Supervise for TimeLimit {
    fn supervisor(&self) -> Box<dyn Supervisor + '_> {
        Box::new(TimeLimit)
    }
}

impl Supervisor for TimeLimit {
    fn folder(&self) -> Option<&Path> {
        None
    }

    fn wait(&self, child: &mut Child) -> io::Result<End> {
        Ok(match child.wait_timeout(RUN_LIMIT)? {
            Some(status) => End::Ended(status),
            None => End::Stopped(TimeLimit::hung()),
        })
    }

    fn without_outcome(&self, status: ExitStatus, _: &str, takes_files: bool) -> Failure {
        if status.code() == Some(UNWRITTEN) && !takes_files {
            let sentence = "the test process failed to write its result";
            return Failure::new(Class::Infra, sentence);
        }
        let sentence = format!("the test process ended before the test: {status}");
        Failure::new(Class::Panic, sentence)
    }
}

impl TimeLimit {
    /// The verdict on a run that was killed after [`RUN_LIMIT`].
    pub fn hung() -> Failure {
        Failure::new(Class::Timeout, "the test process hung and was killed")
    }
}

/// Whether a file as large as an outcome can be written to the folder. The exit code of the process
/// proves nothing, because the implementation can choose it.
fn takes_files(folder: &Path) -> bool {
    std::fs::write(folder.join("trial"), [0; TRIAL_BYTES]).is_ok()
}

fn tail(printed: &mut File) -> io::Result<String> {
    let size = printed.seek(SeekFrom::End(0))?;
    printed.seek(SeekFrom::Start(size.saturating_sub(OUTPUT_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    printed.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_process_that_left_nothing_is_judged_by_how_it_ended() {
        let class = |status: i32, takes_files| {
            TimeLimit.without_outcome(ExitStatus::from_raw(status), "", takes_files).class
        };
        assert_eq!(class(9, true), Class::Panic, "a signal");
        assert_eq!(class(1 << 8, false), Class::Panic, "an exit of the implementation's own");
        assert_eq!(class(UNWRITTEN << 8, false), Class::Infra, "a full disk");
        assert_eq!(class(UNWRITTEN << 8, true), Class::Panic, "who says so and is not believed");
    }

    #[test]
    fn a_recording_of_an_earlier_call_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old.run");
        std::fs::write(&old, "old").unwrap();
        let job = Job {
            program: Path::new("/bin/true"),
            arguments: &[],
            test: &crate::test::tests::TEST,
            seed: 1,
            clock: Clock::Real,
            invariants: true,
            record: Some(&old),
            variation: None,
        };
        assert!(!job.run().passed());
        assert!(!old.exists());
    }

    #[test]
    fn a_folder_that_is_gone_takes_no_files() {
        let folder = tempfile::tempdir().unwrap();
        assert!(takes_files(folder.path()));
        assert!(!takes_files(&folder.path().join("gone")));
    }
}

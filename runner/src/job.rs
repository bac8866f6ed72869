//! One run in a process of its own, seen from its parent.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{self, Child, Command, ExitStatus, Stdio};

use config::{Class, Failure};
use wait_timeout::ChildExt;

use crate::child::{RUN, UNWATCHED, UNWRITTEN, WATCHED};
use crate::limits::RUN_LIMIT;
use crate::outcome::Outcome;
use crate::settings::Clock;
use crate::test::Test;

/// What a run printed, from its end; what came before is not kept.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;
/// What is written to see whether the machine takes what a run leaves.
const TRIAL_BYTES: usize = 64 << 10;

/// One run of one test with one seed.
pub struct Job<'a> {
    /// A program whose `main` is [`main`](crate::main), or that gives its [`Order`](crate::Order)
    /// to be obeyed.
    pub program: &'a Path,
    /// What it finds on its command line before the order.
    pub arguments: &'a [OsString],
    /// The test.
    pub test: &'static Test,
    /// The seed.
    pub seed: u64,
    /// What time it goes by.
    pub clock: Clock,
    /// The rules of Raft are watched.
    pub invariants: bool,
}

/// Watches the process of a run, and judges one that leaves no outcome.
///
/// Whoever starts a run may know more of it than that it is a process: what it may use, and whose
/// code runs in it.
pub trait Supervisor {
    /// The folder in which a run's files lie while it goes on.
    fn folder(&self) -> Option<&Path>;

    /// Waits for the end of the process, or says why it must be ended.
    ///
    /// # Errors
    /// If the process cannot be waited for.
    fn wait(&self, child: &mut Child) -> io::Result<End>;

    /// The verdict on a process that ended and left no outcome; `takes_files` says whether the
    /// machine still takes what a run leaves.
    fn without_outcome(&self, status: ExitStatus, printed: &str, takes_files: bool) -> Failure;
}

/// How the process of a run came to its end.
#[derive(Debug)]
pub enum End {
    /// By itself, or by a signal.
    Ended(ExitStatus),
    /// It has to be ended, for this reason.
    Stopped(Failure),
}

/// Ends a run after [`RUN_LIMIT`], and has the implementation answer for whatever else its process
/// does: it runs there.
pub struct TimeLimit;

impl Job<'_> {
    /// Runs it and waits for its end. What the kit itself does wrong is an outcome too, of
    /// [`Class::Infra`].
    pub fn run(&self) -> Outcome {
        self.run_under(&TimeLimit)
    }

    /// The same with somebody else who watches.
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
        let mut printed = tempfile::tempfile_in(folder.path())?;
        let mut child = Command::new(self.program)
            .args(self.arguments)
            .arg(RUN)
            .arg(self.test.name())
            .arg(self.seed.to_string())
            .arg(self.clock.to_string())
            .arg(if self.invariants { WATCHED } else { UNWATCHED })
            .arg(process::id().to_string())
            .arg(&file)
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
            let sentence = "the process of the test failed to write what came of it";
            return Failure::new(Class::Infra, sentence);
        }
        let sentence = format!("the process of the test ended before the test did: {status}");
        Failure::new(Class::Panic, sentence)
    }
}

impl TimeLimit {
    /// The verdict on a run that had to be ended after [`RUN_LIMIT`].
    pub fn hung() -> Failure {
        Failure::new(Class::Timeout, "the process of the test had to be killed: it hung")
    }
}

/// Whether a folder takes as much as a run leaves. What a process says of that proves nothing: the
/// implementation may have ended it with any exit code.
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
    fn a_folder_that_is_gone_takes_no_files() {
        let folder = tempfile::tempdir().unwrap();
        assert!(takes_files(folder.path()));
        assert!(!takes_files(&folder.path().join("gone")));
    }
}

//! One run in a process of its own, seen from its parent.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use config::{Class, Failure, TEST_LIMIT};
use wait_timeout::ChildExt;

use crate::runner::child::{GRACE, RUN, UNWATCHED, UNWRITTEN, WATCHED};
use crate::runner::outcome::Outcome;
use crate::runner::settings::Clock;
use crate::table::Test;

/// So much of what a run printed is kept.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;

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

impl Job<'_> {
    /// Runs it and waits for its end. What the kit itself does wrong is an outcome too, of
    /// [`Class::Infra`].
    pub fn run(&self) -> Outcome {
        self.try_run().unwrap_or_else(|error| {
            let program = self.program.display();
            let sentence = format!("failed to run {program}: {error}");
            Outcome::failed(Failure::new(Class::Infra, sentence))
        })
    }

    fn try_run(&self) -> io::Result<Outcome> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("outcome");
        let mut printed = tempfile::tempfile()?;
        let mut child = Command::new(self.program)
            .args(self.arguments)
            .arg(RUN)
            .arg(self.test.name())
            .arg(self.seed.to_string())
            .arg(self.clock.to_string())
            .arg(if self.invariants { WATCHED } else { UNWATCHED })
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(printed.try_clone()?)
            .stderr(printed.try_clone()?)
            .spawn()?;
        let status = child.wait_timeout(TEST_LIMIT + 2 * GRACE)?;
        if status.is_none() {
            child.kill()?;
            child.wait()?;
        }
        let mut outcome =
            Outcome::read(&file).unwrap_or_else(|| Outcome::failed(without_outcome(status)));
        outcome.output = tail(&mut printed)?;
        Ok(outcome)
    }
}

/// Why a process has left no outcome.
fn without_outcome(status: Option<ExitStatus>) -> Failure {
    match status {
        None => Failure::new(Class::Timeout, "the process of the test had to be killed: it hung"),
        Some(status) if status.code() == Some(UNWRITTEN) => {
            Failure::new(Class::Infra, "the process of the test failed to write what came of it")
        }
        Some(status) => {
            let sentence = format!("the process of the test ended before the test did: {status}");
            Failure::new(Class::Panic, sentence)
        }
    }
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
        let class = |status: Option<i32>| without_outcome(status.map(ExitStatus::from_raw)).class;
        assert_eq!(class(None), Class::Timeout);
        assert_eq!(class(Some(9)), Class::Panic, "a signal");
        assert_eq!(class(Some(1 << 8)), Class::Panic, "an exit of the implementation's own");
        assert_eq!(class(Some(UNWRITTEN << 8)), Class::Infra);
    }
}

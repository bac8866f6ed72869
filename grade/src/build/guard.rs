//! Ends the compilers of a build when the grader itself is ended, by whatever signal.
//!
//! The kernel ends cargo with the grader that started it, but not the compilers that cargo has
//! started; one of them could go on for as long as it may. So a process of this program watches a
//! build, and outlives the grader by a moment.

use std::convert::Infallible;
use std::env;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{self, Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

/// The first argument of a guard; the second is the number of a group of processes.
const GUARD: &str = "--guard";

/// A watch over one build, until it is dropped.
pub(crate) struct Guard(Child);

impl Guard {
    /// `leader`: who leads the group of processes that ends with the grader.
    pub(crate) fn over(leader: &Child) -> io::Result<Guard> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(GUARD).arg(leader.id().to_string());
        // A group of its own, so that what a terminal sends to the grader's does not reach it.
        command.process_group(0).env_clear();
        // Nobody writes into the pipe: it only ends with the grader.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Before the pipe ends. It fails if somebody else has ended it already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Guards a build, if that is what the words of the command line ask for.
pub(crate) fn obey(words: impl IntoIterator<Item = OsString>) -> Option<Infallible> {
    let mut words = words.into_iter();
    if words.next()? != GUARD {
        return None;
    }
    let group = Pid::from_raw(words.next()?.to_str()?.parse().ok()?)?;
    let _ = io::stdin().read(&mut [0]);
    let _ = kill_process_group(group, Signal::KILL);
    process::exit(0)
}

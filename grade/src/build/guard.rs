//! Ends the compilers of a build when the grader ends, even if it is killed.
//!
//! The kernel ends cargo with the grader, but not the compilers that cargo has started. One of them
//! could go on until its time limit. So another process of this program watches each build, and
//! outlives the grader by a moment.

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
    /// `leader`: the leader of the group of processes that must end with the grader.
    pub(crate) fn over(leader: &Child) -> io::Result<Guard> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(GUARD).arg(leader.id().to_string());
        // A group of its own, so that signals of a terminal to the grader's group do not reach it.
        command.process_group(0).env_clear();
        // Nobody writes to the pipe. It closes when the grader ends.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Before the pipe closes. It fails if another process has already ended the guard.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Guards a build, if the command line says so.
pub(crate) fn run_if_asked(words: impl IntoIterator<Item = OsString>) -> Option<Infallible> {
    let mut words = words.into_iter();
    if words.next()? != GUARD {
        return None;
    }
    let group = Pid::from_raw(words.next()?.to_str()?.parse().ok()?)?;
    let _ = io::stdin().read(&mut [0]);
    let _ = kill_process_group(group, Signal::KILL);
    process::exit(0)
}

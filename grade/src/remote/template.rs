//! The process that the peers of a run are copies of.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use ::peer::template;
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions};
use sandbox::{Layer, Limits, Purpose, Sandbox};

use crate::remote::patience::ended_soon;

/// It makes a copy in less than a millisecond, unless the machine has no time for it.
const COPIES_WITHIN: Duration = Duration::from_secs(60);

pub(super) struct Template {
    control: UnixStream,
    child: Mutex<Child>,
    /// Where what the peers print goes. Under a number of its own it is not this run's output,
    /// which would be stamped once more.
    printed: File,
}

/// A copy: a child of this process, killed and waited for once.
pub(super) struct Copy {
    pid: Pid,
    /// Until it was waited for, nobody else has its number.
    ended: Option<ExitStatus>,
}

impl Template {
    /// Starts it with its end of the control connection as its standard input.
    pub(super) fn start(sandbox: &Sandbox, program: &Path) -> io::Result<Template> {
        let (control, far) = UnixStream::pair()?;
        control.set_read_timeout(Some(COPIES_WITHIN))?;
        let mut command = sandbox.command(program, &Purpose::Peers, &Limits::of_peers());
        if !sandbox.layers().has(Layer::Seccomp) {
            command.arg(::peer::UNSEALED);
        }
        let child = command.stdin(Stdio::from(OwnedFd::from(far))).spawn()?;
        let printed = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(Template { control, child: Mutex::new(child), printed })
    }

    /// A copy that reads from one pipe, writes to another and prints into a third.
    pub(super) fn copy(&self, pipes: [BorrowedFd<'_>; 3]) -> io::Result<Copy> {
        let number = template::copy(&self.control, pipes)?;
        let pid = i32::try_from(number).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("the program could not be copied"))?;
        // Whatever the program says, nobody but a child of this process is killed for it.
        let is_child = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        rustix::process::waitid(WaitId::Pid(pid), is_child)?;
        Ok(Copy { pid, ended: None })
    }

    /// Where what a peer prints is to go.
    pub(super) fn printed(&self) -> io::Result<File> {
        self.printed.try_clone()
    }

    /// How it ended, if it has or is about to.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw)?;
        ended_soon(pid).then(|| child.try_wait().ok().flatten())?
    }
}

impl Copy {
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.wait(WaitOptions::NOHANG)
    }

    /// Ends it, if it has not ended.
    pub(super) fn kill(&mut self) {
        if self.ended.is_none() {
            // It fails for nobody who has not been waited for.
            let _ = rustix::process::kill_process(self.pid, Signal::KILL);
            self.wait(WaitOptions::empty());
        }
    }

    fn wait(&mut self, options: WaitOptions) -> Option<ExitStatus> {
        use std::os::unix::process::ExitStatusExt;

        while self.ended.is_none() {
            match rustix::process::waitpid(Some(self.pid), options) {
                Ok(Some((_, status))) => self.ended = Some(ExitStatus::from_raw(status.as_raw())),
                Err(rustix::io::Errno::INTR) => {}
                // It runs; or it is no child, and then there is nothing to wait for.
                Ok(None) | Err(_) => break,
            }
        }
        self.ended
    }
}

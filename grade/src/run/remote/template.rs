//! The grader's side of the template: the process of which the peers of a run are copies.

use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::Duration;

use ::peer::template;
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions};
use sandbox::{Layer, Limits, Purpose, Sandbox};

use crate::run::remote::liveness::ended_soon;

/// The limit on its messages; the rest is not read.
const SAID_BYTES_MAX: u64 = 2 << 10;
/// The limit on the time to make a copy. It takes less than a millisecond on an idle machine.
const COPIES_WITHIN: Duration = Duration::from_secs(60);

/// `O_NOATIME`.
const NO_TRACE: i32 = rustix::fs::OFlags::NOATIME.bits() as i32;

pub(super) struct Template {
    control: UnixStream,
    child: Mutex<Child>,
    /// Its own messages. It must not share an output with this process, because its copies can get
    /// everything that it has open.
    said: File,
    /// The program's file, opened anew for each copy.
    program: PathBuf,
    /// Receives the output of the peers. It is a descriptor of its own, because lines written to
    /// the output of this run would get a second stamp.
    printed: File,
}

/// A copy of the template: a child of this process, which is killed and waited for once.
pub(super) struct Copy {
    pid: Pid,
    /// None until it was waited for. Until then no other process has its number.
    ended: Option<ExitStatus>,
}

impl Template {
    /// Starts the template with its end of the control connection as standard input.
    pub(super) fn start(sandbox: &Sandbox, program: &Path) -> io::Result<Template> {
        let (control, far) = UnixStream::pair()?;
        control.set_read_timeout(Some(COPIES_WITHIN))?;
        let (said, says) = io::pipe()?;
        let (said, says) = (File::from(OwnedFd::from(said)), File::from(OwnedFd::from(says)));
        said.set_permissions(Permissions::from_mode(0o000))?;
        rustix::io::ioctl_fionbio(&said, true)?;
        let mut command = sandbox.command(program, &Purpose::Peers, &Limits::of_peers());
        if !sandbox.layers().has(Layer::Seccomp) {
            command.arg(::peer::UNSEALED);
        }
        command.stdin(OwnedFd::from(far)).stdout(says.try_clone()?).stderr(says);
        let child = command.spawn()?;
        let printed = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let program = program.to_owned();
        Ok(Template { control, child: Mutex::new(child), said, program, printed })
    }

    /// Its messages so far, as the end of a sentence.
    pub(super) fn said(&self) -> String {
        let mut said = Vec::new();
        // After an error the bytes so far are used.
        let _ = (&self.said).take(SAID_BYTES_MAX).read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        if said.trim().is_empty() { String::new() } else { format!(": {}", said.trim()) }
    }

    /// Opens the program's file, from which a copy reads the names of functions. Each copy has an
    /// offset of its own, and reading changes no time of access: otherwise copies could exchange
    /// data.
    pub(super) fn program(&self) -> io::Result<File> {
        let open = |flags| File::options().read(true).custom_flags(flags).open(&self.program);
        // Only the owner and root may use this flag.
        open(NO_TRACE).or_else(|_| open(0))
    }

    /// Makes a copy that gets these descriptors.
    pub(super) fn copy(&self, given: [BorrowedFd<'_>; template::GIVEN]) -> io::Result<Copy> {
        let number = template::copy(&self.control, given)?;
        let pid = i32::try_from(number).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("the program could not be copied"))?;
        // Whatever number the program sends, only a child of this process is ever killed.
        let is_child = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        rustix::process::waitid(WaitId::Pid(pid), is_child)?;
        Ok(Copy { pid, ended: None })
    }

    /// A descriptor for the output of a peer.
    pub(super) fn printed(&self) -> io::Result<File> {
        self.printed.try_clone()
    }

    /// Its exit status, if it has ended or is about to end.
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

    /// Its exit status, if it has ended.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.wait(WaitOptions::NOHANG)
    }

    /// Kills it, if it has not ended.
    pub(super) fn kill(&mut self) {
        if self.ended.is_none() {
            // It cannot fail for a process that was not waited for.
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
                // It still runs. Or it is no child: then there is nothing to wait for.
                Ok(None) | Err(_) => break,
            }
        }
        self.ended
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.kill();
    }
}

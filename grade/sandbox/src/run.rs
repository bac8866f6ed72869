//! Runs a sandboxed command to its end, and ends all processes that it started.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// The result of a command.
#[derive(Debug)]
pub struct Finished {
    /// How its first process ended.
    pub status: ExitStatus,
    /// It was killed at the limit of its time.
    pub timed_out: bool,
    /// What it printed, up to the limit.
    pub stdout: Vec<u8>,
    /// The same for stderr.
    pub stderr: Vec<u8>,
}

/// Runs a command of a [`Sandbox`](crate::Sandbox) for at most `time` of real time, and then kills
/// all processes that it left. Keeps up to `output_bytes_max` bytes each of stdout and stderr;
/// after that they are closed.
///
/// # Errors
/// If it cannot be started or waited for.
pub fn run(command: &mut Command, time: Duration, output_bytes_max: u64) -> io::Result<Finished> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().map(|pipe| keep(pipe, output_bytes_max));
    let stderr = child.stderr.take().map(|pipe| keep(pipe, output_bytes_max));
    let timed_out = !ends_within(&mut child, time)?;
    // It was not waited for yet, so its number, which is also its group's, is not reused.
    kill_group(&mut child);
    let status = child.wait()?;
    let kept = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    Ok(Finished { status, timed_out, stdout: kept(stdout), stderr: kept(stderr) })
}

fn keep(pipe: impl Read + Send + 'static, bytes_max: u64) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // After an error the bytes so far are kept.
        let _ = pipe.take(bytes_max).read_to_end(&mut bytes);
        bytes
    })
}

#[cfg(target_os = "linux")]
fn ends_within(child: &mut Child, time: Duration) -> io::Result<bool> {
    use std::sync::mpsc;

    use nix::sys::wait::{Id, WaitPidFlag, waitid};

    let id = Id::Pid(group_of(child));
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        // The receiver is gone if the time is over.
        let _ = sender.send(waitid(id, flags));
    });
    match ended.recv_timeout(time) {
        Ok(result) => Ok(result.map(|_| true)?),
        Err(_) => Ok(false),
    }
}

#[cfg(target_os = "linux")]
fn kill_group(child: &mut Child) {
    use nix::sys::signal::{Signal, killpg};

    // A launcher without a session has no group yet.
    let _ = killpg(group_of(child), Signal::SIGKILL);
    let _ = child.kill();
}

#[cfg(target_os = "linux")]
fn group_of(child: &Child) -> nix::unistd::Pid {
    nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("the kernel's numbers are small"))
}

#[cfg(not(target_os = "linux"))]
fn ends_within(child: &mut Child, time: Duration) -> io::Result<bool> {
    Ok(wait_timeout::ChildExt::wait_timeout(child, time)?.is_some())
}

#[cfg(not(target_os = "linux"))]
fn kill_group(child: &mut Child) {
    let _ = child.kill();
}

//! How a program in the sandbox ended, in words.

use std::fmt;
use std::process::ExitStatus;

/// Displays how a program ended, and why if the sandbox ended it.
#[derive(Debug, Clone, Copy)]
pub struct Ending(pub ExitStatus);

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ending(status) = self;
        match (status.code(), signal(*status)) {
            (Some(code), _) => write!(f, "it ended by itself, with exit code {code}"),
            (None, Some(words)) => f.write_str(words),
            (None, None) => write!(f, "it ended with {status}"),
        }
    }
}

#[cfg(target_os = "linux")]
fn signal(status: ExitStatus) -> Option<&'static str> {
    use nix::sys::signal::Signal;
    use std::os::unix::process::ExitStatusExt;

    Some(match Signal::try_from(status.signal()?).ok()? {
        Signal::SIGABRT => "it aborted (SIGABRT)",
        Signal::SIGKILL => "it was killed (SIGKILL)",
        Signal::SIGSEGV => "it accessed invalid memory (SIGSEGV)",
        Signal::SIGSYS => "it made a system call that the sandbox forbids (SIGSYS)",
        Signal::SIGXCPU => "it exceeded its limit of CPU time (SIGXCPU)",
        Signal::SIGXFSZ => "it exceeded the limit for a file (SIGXFSZ)",
        _ => return None,
    })
}

#[cfg(not(target_os = "linux"))]
fn signal(_status: ExitStatus) -> Option<&'static str> {
    None
}

//! One peer's process, from its start to its end.

use std::fs::{File, Permissions};
use std::io::{self, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use ::peer::frames::{self, Advance, Advanced, FrameError, Init, Settled};
use config::{Class, Failure};

use crate::bounds::MEMORY_BYTES_PER_JOB_MIN;
use crate::run::remote::descriptors;
use crate::run::remote::liveness::{Hang, Watchdog, ended_soon};
use crate::run::remote::nonsense::Nonsense;
use crate::run::remote::output::ProcessOutput;
use crate::run::remote::template::{Copy, Template};

/// Linux's number, the same on every processor.
const SIGKILL: i32 = 9;

pub(super) struct Process {
    copy: Copy,
    connection: BufReader<Watchdog>,
}

/// Why a process no longer advances.
pub(super) enum Fault {
    /// It ended, with its exit status. None if it closed the connection without ending.
    Ended(Option<ExitStatus>),
    /// It did not answer in time.
    Hung(Hang),
    /// It sent something that is no frame.
    Garbage(FrameError),
    /// It has a descriptor that it was not given.
    Foreign(String),
    /// The program ended by itself before it was copied. With its messages.
    Unborn(ExitStatus, String),
    /// The grader failed to talk to it.
    Kit(io::Error),
}

impl Process {
    pub(super) fn start(template: &Template, init: &Init) -> Result<Process, Fault> {
        sim::wait_outside(|| {
            let ((requests, to), (from, replies)) = (pipe()?, pipe()?);
            let ((said, prints), (nothing, _)) = (pipe()?, pipe()?);
            let program = template.program()?;
            let given = [&requests, &replies, &prints, &nothing, &program];
            let copy =
                template.copy(given.map(File::as_fd)).map_err(|error| unborn(template, error))?;
            let output = ProcessOutput::new(said, template.printed()?)?;
            let connection = BufReader::new(Watchdog::new(from, to, output, copy.pid())?);
            let mut process = Process { copy, connection };
            let settled = frames::read(&mut process.connection);
            let foreign = match settled {
                Ok(Settled) => descriptors::foreign(process.copy.pid(), &given)?,
                Err(_) => None,
            };
            // From now on only the copy has these ends, so they close when it ends.
            drop((requests, replies, prints, nothing, program));
            if let Some(name) = foreign {
                return Err(Fault::Foreign(name));
            }
            let begun =
                settled.and_then(|Settled| frames::write(process.connection.get_mut(), init));
            begun.map_err(|error| process.fault(error).of_the_kit())?;
            Ok(process)
        })
    }

    /// One round trip, during which the whole run stands still.
    pub(super) fn advance(&mut self, advance: &Advance) -> Result<Advanced, Fault> {
        sim::wait_outside(|| {
            self.connection.get_mut().begin();
            let advanced = frames::write(self.connection.get_mut(), advance)
                .and_then(|()| frames::read(&mut self.connection));
            advanced.map_err(|error| self.fault(error))
        })
    }

    fn fault(&mut self, error: FrameError) -> Fault {
        let fault = match self.connection.get_ref().hang() {
            Some(hang) => Fault::Hung(hang),
            None if error.is_end() && ended_soon(self.copy.pid()) => {
                Fault::Ended(self.copy.ended())
            }
            None if error.is_end() => Fault::Ended(None),
            None => match error {
                FrameError::Broken(error) => Fault::Kit(error),
                garbage => Fault::Garbage(garbage),
            },
        };
        self.kill();
        fault
    }

    /// Kills the process, if it has not ended.
    pub(super) fn kill(&mut self) {
        sim::wait_outside(|| {
            self.copy.kill();
            self.connection.get_ref().output().take();
        });
    }
}

/// The reason why there is no copy.
fn unborn(template: &Template, error: io::Error) -> Fault {
    let is_end = FrameError::from(io::Error::from(error.kind())).is_end();
    match is_end.then(|| template.ended()).flatten() {
        Some(status) => Fault::Unborn(status, template.said()),
        None => Fault::Kit(error),
    }
}

/// A pipe that no process can open again under `/proc`. Pipes can be opened that way, unlike
/// sockets.
fn pipe() -> io::Result<(File, File)> {
    let (from, to) = io::pipe()?;
    let (from, to) = (File::from(OwnedFd::from(from)), File::from(OwnedFd::from(to)));
    from.set_permissions(Permissions::from_mode(0o000))?;
    Ok((from, to))
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Kit(error)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Fault {
    /// The same fault before any code of the submission has run: then it is a fault of the kit.
    fn of_the_kit(self) -> Fault {
        let why = match self {
            Fault::Kit(error) => return Fault::Kit(error),
            Fault::Ended(Some(status)) => how_it_ended(status),
            Fault::Ended(None) | Fault::Garbage(_) => "sent malformed data".to_owned(),
            Fault::Hung(_) => "sent nothing for too long".to_owned(),
            other @ (Fault::Foreign(_) | Fault::Unborn(..)) => return other,
        };
        Fault::Kit(io::Error::other(format!("it {why} before it began")))
    }

    /// The verdict on the server of this process.
    pub(super) fn verdict(self, server: usize) -> Failure {
        let process = format!("server {server}'s process");
        match self {
            // A process cannot end itself this way. The system kills it if memory runs out.
            Fault::Ended(Some(status)) if status.signal() == Some(SIGKILL) => {
                killed(server, largest_process_bytes())
            }
            Fault::Ended(Some(status)) => {
                let sentence = format!("{process} {} before it was killed", how_it_ended(status));
                Failure::of(server, Class::Panic, sentence)
            }
            Fault::Ended(None) => {
                let sentence = format!("{process} closed its connection with the grader");
                Failure::of(server, Class::Contract, sentence)
            }
            Fault::Hung(hang) => hang.verdict(server),
            Fault::Garbage(error) => Nonsense::Undecodable(error).verdict(server),
            Fault::Foreign(name) => {
                let sentence =
                    format!("{process} has {name} open, which did not come from the grader");
                Failure::of(server, Class::Contract, sentence)
            }
            Fault::Unborn(status, said) => {
                let ended = how_it_ended(status);
                if is_of_the_kit(status) {
                    let sentence =
                        format!("the program of the peers {ended} before it began{said}");
                    return Failure::new(Class::Infra, sentence);
                }
                // The kit's own part of the program does not end here.
                let sentence =
                    format!("the submission's program {ended} before `main` began{said}");
                Failure::new(Class::Panic, sentence)
            }
            Fault::Kit(error) => {
                let sentence = format!("failed to talk to {process}: {error}");
                Failure::new(Class::Infra, sentence)
            }
        }
    }
}

/// The launcher and the kit's part of the program have an exit code each for failures of the
/// machine. SIGKILL comes from the kernel, if memory runs out.
fn is_of_the_kit(status: ExitStatus) -> bool {
    status.code().is_some_and(|code| code == sandbox::LAUNCH_FAILED || code == peer::EXIT_MISUSED)
        || status.signal() == Some(9)
}

/// If the system has no memory for a process, the fault depends on how much the process used.
/// That number differs between runs, so the sentence leaves it out.
fn killed(server: usize, bytes: u64) -> Failure {
    let process = format!("server {server}'s process");
    if bytes > MEMORY_BYTES_PER_JOB_MIN {
        let mib = MEMORY_BYTES_PER_JOB_MIN >> 20;
        let sentence =
            format!("{process} used more than {mib} MiB, and the machine ran out of memory");
        return Failure::of(server, Class::Limit, sentence);
    }
    Failure::new(
        Class::Infra,
        format!("the system killed {process}: the machine was out of memory"),
    )
}

/// The memory of the largest child that has ended.
fn largest_process_bytes() -> u64 {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN);
    usage.map_or(0, |usage| u64::try_from(usage.max_rss()).unwrap_or(0) << 10)
}

fn how_it_ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}{}", signal_name(signal)),
        (None, None) => format!("ended ({status})"),
    }
}

/// The names of signals that a program can cause itself.
fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        24 => " (SIGXCPU)",
        25 => " (SIGXFSZ)",
        31 => " (SIGSYS)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw_status: i32, expected: &str) {
        let fault = Fault::Ended(Some(ExitStatus::from_raw(raw_status)));
        assert_eq!(fault.verdict(1).to_string(), expected);
    }

    #[test]
    fn an_end_before_the_submissions_code_is_the_kits_fault() {
        let fault = Fault::Ended(Some(ExitStatus::from_raw(2 << 8))).of_the_kit();
        assert_eq!(
            fault.verdict(1).to_string(),
            "infra: failed to talk to server 1's process: it ended with exit code 2 before it began"
        );
    }

    #[test]
    fn a_process_that_the_system_kills_is_at_fault_if_it_used_much_memory() {
        let said = |mib: u64| killed(1, mib << 20).to_string();
        assert_eq!(
            said(51),
            "infra: the system killed server 1's process: the machine was out of memory"
        );
        assert_eq!(
            said(300),
            "limit: server 1's process used more than 128 MiB, and the machine ran out of memory"
        );
    }

    #[test]
    fn the_end_of_a_process_is_reported_by_exit_code_or_signal() {
        check(0, "panic: server 1's process ended with exit code 0 before it was killed");
        check(101 << 8, "panic: server 1's process ended with exit code 101 before it was killed");
        check(
            134,
            "panic: server 1's process was ended by signal 6 (SIGABRT) before it was killed",
        );
    }
}

//! Runs cargo with limits, and tells failures that are due to a submission's sources from others.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use sandbox::{Limits, Sandbox, Toolchain};
use serde::Deserialize;
use serde::de::IgnoredAny;
use wait_timeout::ChildExt;

use crate::bounds::{BUILD_OUTPUT_BYTES_MAX, SHOWN_BYTES_MAX};
use crate::build::guard::Guard;
use crate::build::idle::{Idle, LOOK};
use crate::exit::UserError;

/// Variables that make cargo and the compiler build something else. With the last two, `make`
/// passes on the right to run a job.
const CHANGES_BUILDS: [&str; 5] =
    ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_INCREMENTAL", "MAKEFLAGS", "CARGO_MAKEFLAGS"];
/// Prefixes of more such variables.
const CHANGE_BUILDS: [&str; 5] =
    ["CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_", "CARGO_UNSTABLE_", "RUSTC_"];

/// The ends of lines of cargo or a compiler that report a failure of the machine.
const OF_THE_MACHINE: [&str; 6] = [
    "No space left on device",
    "Disk quota exceeded",
    "Input/output error",
    "Read-only file system",
    "Too many open files in system",
    "(never executed)",
];
/// Signals that a compiler gets from another process or from the disk: SIGHUP, SIGINT, SIGBUS,
/// SIGKILL and SIGTERM.
const OF_OTHERS: [&str; 5] =
    ["(signal: 1,", "(signal: 2,", "(signal: 7,", "(signal: 9,", "(signal: 15,"];

/// The folders in which cargo works.
pub(crate) struct Cargo<'a> {
    /// The folder with the manifest.
    pub(crate) folder: &'a Path,
    /// The folder for compiled files.
    pub(crate) target: &'a Path,
    pub(crate) confined: Option<Confined<'a>>,
}

/// The sandbox that cargo works in.
pub(crate) struct Confined<'a> {
    pub(crate) sandbox: &'a Sandbox,
    /// Files and folders that may be read in addition to the toolchain.
    pub(crate) reads: Vec<PathBuf>,
    /// The limits of each process.
    pub(crate) limits: Limits,
}

/// How a call of cargo ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Exited(ExitStatus),
    /// It was killed at the time limit.
    TimedOut,
    /// It was killed because it waited and computed nothing.
    Waited,
}

/// The result of a call of cargo.
pub(crate) struct Ended {
    pub(crate) end: End,
    /// Its output exceeded the limit.
    too_much: bool,
    messages: Vec<Message>,
    /// Its output for people.
    said: String,
}

/// One line of cargo's output for programs, with the fields of two kinds of messages.
///
/// The crate `cargo_metadata` is not used here: it does not read `manifest_path`, and it parses all
/// spans with unlimited recursion, although a submission can nest them as deep as it likes.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    message: Option<Diagnostic>,
    executable: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// A message of the compiler.
#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    code: Option<IgnoredAny>,
    spans: Vec<IgnoredAny>,
    rendered: Option<String>,
}

impl Cargo<'_> {
    /// Runs cargo until its end or the time limit. An error means that cargo could not be run.
    pub(crate) fn run(&self, arguments: &[&str], limit: Duration) -> Result<Ended> {
        self.run_with(arguments, limit, false)
    }

    /// The same for a build that must compute all the time: it is also ended if it is idle.
    pub(crate) fn run_watched(&self, arguments: &[&str], limit: Duration) -> Result<Ended> {
        self.run_with(arguments, limit, true)
    }

    fn run_with(&self, arguments: &[&str], limit: Duration, watched: bool) -> Result<Ended> {
        let mut child = self.command(arguments)?.spawn().context("failed to run cargo")?;
        let guard = Guard::over(&child).inspect_err(|_| end(&mut child));
        let _guard = guard.context("failed to guard a build")?;
        let mut stdout = child.stdout.take().expect("it is piped");
        let mut stderr = child.stderr.take().expect("it is piped");
        thread::scope(|scope| {
            // A process with too much output finds the pipe closed, and ends.
            let messages = scope.spawn(move || read(&mut stdout));
            let said = scope.spawn(move || read(&mut stderr));
            let idle = watched.then(|| Idle::of(child.id()));
            let end = wait(&mut child, limit, idle).context("failed to wait for cargo")?;
            let (messages, said) = (join(messages)?, join(said)?);
            let size = messages.len().max(said.len()) as u64;
            Ok(Ended {
                end,
                too_much: size > BUILD_OUTPUT_BYTES_MAX,
                messages: parse(&messages),
                said: String::from_utf8_lossy(&said).into_owned(),
            })
        })
    }

    /// The only place where a process is made that compiles code of a submission.
    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = match &self.confined {
            Some(Confined { sandbox, reads, limits }) => {
                let reads: Vec<&Path> = reads.iter().map(PathBuf::as_path).collect();
                let toolchain = Toolchain::find().context("failed to find the compiler")?;
                toolchain
                    .cargo(sandbox, &reads, self.target, limits)
                    .context("failed to run cargo in the sandbox")?
            }
            None => {
                let mut command =
                    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
                // Lets the compilers be ended with cargo. In the sandbox they are a session.
                command.process_group(0);
                command
            }
        };
        // The same in every environment. In the sandbox the environment is empty anyway.
        for (name, _) in env::vars_os().filter(|(name, _)| changes_builds(name)) {
            command.env_remove(name);
        }
        command
            .current_dir(self.folder)
            .args(arguments)
            .env("CARGO_TARGET_DIR", self.target)
            .env("CARGO_TERM_COLOR", "never")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }
}

/// Whether a variable of the environment would change the program, or make a build wait for
/// another.
fn changes_builds(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    CHANGES_BUILDS.contains(&&*name) || CHANGE_BUILDS.iter().any(|start| name.starts_with(start))
}

fn wait(child: &mut Child, limit: Duration, mut idle: Option<Idle>) -> io::Result<End> {
    let start = Instant::now();
    loop {
        let left = limit.saturating_sub(start.elapsed());
        let step = if idle.is_some() { LOOK.min(left) } else { left };
        if let Some(status) = child.wait_timeout(step)? {
            return Ok(End::Exited(status));
        }
        let waited = idle.as_mut().is_some_and(Idle::look);
        if waited || start.elapsed() >= limit {
            end(child);
            return Ok(if waited { End::Waited } else { End::TimedOut });
        }
    }
}

/// Ends cargo and all that it has started. It must not have been waited for, because its number is
/// reused after that.
fn end(child: &mut Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    // It may not be the leader of its group yet.
    let _ = child.kill();
    let _ = child.wait();
}

fn read(pipe: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(BUILD_OUTPUT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn join(reader: thread::ScopedJoinHandle<'_, io::Result<Vec<u8>>>) -> Result<Vec<u8>> {
    reader.join().expect("reading does not panic").context("failed to read the output of cargo")
}

fn parse(messages: &[u8]) -> Vec<Message> {
    let lines = messages.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

impl Ended {
    pub(crate) fn succeeded(&self) -> bool {
        !self.too_much && matches!(self.end, End::Exited(status) if status.success())
    }

    pub(crate) fn said_too_much(&self) -> bool {
        self.too_much
    }

    /// Cargo ended by itself with an error, and was not killed.
    pub(crate) fn failed_by_itself(&self) -> bool {
        matches!(self.end, End::Exited(status) if status.code().is_some_and(|code| code != 0))
    }

    /// It failed for a reason that no submission can cause, given that the kit's own crates
    /// compile: cargo reached no compiler, or the disk or another process ended one.
    pub(crate) fn is_of_the_machine(&self) -> bool {
        !self.failed_by_itself()
            || !self.said.contains("could not compile `")
            || self.reports_the_machine()
    }

    /// Some line that is not about the sources reports a failure of the disk or a killed compiler.
    pub(crate) fn reports_the_machine(&self) -> bool {
        let messages = self.messages.iter().filter_map(|message| message.message.as_ref());
        let placeless = messages.filter(|it| !it.is_of_the_sources());
        let lines = placeless.filter_map(|it| it.rendered.as_deref()).chain([&*self.said]);
        lines.flat_map(str::lines).any(is_of_the_machine)
    }

    /// The compiler's messages about the crate of this manifest. None unless there is an error with
    /// a code or a place in the sources: a full disk or a missing linker has neither.
    pub(crate) fn complaints(&self, manifest: &Path) -> Option<String> {
        let of_crate = |message: &&Message| message.manifest_path.as_deref() == Some(manifest);
        let diagnostics = || {
            let messages = self.messages.iter().filter(of_crate);
            messages.filter_map(|message| message.message.as_ref())
        };
        if !diagnostics().any(Diagnostic::is_of_the_sources) {
            return None;
        }
        let shown = diagnostics().filter(|diagnostic| !diagnostic.is_a_sum());
        let rendered = shown.filter_map(|diagnostic| diagnostic.rendered.as_deref());
        Some(shortened(rendered.collect()))
    }

    /// The program that was compiled last.
    pub(crate) fn executable(self) -> Option<PathBuf> {
        self.messages.into_iter().filter_map(|message| message.executable).next_back()
    }

    /// Cargo's output for people, if it says that this package could not be compiled.
    pub(crate) fn words_on(&self, package: &str) -> Option<&str> {
        Some(&*self.said).filter(|said| said.contains(&format!("could not compile `{package}`")))
    }

    /// Cargo's output for people.
    pub(crate) fn words(&self) -> String {
        shortened(self.said.clone())
    }

    /// The metadata file of the library that was compiled from the crate of this manifest.
    pub(crate) fn metadata(&self, manifest: &Path) -> Option<&Path> {
        let of_crate = |message: &&Message| message.manifest_path.as_deref() == Some(manifest);
        let files = self.messages.iter().filter(of_crate).flat_map(|message| &message.filenames);
        files.map(PathBuf::as_path).find(|file| file.extension().is_some_and(|it| it == "rmeta"))
    }

    /// The error for a fault of the machine or the kit.
    pub(crate) fn kits_fault(&self, sentence: &str) -> UserError {
        let why = match self.end {
            End::TimedOut => "it took too long".into(),
            End::Waited => "it waited without computing".into(),
            End::Exited(_) if self.too_much => "it printed too much".into(),
            End::Exited(status) => format!("{status}"),
        };
        UserError::kit(format!("{sentence} ({why})")).in_words(self.errors())
    }

    /// The errors of all compilers, and cargo's output for people.
    pub(crate) fn errors(&self) -> String {
        // Cargo's output for people does not contain messages of compilers.
        let errors = self.messages.iter().filter_map(|message| message.message.as_ref());
        let errors = errors.filter(|error| error.level.starts_with("error") && !error.is_a_sum());
        let mut words: String = errors.filter_map(|error| error.rendered.as_deref()).collect();
        words += &self.said;
        shortened(words)
    }
}

impl Diagnostic {
    fn is_of_the_sources(&self) -> bool {
        self.level == "error" && (self.code.is_some() || !self.spans.is_empty())
    }

    /// The line with the number of errors, which cargo does not show either.
    fn is_a_sum(&self) -> bool {
        self.level == "error" && self.message.starts_with("aborting due to ")
    }
}

/// Looks only at the end of a line, because names from a submission are within it, in quotes.
fn is_of_the_machine(line: &str) -> bool {
    let line = line.trim_end();
    let number = line.rsplit_once(" (os error ");
    let number = number.filter(|(_, rest)| rest.trim_end_matches(')').parse::<u32>().is_ok());
    let words = number.map_or(line, |(words, _)| words);
    OF_THE_MACHINE.iter().any(|end| words.ends_with(end))
        || OF_OTHERS.iter().any(|signal| line.contains(signal) && line.ends_with(')'))
}

fn shortened(mut text: String) -> String {
    if text.len() > SHOWN_BYTES_MAX {
        let left_out = text.len() - text.floor_char_boundary(SHOWN_BYTES_MAX);
        text.truncate(text.floor_char_boundary(SHOWN_BYTES_MAX));
        text += &format!("\n... and {left_out} bytes more\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_line_shows_a_failure_of_the_machine() {
        for line in [
            "error: failed to write lib.rmeta: No space left on device (os error 28)",
            "rust-lld: error: failed to write output: No space left on device",
            "  process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)",
            "  could not execute process `rustc -vV` (never executed)",
        ] {
            assert!(is_of_the_machine(line), "{line}");
        }
        for line in [
            "error: `No space left on device (os error 28)` is no feature",
            "error: linking with `cc` failed: exit status: 1",
            "  process didn't exit successfully: `rustc` (signal: 11, SIGSEGV: invalid memory)",
            "error: could not compile `submitted` (lib) due to 1 previous error",
        ] {
            assert!(!is_of_the_machine(line), "{line}");
        }
    }

    #[test]
    fn variables_that_change_a_build_are_known_by_name() {
        let changes = |name: &str| changes_builds(OsStr::new(name));
        let changing = ["RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_PROFILE_RELEASE_LTO", "MAKEFLAGS"];
        assert!(changing.into_iter().all(changes));
        let harmless = ["RUSTC", "RUSTUP_TOOLCHAIN", "CARGO_HOME", "PATH", "CARGO_NET_OFFLINE"];
        assert!(!harmless.into_iter().any(changes));
    }
}

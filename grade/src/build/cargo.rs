//! Runs cargo with limits, and tells what a submission's sources are to blame for from what they
//! are not.

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

/// Variables by which cargo and the compiler are told to build otherwise. With the last two, `make`
/// hands out the right to run a job.
const CHANGES_BUILDS: [&str; 5] =
    ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_INCREMENTAL", "MAKEFLAGS", "CARGO_MAKEFLAGS"];
/// The same for what the names of many begin with.
const CHANGE_BUILDS: [&str; 5] =
    ["CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_", "CARGO_UNSTABLE_", "RUSTC_"];

/// What a line of cargo's or a compiler's ends with where the machine fails them.
const OF_THE_MACHINE: [&str; 6] = [
    "No space left on device",
    "Disk quota exceeded",
    "Input/output error",
    "Read-only file system",
    "Too many open files in system",
    "(never executed)",
];
/// The signals by which somebody else ends a compiler, or the disk does: a hangup, an interrupt,
/// SIGBUS, SIGKILL and a request to end.
const OF_OTHERS: [&str; 5] =
    ["(signal: 1,", "(signal: 2,", "(signal: 7,", "(signal: 9,", "(signal: 15,"];

/// Where cargo works.
pub(crate) struct Cargo<'a> {
    /// The folder with the manifest.
    pub(crate) folder: &'a Path,
    /// Below which it compiles.
    pub(crate) target: &'a Path,
    pub(crate) confined: Option<Confined<'a>>,
}

/// The sandbox that cargo works in.
pub(crate) struct Confined<'a> {
    pub(crate) sandbox: &'a Sandbox,
    /// What may be read beside the toolchain.
    pub(crate) reads: Vec<PathBuf>,
    /// For each process.
    pub(crate) limits: Limits,
}

/// How a call of cargo ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Exited(ExitStatus),
    /// It was killed for the time it took.
    TimedOut,
    /// It was killed since it waited for something, and computed nothing.
    Waited,
}

/// What became of a call of cargo.
pub(crate) struct Ended {
    pub(crate) end: End,
    /// It said more than any honest build does.
    too_much: bool,
    messages: Vec<Message>,
    /// What it said to people.
    said: String,
}

/// One line that cargo writes for programs; of many kinds, the fields of two.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    message: Option<Diagnostic>,
    executable: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// What the compiler says.
#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    code: Option<IgnoredAny>,
    spans: Vec<IgnoredAny>,
    rendered: Option<String>,
}

impl Cargo<'_> {
    /// Runs cargo until its end or the limit. An error means that it could not be run at all.
    pub(crate) fn run(&self, arguments: &[&str], limit: Duration) -> Result<Ended> {
        self.run_with(arguments, limit, false)
    }

    /// The same for what must compute all the time: it is ended as well if it is idle.
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
            // Whoever says too much finds nobody listening any more, and ends of that.
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

    /// The one place where the code of a submission gets a process to be compiled in.
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
                // So that the compilers that it starts can be ended with it; in the sandbox they
                // are a session of their own.
                command.process_group(0);
                command
            }
        };
        // The same for everybody. In the sandbox there is nothing to remove.
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

/// Whether a variable of the grader's environment would make another program of the same sources,
/// or let a build wait for somebody else's.
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

/// With all that it has started. It must not have been waited for, so that its number is its own.
fn end(child: &mut Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    // It may not lead its group yet.
    let _ = child.kill();
    let _ = child.wait();
}

fn read(pipe: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(BUILD_OUTPUT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn join(reader: thread::ScopedJoinHandle<'_, io::Result<Vec<u8>>>) -> Result<Vec<u8>> {
    reader.join().expect("reading does not panic").context("failed to read what cargo says")
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

    /// Cargo came to its own end and found something wrong, rather than being killed.
    pub(crate) fn failed_by_itself(&self) -> bool {
        matches!(self.end, End::Exited(status) if status.code().is_some_and(|code| code != 0))
    }

    /// It failed for what no submission can do anything about, once the kit's own crates compile:
    /// cargo did not come as far as a compiler, or the disk or somebody else ended one.
    pub(crate) fn is_of_the_machine(&self) -> bool {
        !self.failed_by_itself()
            || !self.said.contains("could not compile `")
            || self.tells_of_the_machine()
    }

    /// Some line that is not about the sources is about the disk, or about who ended a compiler.
    pub(crate) fn tells_of_the_machine(&self) -> bool {
        let messages = self.messages.iter().filter_map(|message| message.message.as_ref());
        let placeless = messages.filter(|it| !it.is_of_the_sources());
        let told = placeless.filter_map(|it| it.rendered.as_deref()).chain([&*self.said]);
        told.flat_map(str::lines).any(is_of_the_machine)
    }

    /// What the compiler has against the crate of this manifest; none unless an error is among it
    /// that has a code or a place in the sources. A full disk or a missing linker has neither.
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

    /// What cargo said to people, if it was that this package could not be compiled.
    pub(crate) fn words_on(&self, package: &str) -> Option<&str> {
        Some(&*self.said).filter(|said| said.contains(&format!("could not compile `{package}`")))
    }

    /// What cargo said to people.
    pub(crate) fn words(&self) -> String {
        shortened(self.said.clone())
    }

    /// The description of the library that was compiled of the crate of this manifest.
    pub(crate) fn metadata(&self, manifest: &Path) -> Option<&Path> {
        let of_crate = |message: &&Message| message.manifest_path.as_deref() == Some(manifest);
        let files = self.messages.iter().filter(of_crate).flat_map(|message| &message.filenames);
        files.map(PathBuf::as_path).find(|file| file.extension().is_some_and(|it| it == "rmeta"))
    }

    /// A fault of the machine or the kit, with what is known of it.
    pub(crate) fn kits_fault(&self, sentence: &str) -> UserError {
        let why = match self.end {
            End::TimedOut => "it took too long".into(),
            End::Waited => "it waited without computing".into(),
            End::Exited(_) if self.too_much => "it said too much".into(),
            End::Exited(status) => format!("{status}"),
        };
        UserError::kit(format!("{sentence} ({why})")).in_words(self.errors())
    }

    /// The errors of all compilers, and what cargo said to people.
    pub(crate) fn errors(&self) -> String {
        // What the compiler said is not among cargo's words: cargo was asked to pass it on.
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

/// Only at the end of a line: what a submission has named stands within one, in quotes.
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
    fn only_what_ends_a_line_is_of_the_machine() {
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
    fn what_would_change_a_build_is_known_by_its_name() {
        let changes = |name: &str| changes_builds(OsStr::new(name));
        let changing = ["RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_PROFILE_RELEASE_LTO", "MAKEFLAGS"];
        assert!(changing.into_iter().all(changes));
        let harmless = ["RUSTC", "RUSTUP_TOOLCHAIN", "CARGO_HOME", "PATH", "CARGO_NET_OFFLINE"];
        assert!(!harmless.into_iter().any(changes));
    }
}

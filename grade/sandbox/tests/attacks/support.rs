//! The sandbox of these tests, and the program that attacks it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use sandbox::{Ending, Finished, Limits, Purpose, Sandbox, Toolchain};

/// No attack may take longer, even on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
const OUTPUT_BYTES_MAX: u64 = 64 << 10;

pub(crate) fn launcher() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sandbox"))
}

pub(crate) fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| {
        let sandbox = Sandbox::probe_with(launcher()).expect("the launcher starts");
        assert!(sandbox.layers().complete(), "these tests need all layers; {}", sandbox.layers());
        sandbox
    })
}

/// Small, so that every limit is reached soon.
pub(crate) fn limits() -> Limits {
    Limits {
        cpu_s: 1,
        data_bytes: 256 << 20,
        file_bytes: 1 << 20,
        open_files: 64,
        tasks: 32,
        stack_bytes: 1 << 20,
    }
}

/// An empty folder for one test.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("attacks").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder is ours");
    }
    fs::create_dir_all(&folder).expect("there is room for a folder");
    folder
}

pub(crate) fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/programs")
}

/// The program of attacks, compiled once.
pub(crate) fn attacker() -> &'static Path {
    static ATTACKER: OnceLock<PathBuf> = OnceLock::new();
    ATTACKER.get_or_init(|| {
        let folder = folder("attacker");
        let program = folder.join("attacks");
        let toolchain = Toolchain::find().expect("there is a compiler");
        let sources = programs();
        let mut rustc = toolchain
            .rustc(sandbox(), &[&sources], &folder, &Limits::of_a_build())
            .expect("there is room for a folder");
        rustc.args(["--edition", "2024", "-o"]).arg(&program).arg(sources.join("attacks.rs"));
        let finished = finish(&mut rustc, LIMIT);
        assert!(finished.status.success(), "{}", String::from_utf8_lossy(&finished.stderr));
        program
    })
}

pub(crate) fn command(attack: &[&str]) -> Command {
    let mut command = sandbox().command(attacker(), &Purpose::Peer, &limits());
    command.args(attack).stdin(Stdio::null());
    command
}

pub(crate) fn finish(command: &mut Command, time: Duration) -> Finished {
    sandbox::run(command, time, OUTPUT_BYTES_MAX).expect("it starts")
}

/// The output of the attack, or how it ended.
pub(crate) fn outcome(finished: &Finished) -> String {
    assert!(!finished.timed_out, "it did not end by itself");
    let printed = String::from_utf8_lossy(&finished.stdout);
    match finished.status.success() {
        true => printed.trim().to_owned(),
        false => format!("{printed}{}", Ending(finished.status)),
    }
}

#[track_caller]
pub(crate) fn check(attack: &[&str], expected: &str) {
    let finished = finish(&mut command(attack), LIMIT);
    let errors = String::from_utf8_lossy(&finished.stderr);
    let expected = match expected.starts_with("it ") {
        true => expected.to_owned(),
        false => format!("{}: {expected}", attack[0]),
    };
    assert_eq!(outcome(&finished), expected, "{errors}");
}

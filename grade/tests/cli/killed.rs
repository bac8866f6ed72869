//! A grader that is killed leaves nobody behind.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use wait_timeout::ChildExt;

use crate::support::{LIMIT, folder, write_crate};

/// How often to look whether the compiler has begun.
const LOOK: Duration = Duration::from_millis(20);
/// Long for a process that was killed, and short for a compiler that goes on for ever.
const END_WITHIN_S: i64 = 30;

#[track_caller]
fn check(name: &str, words: &[&str]) {
    let folder = folder(name);
    // A pipe of the compiler's own, into which nobody writes.
    let lib = "pub const BYTES: &[u8] = include_bytes!(\"/proc/self/fd/1\");\n";
    write_crate(&folder, name, lib);
    let mut grader = Command::new(env!("CARGO_BIN_EXE_cargo-grade"))
        .current_dir(&folder)
        .args(words)
        .arg(name)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let compiler = wait_for_compiler(&mut grader, name);
    let compiler = pidfd_open(compiler, PidfdFlags::empty()).unwrap();
    grader.kill().unwrap();
    grader.wait().unwrap();
    let limit = Timespec { tv_sec: END_WITHIN_S, tv_nsec: 0 };
    let ended = poll(&mut [PollFd::new(&compiler, PollFlags::IN)], Some(&limit)).unwrap();
    let _ = pidfd_send_signal(&compiler, Signal::KILL);
    assert_eq!(ended, 1, "the compiler outlives the grader");
}

/// The process that compiles the crate of this name.
fn wait_for_compiler(grader: &mut Child, name: &str) -> Pid {
    let words = format!("--crate-name\0{name}\0");
    let began = Instant::now();
    loop {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if line.windows(words.len()).any(|part| part == words.as_bytes()) {
                let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
                return number.and_then(Pid::from_raw).expect("the number of a process");
            }
        }
        assert!(began.elapsed() < LIMIT, "the compiler never begins");
        assert!(grader.wait_timeout(LOOK).unwrap().is_none(), "the grader has ended");
    }
}

#[test]
fn a_killed_grader_leaves_no_compiler_in_the_sandbox() {
    check("orphan", &[]);
}

#[test]
fn a_killed_grader_leaves_no_compiler_without_a_sandbox() {
    check("orphan_in_process", &["--in-process"]);
}

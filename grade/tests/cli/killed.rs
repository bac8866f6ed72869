//! A grader that is killed leaves no process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use wait_timeout::ChildExt;

use crate::support::{LIMIT, cargo_grade, folder, target, write_crate};

/// The interval between two looks for the compiler.
const LOOK: Duration = Duration::from_millis(20);
/// The limit on the time until all processes have ended: long for processes that were killed, short
/// for a compiler that never ends.
const END_WITHIN_S: i64 = 30;
/// The number of graders that are killed, each at a different moment. `GRADE_KILLS=30` kills more.
const KILLS: u64 = 5;
/// The processes of a run end in milliseconds, unless the machine is busy.
const RUNS_END_WITHIN: Duration = Duration::from_secs(5);

#[track_caller]
fn check(name: &str, words: &[&str]) {
    let folder = folder(name);
    // The compiler reads a pipe of its own, which has no other writer.
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

/// Every process of a submission's program: runs, templates and peers.
fn processes_of(id: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(id) {
            found.push((entry.file_name().to_string_lossy().into_owned(), line));
        }
    }
    found
}

/// The folders of this grader in the folder that all graders share.
fn folders_of(grader: u32) -> Vec<PathBuf> {
    let entries = Path::new(&target()).join("grade/runs").read_dir().unwrap().flatten();
    let name = format!("{grader}-");
    let of_grader = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(&name);
    entries.map(|entry| entry.path()).filter(of_grader).collect()
}

/// Waits until no process of a killed grader runs, and returns how long that took.
fn wait_for_ends(id: &str) -> Duration {
    let began = Instant::now();
    loop {
        let left = processes_of(id);
        if left.is_empty() {
            return began.elapsed();
        }
        assert!(began.elapsed() < RUNS_END_WITHIN, "they outlive the grader: {left:?}");
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_grader_leaves_no_run_and_the_next_writes_the_same_report() {
    let folder = folder("killed_runs");
    let spins = "std::thread::spawn(|| loop { std::hint::black_box(1); });";
    let base = include_str!("idle_peer.rs");
    write_crate(&folder, "spins", &base.replace("// make\n", spins));
    let words = ["--seeds", "2", "--part", "3A", "spins", "--out"];
    let whole = [&words[..], &["whole"]].concat();
    assert!(cargo_grade(&folder, whole).starts_with("exit 1\n"));
    let report = |out: &str| fs::read_to_string(folder.join(out).join("report.json")).unwrap();
    let whole = report("whole");
    let (_, id) = whole.split_once("\"id\": \"").unwrap();
    let id = &id[..32];

    let kills = env::var("GRADE_KILLS").ok().and_then(|it| it.parse().ok()).unwrap_or(KILLS);
    let mut killed = Vec::new();
    let mut longest = Duration::ZERO;
    for round in 0..kills {
        let mut grader = Command::new(env!("CARGO_BIN_EXE_cargo-grade"))
            .current_dir(&folder)
            .args(words)
            .arg(format!("part {round}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Irregular moments: before the first run, when peers start, and while they spin.
        let moment = Duration::from_millis(50 + round * 7919 % 1500);
        assert!(grader.wait_timeout(moment).unwrap().is_none(), "it was too fast to be killed");
        grader.kill().unwrap();
        grader.wait().unwrap();
        longest = longest.max(wait_for_ends(id));
        killed.push(grader.id());
    }
    println!("{kills} graders were killed; the last process of one ended after {longest:?}");
    let last = [&words[..], &["part 0"]].concat();
    assert!(cargo_grade(&folder, last).starts_with("exit 1\n"));
    assert_eq!(report("part 0"), whole);
    for grader in killed {
        assert_eq!(folders_of(grader), Vec::<PathBuf>::new());
    }
}

/// If peers are processes, no code of a submission runs in the process of a run, so its end is not
/// the submission's fault.
#[test]
fn a_run_that_another_process_kills_is_made_again() {
    let folder = folder("killed_run");
    let spins = "std::thread::spawn(|| loop { std::hint::black_box(3); });\n";
    let lib = include_str!("idle_peer.rs").replace("// make\n", spins);
    write_crate(&folder, "spins", &lib);
    let words = ["--seed", "1", "--test", "initial", "spins", "--out"];
    let whole = [&words[..], &["whole"]].concat();
    let said = cargo_grade(&folder, whole);
    let report = |out: &str| fs::read_to_string(folder.join(out).join("report.json")).unwrap();
    let whole = report("whole");
    let (_, id) = whole.split_once("\"id\": \"").unwrap();
    let id = &id[..32];

    let killed = |kills: usize, out: &str| {
        let grader = Command::new(env!("CARGO_BIN_EXE_cargo-grade"))
            .current_dir(&folder)
            .args(words)
            .arg(out)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut last = None;
        for _ in 0..kills {
            last = Some(kill_run(id, last));
        }
        let output = grader.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = killed(1, "once");
    assert_eq!((code, report("once")), (Some(1), whole.clone()));
    assert!(said.contains("spin         seed 1") && text.contains("spin         seed 1"));

    let (code, text) = killed(2, "twice");
    assert_eq!(code, Some(4));
    assert!(
        text.contains("the process of the run ended without a result: signal: 9 (SIGKILL)"),
        "{text}"
    );
    // It was not kept, so it is made again.
    let (code, _) = killed(0, "twice");
    assert_eq!((code, report("twice")), (Some(1), whole.clone()));
}

/// Waits for a run other than the last, and kills it.
fn kill_run(id: &str, last: Option<Pid>) -> Pid {
    let began = Instant::now();
    loop {
        let run = processes_of(id).into_iter().find(|(_, line)| line.contains(" --lab-run "));
        let pid = run.and_then(|(number, _)| Pid::from_raw(number.parse().unwrap()));
        if let Some(pid) = pid.filter(|pid| Some(*pid) != last) {
            rustix::process::kill_process(pid, Signal::KILL).unwrap();
            return pid;
        }
        assert!(began.elapsed() < LIMIT, "no run begins");
        std::thread::yield_now();
    }
}

//! Limits on a submission's time and memory, and requirements on the machine.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{assert_golden, cargo_grade, folder, kit, program, told, write_crate};

const IDLE: &str = include_str!("idle_peer.rs");
const SPINS: &str = "std::thread::spawn(|| loop { std::hint::black_box(2); });";

#[test]
fn a_seed_that_spins_ends_its_test() {
    let folder = folder("stopped");
    write_crate(&folder, "stopped", &IDLE.replace("// make\n", SPINS));
    let words = ["--seeds", "20", "--test", "initial", "--out", "out", "stopped"];
    let said = cargo_grade(&folder, words);
    assert_golden!("stopped", folder, said);
    // The stored runs give the same result.
    assert_eq!(cargo_grade(&folder, words), said);
    let json = fs::read_to_string(folder.join("out/report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let tested = &report["submissions"][0]["tests"][0];
    assert_eq!([&tested["seeds"], &tested["failed"], &tested["not_run"]], [1, 1, 19]);
    let replayed = cargo_grade(&folder, ["replay", "out/report.json"]);
    assert!(replayed.contains("1 of 1 failures as reported\n"), "{replayed}");
}

/// The first run takes 5 s, so no time is left for the others, for any number of jobs.
#[test]
fn a_submission_that_has_used_its_time_gets_no_more_runs() {
    let folder = folder("spent");
    write_crate(&folder, "spent", &IDLE.replace("// make\n", SPINS));
    let words = ["--seeds", "2", "--part", "3A", "--submission-seconds", "1", "spent"];
    let said = cargo_grade(&folder, words);
    assert_golden!("spent", folder, said);
    assert_eq!(cargo_grade(&folder, words.into_iter().chain(["--jobs", "1"])), said);
}

#[test]
fn a_server_that_saves_without_end_is_named() {
    let folder = folder("saves");
    let saves = "if context.me == 1 {
        let persister = Arc::clone(&context.persister);
        std::thread::spawn(move || {
            for n in 1.. {
                persister.save(vec![1; n << 20], Vec::new());
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        });
    }\n    let peer = Arc::new";
    write_crate(&folder, "saves", &IDLE.replacen("let peer = Arc::new", saves, 1));
    let said = cargo_grade(&folder, ["--seeds", "1", "--test", "initial", "saves"]);
    assert_golden!("saves", folder, said);
}

/// Grades the reference under a lower limit of the system.
#[track_caller]
fn with_less(limit: &str) -> String {
    let folder = folder(limit);
    let mut command = Command::new("prlimit");
    command.arg(limit).arg(env!("CARGO_BIN_EXE_cargo-grade"));
    command.args(["--jobs", "2", "--seeds", "1", "--test", "initial"]).arg(kit().join("raft"));
    let output = command.current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let code = output.status.code();
    format!("{code:?}\n{}", String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_machine_with_too_few_resources_is_reported_before_a_run_begins() {
    let expected = [
        (
            "--nproc=60",
            "processes and threads can be started (ulimit -u, pids.max); \
          grading with --jobs 2 needs 512\n",
        ),
        ("--as=734003200", "a process can have 700 MiB of address space"),
        ("--nofile=64", "a process can open 64 files (ulimit -n); grading needs 256\n"),
        ("--fsize=1048576", "a file can grow to 1 MiB (ulimit -f); grading needs 64\n"),
    ];
    for (limit, sentence) in expected {
        let said = with_less(limit);
        assert!(said.starts_with("Some(4)\n") && said.contains(sentence), "{limit}: {said}");
    }
}

#[test]
fn a_missing_temporary_folder_is_no_fault_of_the_submission() {
    let folder = folder("no_temporary_folder");
    let mut command = program(&folder);
    command.args(["--seeds", "1", "--test", "initial"]).arg(kit().join("raft"));
    let said = told(command.env("TMPDIR", folder.join("nowhere")));
    assert!(said.starts_with("exit 0\n"), "{said}");
}

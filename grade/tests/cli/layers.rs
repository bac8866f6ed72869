//! A machine that lacks a layer of the sandbox: the grader says so, `--require-sandbox` refuses to
//! grade, and without that option the verdicts are the same.

use std::process::Output;
use std::thread;

use crate::machine::answer_as_unknown;
use crate::support::{folder, program, write_crate};

/// Exit code and output of a grading on a machine without these system calls.
fn graded(name: &str, unknown: &[libc::c_long], words: &[&str]) -> (Option<i32>, String, String) {
    let folder = folder(name);
    write_crate(&folder, "idle", include_str!("idle_peer.rs"));
    let mut command = program(&folder);
    command.args(["--seeds", "1", "--test", "initial"]).args(words).arg("idle");
    // In a separate thread, because a thread cannot remove its filter.
    let output: Output = thread::scope(|scope| {
        let grade = || {
            answer_as_unknown(unknown);
            command.output().expect("the program runs")
        };
        scope.spawn(grade).join().expect("it does not panic")
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[track_caller]
fn check(name: &str, layer: &str, unknown: &[libc::c_long]) {
    let (code, verdict, said) = graded(name, unknown, &[]);
    assert_eq!(code, Some(1), "{verdict}{said}");
    assert!(verdict.contains("expected one leader within 5 s, got none"), "{verdict}");
    assert!(said.contains(&format!("missing: {layer} (")), "{said}");
    let (code, verdict, said) = graded(name, unknown, &["--require-sandbox"]);
    assert_eq!((code, verdict.as_str()), (Some(2), ""), "{said}");
    let refusal = "error: --require-sandbox needs every layer; sandbox: ";
    assert!(said.starts_with(refusal) && said.contains(&format!("missing: {layer} (")), "{said}");
}

/// gVisor is such a machine.
#[test]
fn a_machine_without_landlock_is_reported() {
    check("without_landlock", "landlock", &[libc::SYS_landlock_create_ruleset]);
}

#[test]
fn a_machine_without_seccomp_is_reported() {
    check("without_seccomp", "seccomp", &[libc::SYS_seccomp]);
}

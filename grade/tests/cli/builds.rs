//! Tests: whose fault a failed build is, and that identical content is built once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{assert_golden, folder, program, told, write_crate};

const IDLE: &str = include_str!("idle_peer.rs");

/// A cargo that logs each call, and does something else instead of compiling a submission.
fn cargo_that(folder: &Path, does: &str) -> PathBuf {
    let file = folder.join("cargo");
    let log = folder.join("calls");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\ncase \"$*\" in\n*--lib*)\n{does}\n;;\nesac\n\
         exec '{}' \"$@\"\n",
        log.display(),
        env!("CARGO")
    );
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

/// Grades a crate that does not compile with such a cargo. The sandbox would not start it.
#[track_caller]
fn check(name: &str, does: &str) {
    let folder = folder(name);
    write_crate(&folder, "ada", "pub fn make() { nonsense }\n");
    let cargo = cargo_that(&folder, does);
    let said =
        told(program(&folder).args(["--in-process", "--part", "3A", "ada"]).env("CARGO", cargo));
    assert_golden!(name, folder, said);
}

#[test]
fn a_cargo_that_is_missing_is_no_fault_of_the_submission() {
    let folder = folder("no_cargo");
    write_crate(&folder, "ada", "pub fn make() { nonsense }\n");
    let said = told(program(&folder).arg("ada").env("CARGO", "nowhere/cargo"));
    assert_golden!("no_cargo", folder, said);
}

#[test]
fn a_cargo_that_is_killed_is_no_fault_of_the_submission() {
    check("killed_cargo", "kill -9 $$");
}

/// Acts like cargo after an error of a compiler that has no place in the sources.
fn fails_with(error: &str, cause: &str) -> String {
    let message = r#"{"reason":"compiler-message","manifest_path":"'"$PWD"'/Cargo.toml",
        "message":{"level":"error","message":"","code":null,"spans":[],
        "rendered":"error: ERROR\n"}}"#;
    let message = message.replace('\n', "").replace("ERROR", error);
    format!(
        "printf '%s\\n' '{message}'\n\
         echo 'error: could not compile `submitted` (lib){cause}' >&2\nexit 101"
    )
}

#[test]
fn a_full_disk_is_no_fault_of_the_submission() {
    let error = "failed to write lib.rmeta: No space left on device (os error 28)";
    check("full_disk", &fails_with(error, ""));
}

#[test]
fn a_compiler_that_another_process_kills_is_no_fault_of_the_submission() {
    let cause =
        "\n\nCaused by:\n  process didn`t exit successfully: `rustc` (signal: 9, SIGKILL: kill)";
    check("killed_compiler", &fails_with("it has begun", cause));
}

#[test]
fn any_other_error_without_a_place_is_the_submissions_fault() {
    check("no_place", &fails_with("linking with `cc` failed: exit status: 1", ""));
}

#[test]
fn crates_that_were_never_fetched_are_no_fault_of_the_submission() {
    let folder = folder("not_fetched");
    write_crate(&folder, "ada", "pub fn make() { nonsense }\n");
    let cargo = cargo_that(&folder, "");
    let script = fs::read_to_string(&cargo).unwrap();
    let unreachable = "fetch*)\necho 'error: no network' >&2\nexit 101\n;;\n*--lib*)";
    fs::write(&cargo, script.replace("*--lib*)", unreachable)).unwrap();
    let said = told(program(&folder).arg("ada").env("CARGO", cargo));
    assert_golden!("not_fetched", folder, said);
}

#[test]
fn identical_submissions_are_built_once_in_any_folder() {
    let folder = folder("built_once");
    let cargo = cargo_that(&folder, "");
    let words = ["--seeds", "1", "--test", "initial election"];
    let calls = |name: &str| {
        let log = folder.join("calls");
        let _ = fs::remove_file(&log);
        let said = told(program(&folder).args(words).arg(name).env("CARGO", &cargo));
        assert!(said.starts_with("exit 1"), "{said}");
        fs::read_to_string(log).unwrap_or_default()
    };
    for name in ["first", "second", "third"] {
        write_crate(&folder, "twin", IDLE);
        fs::rename(folder.join("twin"), folder.join(name)).unwrap();
    }
    calls("first");
    assert_eq!(calls("first"), "");
    assert_eq!(calls("second"), "");
    // Another edition makes another program.
    let manifest = folder.join("third/Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(manifest, text.replace("2024", "2021").replace("twin", "twin-of-2021")).unwrap();
    calls("third");
    assert_eq!(calls("third"), "");
}

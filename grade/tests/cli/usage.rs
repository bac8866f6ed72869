//! Bad command lines and bad folders: one clear sentence and the right exit code each.

use std::fs;

use crate::support::{cargo_grade, folder, kit, program, told};

#[track_caller]
fn check(arguments: &[&str], expected: &str) {
    let folder = folder(&format!("usage {}", arguments.join(" ")));
    fs::create_dir(folder.join("empty")).unwrap();
    fs::create_dir(folder.join("virtual")).unwrap();
    fs::write(folder.join("virtual/Cargo.toml"), "[workspace]\n").unwrap();
    let said = cargo_grade(&folder, arguments.iter().copied());
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn an_unknown_part_is_answered_with_the_known_ones() {
    check(
        &["--part", "3Z", "."],
        "exit 2\n--- stderr\nerror: invalid value '3Z' for '--part <PART>': \
         there is no part \"3Z\"; the parts are 3A",
    );
}

#[test]
fn an_unknown_test_is_answered_with_the_nearest_names() {
    check(
        &["--test", "reelection", "."],
        "exit 2\n--- stderr\nerror: no lab test is named \"reelection\"; \
         the nearest are 3A re-election, ",
    );
}

#[test]
fn a_path_that_does_not_exist_is_named() {
    check(&["nowhere"], "exit 2\n--- stderr\nerror: nowhere does not exist\n");
}

#[test]
fn a_path_without_a_crate_is_named() {
    check(&["empty"], "exit 2\n--- stderr\nerror: empty is no crate: it has no Cargo.toml\n");
    check(
        &["virtual"],
        "exit 2\n--- stderr\nerror: virtual is no crate: its Cargo.toml has no [package]\n",
    );
}

#[test]
fn nothing_to_grade_and_no_seeds_are_errors_of_usage() {
    check(&[], "exit 2\n--- stderr\nerror: the following required arguments were not provided:");
    check(&["--seeds", "0", "."], "exit 2\n--- stderr\nerror: invalid value '0' for '--seeds <N>'");
    check(
        &["--seeds", "3", "--seed", "3", "."],
        "exit 2\n--- stderr\nerror: the argument '--seeds <N>' cannot be used with '--seed <S>'",
    );
}

#[test]
fn a_new_project_needs_a_folder_of_its_own() {
    let folder = folder("a_new_project_needs_a_folder_of_its_own");
    fs::write(folder.join("essay.txt"), "precious").unwrap();
    assert_eq!(
        cargo_grade(&folder, ["new", "."]),
        "exit 2\n--- stderr\nerror: . is not empty; name a new folder\n"
    );
    assert_eq!(
        cargo_grade(&folder, ["new", "essay.txt"]),
        "exit 2\n--- stderr\nerror: essay.txt is not a folder\n"
    );
}

#[test]
fn what_the_machine_refuses_is_no_fault_of_the_submission() {
    let folder = folder("no_target");
    let file = folder.join("file");
    fs::write(&file, "no folder").unwrap();
    let said = told(program(&folder).arg(kit().join("raft")).env("CARGO_TARGET_DIR", &file));
    assert_eq!(
        said,
        "exit 4\n--- stderr\nerror: failed to lock the folder of the builds: \
         Not a directory (os error 20)\n"
    );
}

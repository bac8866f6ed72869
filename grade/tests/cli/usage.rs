//! Wrong command lines and folders: each gets one clear sentence and the right exit code.

use std::fs;
use std::path::Path;

use crate::support::{cargo_grade, folder, kit, program, told, write_crate};

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
        "exit 2\n--- stderr\nerror: invalid value '3Z' for '--part <PARTS>': \
         there is no part \"3Z\"; the parts are 3A",
    );
}

#[test]
fn an_unknown_test_is_answered_with_similar_names_or_with_all() {
    check(
        &["--test", "reelection", "."],
        "exit 2\n--- stderr\nerror: no lab test is named \"reelection\"; similar: 3A re-election\n",
    );
    check(
        &["--test", "consensus", "."],
        "exit 2\n--- stderr\n\
         error: no lab test is named \"consensus\"; all names are listed below\n\n\
         3A   initial election, re-election, many elections\n\
         3B   basic agree, ",
    );
}

#[test]
fn a_path_that_does_not_exist_is_named() {
    check(&["nowhere"], "exit 2\n--- stderr\nerror: nowhere does not exist\n");
}

#[test]
fn a_path_without_a_crate_is_named() {
    check(
        &["empty"],
        "exit 2\n\
         --- stderr\n\
         error: empty: no Cargo.toml found\n",
    );
    check(
        &["virtual"],
        "exit 2\n\
         --- stderr\n\
         error: virtual: Cargo.toml has no [package]\n",
    );
}

#[test]
fn nothing_to_grade_and_no_seeds_are_usage_errors() {
    check(&[], "exit 2\n--- stderr\nerror: the following required arguments were not provided:");
    check(&["--seeds", "0", "."], "exit 2\n--- stderr\nerror: invalid value '0' for '--seeds <N>'");
    check(
        &["--seeds", "3", "--seed", "3", "."],
        "exit 2\n--- stderr\nerror: the argument '--seeds <N>' cannot be used with '--seed <S>'",
    );
}

#[test]
fn a_replay_of_a_seed_needs_a_test() {
    check(
        &["replay", "--seed", "3", "."],
        "exit 2\n--- stderr\nerror: --seed runs one test again; name that test with --test\n",
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
fn a_target_that_is_no_folder_is_no_fault_of_the_submission() {
    let folder = folder("no_target");
    let file = folder.join("file");
    fs::write(&file, "no folder").unwrap();
    let said = told(program(&folder).arg(kit().join("raft")).env("CARGO_TARGET_DIR", &file));
    assert_eq!(
        said,
        format!(
            "exit 4\n--- stderr\nerror: failed to make the folder of the runs {}/grade/runs: \
             Not a directory (os error 20)\n",
            file.display()
        )
    );
}

#[test]
fn parts_can_be_given_as_a_list() {
    let folder = folder("parts");
    write_crate(&folder, "ada", include_str!("idle_peer.rs"));
    let said = cargo_grade(&folder, ["--seeds", "1", "--part", "3A,3D", "--test", "init", "ada"]);
    assert!(
        said.contains("\u{2502} 3A initial election") && said.contains("3D snapshot init"),
        "{said}"
    );
    let again = ["--seeds", "1", "--part", "3A", "--part", "3D", "--test", "init", "ada"];
    assert_eq!(without_times(&said), without_times(&cargo_grade(&folder, again)));
    check(
        &["--part", "3A,3Z", "."],
        "exit 2\n--- stderr\nerror: invalid value '3Z' for '--part <PARTS>': there is no part \"3Z\"",
    );
}

fn without_times(said: &str) -> Vec<&str> {
    said.lines().filter(|line| !line.contains('\u{2506}')).collect()
}

/// The reference with another `inspect`.
fn write_reference(folder: &Path, name: &str, inspect: &str) {
    let package = folder.join(name);
    copy_folder(&kit().join("raft/src"), &package.join("src"));
    fs::copy(kit().join("raft/Cargo.toml"), package.join("Cargo.toml")).unwrap();
    let server = package.join("src/server.rs");
    let state = "Some(self.guarded.lock().state.inspect())";
    // The lab asks for the details as well: by default they come with what `inspect` returns.
    let details = "let state = &self.guarded.lock().state;
        Some((state.inspect(), state.details()))";
    let no_details = "Some((self.inspect()?, raftapi::Details::default()))";
    let text = fs::read_to_string(&server).unwrap();
    assert!(text.contains(state) && text.contains(details));
    fs::write(server, text.replace(state, inspect).replace(details, no_details)).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// `inspect` answers never, only at first, or always.
#[test]
fn a_submission_that_does_not_show_its_state_is_refused_with_require_inspect() {
    let folder = folder("inspected");
    write_reference(&folder, "blind", "{ let _ = self.guarded.lock().state.inspect(); None }");
    let hides = "{
        static LOOKS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let look = LOOKS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (look < 5).then(|| self.guarded.lock().state.inspect())
    }";
    write_reference(&folder, "hides", hides);
    write_reference(&folder, "shows", "Some(self.guarded.lock().state.inspect())");
    let words = ["--require-inspect", "--seeds", "2", "--test", "initial", "--format", "json"];
    for mode in [&[][..], &["--in-process"]] {
        let names = ["blind", "hides", "shows"];
        let mut command = program(&folder);
        let said = told(command.args(words).args(mode).args(names));
        let (report, stderr) = said.split_once("--- stderr\n").unwrap();
        assert!(report.starts_with("exit 3\n"), "{said}");
        assert_eq!(
            stderr,
            "error: blind cannot be graded: in 3A initial election with seed 1 a server has no \
             `inspect`, which --require-inspect needs; return `Some` with the server's state\n\
             1/3 blind: cannot be graded\n\
             error: hides cannot be graded: in 3A initial election with seed 1 a server has no \
             `inspect`, which --require-inspect needs; return `Some` with the server's state\n\
             2/3 hides: cannot be graded\n\
             3/3 shows: 4 of 4 points\n"
        );
    }
}

/// For programs of the kit that make runs as a grading does: `bugs` is one.
#[test]
fn the_arguments_of_runs_over_processes_are_printed_for_programs_and_not_in_the_help() {
    let folder = folder("usage runs-of");
    let said = cargo_grade(&folder, ["runs-of", "some/host"]);
    assert!(said.starts_with("exit 0\n[\"--peers\",\"{"), "{said}");
    assert!(said.contains("\",\"some/host\",\"\"]\n"), "{said}");
    assert!(!cargo_grade(&folder, ["--help"]).contains("runs-of"));
}

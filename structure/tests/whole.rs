//! The program on small workspaces: what it prints, and its exit codes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use insta::assert_snapshot;
use tempfile::TempDir;

const BROKEN: &str = include_str!("fixtures/broken.txt");
const SOUND: &str = include_str!("fixtures/sound.txt");

#[test]
fn each_broken_rule_is_printed_with_its_places() {
    let output = run(BROKEN, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(text(&output), @r#"
    error: import cycle of 2 files in low
        low/src/a.rs:3 imports low/src/b.rs, and 1 more
        low/src/b.rs:3 imports low/src/a.rs
    error: import cycle of 2 folders and files in mid
        mid/src/pure/rule.rs:3 (mid/src/pure/) imports mid/src/shell.rs
        mid/src/shell.rs:1 imports mid/src/pure/
    error: import cycle of 3 files in high
        top/high/src/one.rs:2 imports top/high/src/two.rs
        top/high/src/two.rs:1 imports top/high/src/three.rs
        top/high/src/three.rs:2 imports top/high/src/one.rs
    error: ARCHITECTURE.md:5 draws low -> mid, but there is no such dependency
    error: top/high/Cargo.toml has high -> low (dev), which ARCHITECTURE.md does not draw
    error: top/high/Cargo.toml has high -> mid, which ARCHITECTURE.md does not draw
    error: mid/src/pure/rule.rs:4 names Instant::now, which ARCHITECTURE.md:9 forbids there
    error: low/src/a.rs:10 names unsafe, which ARCHITECTURE.md:10 forbids there
    error: low/src/a.rs:10 has a string with "high::", but its crate does not depend on high
    9 problems
    "#);
}

#[test]
fn the_report_has_sizes_folders_levels_and_cycles() {
    let output = run(BROKEN, &["--report"]);
    assert_eq!(output.status.code(), Some(0));
    assert_snapshot!(text(&output), @r#"
    crate  files  code  median  largest  folders  levels  largest file
    high       4     9       2        4        1       2  top/high/src/lib.rs
    low        3    11       3        5        1       1  low/src/a.rs
    mid        7    18       2        5        2       3  mid/src/pure/rule.rs

    files over 400 lines of code: none

    cycles: 3
        top/high/src/one.rs -> top/high/src/two.rs -> top/high/src/three.rs -> top/high/src/one.rs
        low/src/a.rs -> low/src/b.rs -> low/src/a.rs
        mid/src/pure/ -> mid/src/shell.rs -> mid/src/pure/
    "#);
}

#[test]
fn the_actual_arrows_are_printed() {
    let output = run(BROKEN, &["--arrows"]);
    assert_eq!(output.status.code(), Some(0));
    assert_snapshot!(text(&output), @r#"
    ```arrows
    high -> low (dev), mid
    mid -> low
    ```
    "#);
}

#[test]
fn nothing_is_printed_for_a_sound_workspace() {
    let output = run(SOUND, &[]);
    assert_eq!(text(&output), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_page_without_blocks_is_a_problem() {
    let output = run(&SOUND.replace("```arrows", "```text").replace("```forbidden", "```"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(text(&output), @r#"
    error: ARCHITECTURE.md has no block ```arrows; `cargo structure --arrows` prints one
    error: ARCHITECTURE.md has no block ```forbidden
    2 problems
    "#);
}

#[test]
fn a_workspace_that_cannot_be_read_has_its_own_exit_code() {
    let output = run(&SOUND.replace("pub struct B(A);", "pub struct"), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).starts_with("error: failed to parse low/src/b.rs: "));
}

/// Runs the program in the workspace that `files` describe.
fn run(files: &str, arguments: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    unpack(files, folder.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_structure"));
    command.args(arguments).current_dir(&folder).output().unwrap()
}

/// Writes each file that follows a line `-- path --`.
fn unpack(files: &str, folder: &Path) {
    for file in files.split("\n-- ") {
        let file = file.strip_prefix("-- ").unwrap_or(file);
        let (path, content) = file.split_once(" --").unwrap();
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.trim_start()).unwrap();
    }
}

fn text(output: &Output) -> String {
    [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat()
}

//! Submissions in folders with entries that no honest crate has: each gets one sentence, and none
//! blocks the grader.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::{assert_golden, cargo_grade, folder, write_crate};

const IDLE: &str = include_str!("idle_peer.rs");

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn names_that_some_machines_cannot_store_or_show_are_refused() {
    let folder = folder("bad_names");
    let write = |name: &str, file: &str| {
        let path = write_crate(&folder, name, IDLE).join("src").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    };
    write("control", "a\x1b[31m.rs");
    write("newline", "a\nerror: b.rs");
    write("reversed", "\u{202e}sr.txt");
    write("case", "Lib.rs");
    write("folders", "a/x.rs");
    write("folders", "A/y.rs");
    fs::create_dir_all(folder.join("folders/src/a")).unwrap();
    fs::write(folder.join("folders/src/a/x.rs"), "").unwrap();
    write("deep", &("d/".repeat(255) + "x.rs"));
    write_crate(&folder, "honest", IDLE);
    let names = ["control", "newline", "reversed", "case", "folders", "deep", "honest"];
    let words = ["--seeds", "1", "--test", "initial election"];
    assert_golden!("bad_names", folder, cargo_grade(&folder, words.into_iter().chain(names)));
}

#[test]
fn entries_that_are_no_files_are_ignored_and_do_not_block() {
    let folder = folder("no_files");
    let ada = write_crate(&folder, "ada", IDLE);
    pipe(&ada.join("src/pipe.rs"));
    symlink("/etc/passwd", ada.join("src/link.rs")).unwrap();
    fs::write(ada.join("src/._lib.rs"), "a fork of macOS").unwrap();
    let bob = write_crate(&folder, "bob", IDLE);
    fs::remove_file(bob.join("src/lib.rs")).unwrap();
    pipe(&bob.join("src/lib.rs"));
    let eve = write_crate(&folder, "eve", IDLE);
    fs::remove_dir_all(eve.join("src")).unwrap();
    symlink(ada.join("src"), eve.join("src")).unwrap();
    pipe(&folder.join("pipe.zip"));
    let words = ["--seeds", "1", "--test", "initial election", "ada", "bob", "eve", "pipe.zip"];
    assert_golden!("no_files", folder, cargo_grade(&folder, words));
}

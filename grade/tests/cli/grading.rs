//! From a folder to points: the reference passes, and the skeleton fails.

use std::fs;

use crate::support::{LIMIT, assert_golden, cargo_grade, folder, kit, write_crate};
use assert_cmd::Command;

#[test]
fn the_reference_passes() {
    let folder = folder("the_reference_passes");
    let raft = kit().join("raft").display().to_string();
    let said = cargo_grade(&folder, ["--seeds", "1", "--part", "3A", &raft]);
    assert_golden!("reference", folder, said);
}

#[test]
fn the_skeleton_fails_every_test() {
    let folder = folder("the_skeleton_fails_every_test");
    let skeleton = kit().join("skeleton").display().to_string();
    assert_golden!(
        "skeleton",
        folder,
        cargo_grade(&folder, ["--seeds", "1", "--part", "3A", &skeleton])
    );
}

#[test]
fn a_new_project_compiles_without_warnings_and_is_graded() {
    let folder = folder("a_new_project_compiles_without_warnings_and_is_graded");
    assert_golden!("new", folder, cargo_grade(&folder, ["new", "ada"]));
    let manifest = fs::read_to_string(folder.join("ada/Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"ada\""), "{manifest}");

    let listed = Command::new(env!("CARGO"))
        .args(["test", "--", "--list"])
        .current_dir(folder.join("ada"))
        .env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/new-project"))
        .timeout(LIMIT)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (listed, said) = (text(&listed.stdout), text(&listed.stderr));
    assert!(listed.contains("3A initial election: test"), "{listed}{said}");
    assert!(!said.contains("warning:"), "{said}");

    let words = ["--seed", "2", "--test", "initial election", "ada"];
    assert_golden!("new_graded", folder, cargo_grade(&folder, words));
}

#[test]
fn several_submissions_are_graded_in_order_even_with_the_same_name() {
    let folder = folder("several");
    let (first, second) = (folder.join("first"), folder.join("second"));
    let base = include_str!("idle_peer.rs");
    for (parent, text) in [(&first, "the first"), (&second, "the second")] {
        let panics = base.replace("// make\n", &format!("panic!(\"{text}\");"));
        write_crate(parent, "twin", &panics);
    }
    write_crate(&folder, "broken", "nonsense\n");
    let words = ["--seeds", "1", "--test", "initial", "first/twin", "broken", "second/twin"];
    assert_golden!("several", folder, cargo_grade(&folder, words));
}

//! `cargo grade replay --shrink` and `--plan`: what a failing run needs.

use std::fs;

use crate::support::{cargo_grade, folder, write_crate};

/// A crate whose server 0 leads term 1 because the code says so.
fn fixed_leader(name: &str) -> std::path::PathBuf {
    let folder = folder(name);
    let base = include_str!("idle_peer.rs");
    let line = "if true { return (1, self.me == 0); }\n";
    write_crate(&folder, "fixed", &base.replace("// get_state\n", line));
    folder
}

#[test]
fn a_failing_run_is_made_shorter_and_fails_again_by_its_plan() {
    let folder = fixed_leader("shorter");
    let words = "replay --test re-election --seed 1 --record a.run --shrink=20 --in-process fixed";
    let said = cargo_grade(&folder, words.split(' '));
    assert!(said.starts_with("exit 1\npicture:  a.html\ntimeline: a.txt\nFAIL  3A re-election"));
    let (whole, shorter) = said.rsplit_once("FAIL  3A re-election").expect("there are two runs");
    let rule = |text: &str| {
        text.lines().find(|line| line.starts_with("  rule: ")).expect("it broke a rule").to_owned()
    };
    assert_eq!(rule(whole), rule(shorter));
    assert!(shorter.contains("  shorter: 0 of "), "{said}");
    assert!(shorter.contains("  again:  cargo grade replay --plan a.plan\n"), "{said}");
    assert!(folder.join("a-short.html").exists());

    let words = "replay --plan a.plan --in-process fixed";
    let again = cargo_grade(&folder, words.split(' '));
    assert!(again.starts_with("exit 1\nFAIL  3A re-election"), "{again}");
    assert_eq!(rule(&again), rule(shorter));
}

#[test]
fn a_file_that_is_no_plan_is_refused() {
    let folder = fixed_leader("no_plan");
    let said = |text: &str| {
        fs::write(folder.join("a.plan"), text).expect("there is room for a file");
        cargo_grade(&folder, ["replay", "--plan", "a.plan", "fixed"])
    };
    let expected = |sentence: &str| format!("exit 2\n--- stderr\nerror: {sentence}\n");
    assert_eq!(said("{\"plan\": 9}"), expected("a.plan is a plan of version 9; expected 1"));
    assert_eq!(
        said("{\"plan\": 1, \"test\""),
        expected("a.plan is no plan of a run: EOF while parsing an object at line 1 column 18")
    );
    let no_test = "{\"plan\": 1, \"test\": \"9Z x\", \"seed\": 1, \"code_seed\": 1, \
                   \"fails\": {\"class\": \"Safety\"}, \"decisions\": [], \"choices\": []}";
    assert_eq!(said(no_test), expected("a.plan is a plan of \"9Z x\", which is no test"));
    let without_record = ["replay", "--test", "re-election", "--seed", "1", "--shrink", "fixed"];
    let said = cargo_grade(&folder, without_record);
    assert!(said.starts_with("exit 2\n") && said.contains("--record <FILE>"), "{said}");
}

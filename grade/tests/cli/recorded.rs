//! `cargo grade replay --record`: the recording of a run over processes.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{cargo_grade, folder, kit, write_crate};

/// The lines of a run file.
fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("the run was recorded");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

fn of_kind<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

/// The trace hash of the only run that a grading has stored.
fn stored_hash(results: &Path) -> String {
    let mut file = results.join("runs");
    while file.is_dir() {
        let mut entries = file.read_dir().expect("the folder can be read");
        file = entries.next().expect("a run is there").expect("it can be read").path();
    }
    let run: Value = serde_json::from_slice(&fs::read(&file).unwrap()).expect("a run is JSON");
    let hash = run["outcome"]["simulation"]["trace_hash"].as_u64().expect("time was virtual");
    format!("{hash:016x}")
}

/// The recorded run is the run that a grading makes, step by step.
#[test]
fn a_recording_over_processes_has_all_values_and_the_hash_of_the_run() {
    let folder = folder("recorded");
    let raft = kit().join("raft").display().to_string();
    let test = "basic agree";
    let graded = ["--test", test, "--seed", "3", "--out", "results", &raft];
    assert!(cargo_grade(&folder, graded).starts_with("exit 0\n"));
    let words = ["replay", "--test", test, "--seed", "3", "--record", "a.run", &raft];
    let said = cargo_grade(&folder, words);
    let expected =
        "exit 0\npicture:  a.html\ntimeline: a.txt\nok    3B basic agree seed 3\n--- stderr\n";
    assert_eq!(said, expected);
    assert!(folder.join("a.html").exists() && folder.join("a.txt").exists());

    let lines = lines(&folder.join("a.run"));
    assert_eq!(lines.last().unwrap()["hash"], stored_hash(&folder.join("results")));
    let sent = of_kind(&lines, "sent");
    assert!(sent.iter().all(|line| line["args"]["term"].is_u64()), "{sent:?}");
    let entries = sent.iter().filter_map(|line| line["args"]["entries"].as_array());
    let mut commands = entries.flatten().map(|entry| &entry["command"]);
    assert!(commands.any(|command| command == "100"), "{sent:?}");
    let handled = of_kind(&lines, "handled");
    assert!(!handled.is_empty());
    assert!(handled.iter().all(|line| line["reply"]["term"].is_u64()), "{handled:?}");
}

#[test]
fn a_recording_over_processes_has_the_details_of_all_roles() {
    let folder = folder("recorded details");
    let raft = kit().join("raft").display().to_string();
    let words = "replay --test re-election --seed 1 --record a.run".split(' ');
    assert!(cargo_grade(&folder, words.chain([&*raft])).starts_with("exit 0\n"));
    let lines = lines(&folder.join("a.run"));
    let states = of_kind(&lines, "state");
    let servers = 3;
    let leads = |line: &&&Value| line["role"] == "leader";
    let leader = states.iter().find(leads).expect("a server leads");
    assert_eq!(leader["next_index"].as_array().map(Vec::len), Some(servers));
    assert_eq!(leader["match_index"].as_array().map(Vec::len), Some(servers));
    assert!(leader["election_deadline"].is_null() && leader["votes_received"].is_null());
    assert!(states.iter().any(|line| line["votes_received"].is_array()));
    for line in &states {
        // The reference waits for 800 ms at most.
        if let Some(deadline) = line["election_deadline"].as_u64() {
            let ahead = deadline.abs_diff(line["t"].as_u64().expect("each event has a time"));
            assert!(ahead <= 800_000, "{line}");
        }
    }
}

/// The refusal comes before the build.
#[test]
fn a_file_that_cannot_be_written_is_refused() {
    let folder = folder("unwritable");
    write_crate(&folder, "broken", "this is no Rust");
    let said = |file: &str| {
        let words = ["replay", "--test", "re-election", "--seed", "1", "--record", file, "broken"];
        cargo_grade(&folder, words)
    };
    let expected = |sentence: &str| format!("exit 2\n--- stderr\nerror: {sentence}\n");
    assert_eq!(
        said("missing/a.run"),
        expected("failed to write missing/a.run: No such file or directory (os error 2)")
    );
    assert_eq!(said("."), expected("failed to write .: Is a directory (os error 21)"));
    assert_eq!(
        said("a.html"),
        expected(
            "a.html is the name of a picture; give --record a name that does not end in .html"
        )
    );
    // A file that can be written is not left behind.
    assert!(said("a.run").starts_with("exit 3\n"));
    assert!(!folder.join("a.run").exists());
}

#[test]
fn only_a_single_run_is_recorded() {
    let folder = folder("recorded usage");
    for words in ["report.json", "--test re-election report.json", "--seed 1 report.json"] {
        let words = ["replay", "--record", "a.run"].into_iter().chain(words.split(' '));
        let said = cargo_grade(&folder, words);
        assert!(said.starts_with("exit 2\n--- stderr\nerror: "), "{said}");
        let missing = ["<--seed <S>|--plan <FILE>>", "name that test with --test"];
        assert!(missing.iter().any(|it| said.contains(it)), "{said}");
    }
    assert!(!folder.join("a.run").exists());
}

//! `--out`: a grading that is stopped at any moment can continue.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use wait_timeout::ChildExt;

use crate::support::{LIMIT, assert_golden, cargo_grade, folder, write_crate};

const IDLE: &str = include_str!("idle_peer.rs");
const WORDS: [&str; 6] = ["grade", "--seeds", "15", "--part", "3A", "--out"];

fn write_submissions(folder: &Path) {
    write_crate(folder, "idle", IDLE);
    let loud = IDLE.replace("// make\n", "println!(\"server {} is made\", peer.me);\n");
    write_crate(folder, "loud", &loud);
}

/// Every stored run, and when it was written.
fn runs(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut found = BTreeMap::new();
    for entry in folder.read_dir().into_iter().flatten() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(runs(&entry.path()));
        } else if entry.path().extension().is_some_and(|end| end == "json") {
            found.insert(entry.path(), entry.metadata().unwrap().modified().unwrap());
        }
    }
    found
}

#[test]
fn a_grading_that_is_killed_many_times_writes_the_same_report() {
    let folder = folder("killed");
    write_submissions(&folder);
    // Without a kill: 2 submissions, 3 tests, 15 seeds.
    let arguments = [&WORDS[1..], &["whole", "idle", "loud"]].concat();
    assert!(cargo_grade(&folder, arguments).starts_with("exit 1\n"));

    let mut known: BTreeMap<PathBuf, SystemTime> = BTreeMap::new();
    let mut kills = 0;
    for round in 1.. {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-grade"))
            .current_dir(&folder)
            .args(WORDS)
            .args(["parts", "idle", "loud"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Irregular moments, later each time until the rest is finished.
        let moment = Duration::from_millis(round * 20 + round * 7919 % 100);
        assert!(moment < LIMIT, "the runs never come to an end");
        let ended = child.wait_timeout(moment).unwrap();
        if ended.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        let found = runs(&folder.join("parts/runs"));
        for (file, written) in &known {
            assert_eq!(found.get(file), Some(written), "{} was made again", file.display());
        }
        known = found;
        if ended.is_some() {
            break;
        }
    }
    assert!(kills > 1, "it was too fast to be killed");
    assert_eq!(known.len(), 2 * 3 * 15);
    let report = |name: &str| fs::read_to_string(folder.join(name).join("report.json")).unwrap();
    assert_eq!(report("parts"), report("whole"));
}

#[test]
fn damaged_and_outdated_runs_are_made_again() {
    let folder = folder("damaged");
    write_submissions(&folder);
    let words = ["--seeds", "2", "--test", "initial election", "--out", "out", "idle"];
    let whole = cargo_grade(&folder, words);
    let files: Vec<PathBuf> = runs(&folder.join("out/runs")).into_keys().collect();
    assert_eq!(files.len(), 2);
    let honest = fs::read_to_string(&files[0]).unwrap();
    fs::write(&files[0], &honest[..50]).unwrap();
    fs::write(&files[1], &honest).unwrap();
    let said = cargo_grade(&folder, words);
    assert_golden!("damaged_runs", folder, said);
    // Both are whole again.
    assert_eq!(cargo_grade(&folder, words), whole);

    fs::write(folder.join("idle/src/lib.rs"), IDLE.replace("// make\n", "panic!(\"new\");"))
        .unwrap();
    assert!(cargo_grade(&folder, words).contains("panicked in `make` at src/lib.rs:11:5: new\n"));
    assert_eq!(runs(&folder.join("out/runs")).len(), 4);
}

#[test]
fn a_file_in_place_of_the_folder_is_a_usage_error() {
    let folder = folder("no_out");
    write_submissions(&folder);
    fs::write(folder.join("essay.txt"), "precious").unwrap();
    assert_eq!(
        cargo_grade(&folder, ["--out", "essay.txt", "idle"]),
        "exit 2\n--- stderr\nerror: essay.txt is not a folder\n"
    );
}

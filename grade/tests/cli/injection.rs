//! Submissions that try to control the terminal, or to look like output of the grader.

use std::fs::{self, File};

use tar::{Builder, EntryType, Header};

use crate::support::{assert_golden, cargo_grade, folder, program, write_crate};

const IDLE: &str = include_str!("idle_peer.rs");
/// Clears the screen, renames the window, forges a table, reverses text, hides what follows.
const EVIL: &str =
    r"\x1b[2J\x1b]0;owned\x07\r\n\u{202e}passed\u{202c}\u{200b}\u{9b}8m\n4 of 4 points";

/// Parts that no text for people is allowed to contain.
#[track_caller]
fn assert_plain(said: &str) {
    let evil = |c: &char| (c.is_control() && *c != '\n') || "\u{202e}\u{202c}\u{200b}".contains(*c);
    assert_eq!(said.chars().find(evil), None, "{said:?}");
}

#[test]
fn output_and_names_of_a_submission_are_escaped() {
    let folder = folder("injection");
    let evil = format!("println!(\"{EVIL}\"); panic!(\"{EVIL}\");");
    write_crate(&folder, "evil", &IDLE.replace("// make\n", &evil));
    let name = "e\x1b[2J\u{202e}vil\n";
    fs::rename(folder.join("evil"), folder.join(name)).unwrap();
    let words = ["--seeds", "1", "--test", "initial", name];
    let said = cargo_grade(&folder, words);
    assert_plain(&said);
    // With the same path twice the output ends with the table of all submissions.
    let all = cargo_grade(&folder, [name, name, "--seeds", "1", "--test", "initial"]);
    assert_plain(&all);
    assert_golden!("injection", folder, format!("{said}=====\n{all}"));

    // Output for programs is exact.
    let words = ["--seeds", "1", "--test", "initial", "--format", "json", name];
    let output = program(&folder).args(words).output().unwrap();
    let json = String::from_utf8(output.stdout).unwrap();
    assert_plain(&json);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["submissions"][0]["path"], name);
    let sentence = report["submissions"][0]["tests"][0]["sentence"].as_str().unwrap();
    assert!(sentence.ends_with("\u{202e}passed\u{202c}\u{200b}\u{9b}8m\n4 of 4 points"));
}

#[test]
fn output_of_a_replay_is_escaped() {
    let folder = folder("injected_replay");
    write_crate(&folder, "evil", &IDLE.replace("// make\n", &format!("panic!(\"{EVIL}\");")));
    let said = cargo_grade(&folder, ["replay", "--test", "initial", "--seed", "1", "evil"]);
    assert_plain(&said);
    assert!(said.contains("4 of 4 points"), "{said}");
}

#[test]
fn names_in_an_archive_and_on_the_command_line_are_escaped() {
    let folder = folder("injected_names");
    let mut archive = Builder::new(File::create(folder.join("evil.tar")).unwrap());
    let name = "src/../\x1b[2J\u{202e}.rs";
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(0);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    archive.append(&header, std::io::empty()).unwrap();
    archive.finish().unwrap();
    let said = [
        cargo_grade(&folder, ["evil.tar"]),
        cargo_grade(&folder, ["no\x1b[2Jwhere"]),
        // A folder's name that a shell has expanded.
        cargo_grade(&folder, ["--\x1b[2J\u{202e}"]),
    ];
    said.iter().for_each(|said| assert_plain(said));
    assert_golden!("injected_names", folder, said.concat());
}

/// A panic of 10 MiB in each of several runs.
#[test]
fn a_flood_of_output_gives_a_small_report() {
    let folder = folder("flood");
    let panics = "panic!(\"{}\", \"x\".repeat(10 << 20));";
    write_crate(&folder, "flood", &IDLE.replace("// make\n", panics));
    let words = ["--seeds", "2", "--test", "initial", "--out", "out", "flood"];
    let said = cargo_grade(&folder, words);
    assert!(said.contains("xxx... (cut, 104858"), "{}", said.len());
    assert!(said.len() < 8 << 10, "{} bytes", said.len());
    let size = |file: &str| fs::metadata(folder.join("out").join(file)).unwrap().len();
    assert!(size("report.json") < 16 << 10, "{} bytes", size("report.json"));
    let runs = fs::read_dir(folder.join("out/runs")).unwrap().next().unwrap().unwrap().path();
    for seed in ["1.json", "2.json"] {
        let run = runs.join("3A-initial-election").join(seed);
        assert!(fs::metadata(run).unwrap().len() < 8 << 10);
    }
}

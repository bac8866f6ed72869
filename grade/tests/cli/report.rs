//! `report.json`, and `cargo grade replay`, which reads it.

use std::fs;

use crate::support::{assert_golden, cargo_grade, folder, write_crate};

const IDLE: &str = include_str!("idle_peer.rs");

#[test]
fn stdout_is_only_the_report_and_its_failures_can_be_replayed() {
    let folder = folder("report");
    let loud = IDLE.replace("// make\n", "println!(\"server {} is made\", peer.me);\n");
    // Everything that was ignored is in the report. Only surprising parts are printed.
    for beside in ["tests", "build.rs"] {
        fs::create_dir(write_crate(&folder, "loud", &loud).join(beside)).unwrap();
    }
    write_crate(&folder, "broken", "nonsense\n");
    let words = ["--seeds", "2", "--part", "3A", "--format", "json", "loud", "broken", "nowhere"];
    let said = cargo_grade(&folder, words);
    let json = said.strip_prefix("exit 3\n").unwrap().split("--- stderr\n").next().unwrap();
    fs::write(folder.join("report.json"), json).unwrap();
    assert_golden!("report", folder, said);

    let words = ["replay", "report.json", "--submission", "loud", "--test", "re-election"];
    assert_golden!("replay", folder, cargo_grade(&folder, words));
    let words = ["replay", "--test", "initial election", "--seed", "2", "loud"];
    assert_golden!("replay_seed", folder, cargo_grade(&folder, words));

    // A report that differs from what the same program does.
    let changed = json.replace("expected one leader", "expected two leaders");
    fs::write(folder.join("changed.json"), changed).unwrap();
    let words = ["replay", "changed.json", "--test", "re-election"];
    assert_golden!("replay_changed", folder, cargo_grade(&folder, words));
}

#[test]
fn an_invalid_report_is_refused_with_the_place_of_the_fault() {
    let folder = folder("bad_reports");
    let files = [
        ("cut.json", "{\n  \"schema\": 1,\n  \"kit\""),
        ("future.json", "{\"schema\": 2}"),
        ("empty.json", ""),
        ("field.json", "{\"schema\": 1,\n\"kit\": 7}"),
        ("extra.json", "{\"schema\": 1,\n\"moon\": 7}"),
    ];
    let mut said = String::new();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
        said += &cargo_grade(&folder, ["replay", name]);
    }
    said += &cargo_grade(&folder, ["replay", "nowhere.json"]);
    fs::write(folder.join("nobody.json"), report("")).unwrap();
    said += &cargo_grade(&folder, ["replay", "nobody.json", "--submission", "ada"]);
    said += &cargo_grade(&folder, ["replay", "nobody.json"]);
    said += &cargo_grade(&folder, ["replay", "nobody.json", "--test", "initial"]);
    fs::write(folder.join("passed.json"), report(&graded("null"))).unwrap();
    said += &cargo_grade(&folder, ["replay", "passed.json"]);
    let error = r#"{"fault":"submission","sentence":"ada does not build","words":""}"#;
    fs::write(folder.join("unbuilt.json"), report(&graded(error))).unwrap();
    said += &cargo_grade(&folder, ["replay", "unbuilt.json"]);
    said += &cargo_grade(&folder, ["replay", "--test", "snapshot", "--seed", "1", "ada"]);
    assert_golden!("bad_reports", folder, said);
}

fn report(submissions: &str) -> String {
    let head = r#""schema":1,"kit":"","rustc":"","engine":"","peers":"apart""#;
    let seeds = r#""seeds":{"first":1,"last":1}"#;
    format!("{{{head},{seeds},\"sandbox\":null,\"submissions\":[{submissions}]}}")
}

/// A submission without a failed test.
fn graded(error: &str) -> String {
    let name = r#""name":"ada","path":"ada","id":null,"built":true,"left_out":[],"tests":[]"#;
    let points = r#""points":0,"max_points":0,"undecided":0"#;
    format!("{{{name},\"error\":{error},{points},\"extra\":{{{points}}}}}")
}

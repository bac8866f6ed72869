//! The files that a build can read, and the settings that can change it. Only the submission's own
//! sources and the kit count, whatever else is on the machine.

use std::path::Path;

use crate::support::{
    assert_golden, cargo_grade, folder, kit, program, target, told, write_crate, write_crate_with,
};

const IDLE: &str = include_str!("idle_peer.rs");
const WORDS: [&str; 4] = ["--seeds", "1", "--test", "initial election"];

/// Grades the base with a line when it ends.
fn graded(folder: &Path, name: &str, line: &str) -> String {
    write_crate(folder, name, &format!("{IDLE}{line}\n"));
    told(program(folder).args(WORDS).args(["--out", "out", name]).env("LAB_SECRET", "hidden seeds"))
}

/// Files of other submissions, of the grader and of the system, which the sandbox does not let a
/// build read.
#[test]
fn files_outside_a_submission_cannot_be_read() {
    let folder = folder("reads_others");
    write_crate(&folder, "other", IDLE);
    let built = told(program(&folder).args(WORDS).args(["--out", "out", "other"]));
    assert!(built.starts_with("exit 1\n"), "{built}");
    let first = |folder: &Path| {
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
        files.remove(0)
    };
    let programs = Path::new(&target()).join("grade/programs");
    let files = [
        folder.join("other/src/lib.rs"),
        folder.join("out/report.json"),
        first(&programs),
        kit().join("raft/src/server.rs"),
        kit().join("grade/src/main.rs"),
        "/proc/self/environ".into(),
        "/proc/self/maps".into(),
        "/etc/passwd".into(),
    ];
    let lines =
        files.each_ref().map(|file| format!("const _: &[u8] = include_bytes!({file:?});\n"));
    let said = graded(&folder, "reader", &lines.concat());
    assert!(said.starts_with("exit 3\n"), "{said}");
    for file in files {
        let denied = format!("error: couldn't read `{}`: Permission denied", file.display());
        assert!(said.contains(&denied), "{said}");
    }
}

/// Files that a build must be able to read, but that are no part of a submission.
#[test]
fn files_that_a_build_reads_cannot_be_included() {
    let folder = folder("includes_others");
    let build = Path::new(&target()).join("grade/build");
    let files = [
        kit().join("raftapi/src/lib.rs").display().to_string(),
        build.join(".rustc_info.json").display().to_string(),
        "../Cargo.toml".to_owned(),
        "../Cargo.lock".to_owned(),
        "../program/src/main.rs".to_owned(),
        "/dev/null".to_owned(),
    ];
    let mut said = String::new();
    for file in files {
        let line = format!("pub const READ: &[u8] = include_bytes!({file:?});");
        said += &graded(&folder, "reader", &line);
    }
    let module = kit().join("verdict/src/finding.rs");
    said += &graded(&folder, "reader", &format!("#[path = {module:?}]\nmod taken;"));
    assert_golden!("includes_others", folder, said);
}

#[test]
fn a_build_knows_nothing_of_the_graders_environment() {
    let folder = folder("environment");
    let names = ["LAB_SECRET", "HOME", "USER", "SHELL", "PWD", "RUSTFLAGS", "RUSTUP_HOME"];
    let line = |name| format!("const _: () = assert!(option_env!(\"{name}\").is_none());\n");
    let said = graded(&folder, "reader", &names.map(line).concat());
    assert!(said.starts_with("exit 1\nreader (reader), seed 1\n"), "{said}");
}

/// Flags, profiles, wrappers, and a `make` with no free job.
#[test]
fn the_graders_environment_does_not_change_a_build() {
    let folder = folder("changed_environment");
    let line = "#[cfg(evil)]\ncompile_error!(\"evil\");\n\
        #[cfg(not(debug_assertions))]\ncompile_error!(\"no assertions\");";
    write_crate(&folder, "ada", &format!("{IDLE}{line}\n"));
    let variables = [
        ("RUSTFLAGS", "--cfg evil -C debug-assertions=off"),
        ("CARGO_ENCODED_RUSTFLAGS", "--cfg\x1fevil"),
        ("CARGO_BUILD_RUSTFLAGS", "--cfg evil"),
        ("CARGO_BUILD_TARGET", "nowhere"),
        ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "false"),
        ("CARGO_INCREMENTAL", "1"),
        ("RUSTC_WRAPPER", "/nowhere/wrapper"),
        ("RUSTC_WORKSPACE_WRAPPER", "/nowhere/wrapper"),
        ("MAKEFLAGS", "-j --jobserver-auth=fifo:/nowhere/fifo"),
        ("CARGO_MAKEFLAGS", "-j --jobserver-auth=fifo:/nowhere/fifo"),
    ];
    for mode in [&["ada"][..], &["--in-process", "ada"]] {
        let said = told(program(&folder).args(WORDS).args(mode).envs(variables));
        assert!(said.starts_with("exit 1\nada (ada), seed 1\n"), "{said}");
    }
}

/// Compiled files have the submission's name, in a folder that all builds share.
#[test]
fn a_crate_can_have_the_name_of_another() {
    let folder = folder("names_of_others");
    let names = [
        "core",
        "kit",
        "labrpc",
        "parking_lot",
        "peer",
        "program",
        "raftapi",
        "runner",
        "std",
        "submitted",
    ];
    for name in names {
        write_crate(&folder, name, IDLE);
        let said = told(program(&folder).args(WORDS).arg(name));
        assert!(said.starts_with(&format!("exit 1\n{name} ({name}), seed 1\n")), "{said}");
    }
    write_crate(&folder, "honest", IDLE);
    let said = told(program(&folder).args(WORDS).arg("honest"));
    assert!(said.starts_with("exit 1\nhonest (honest), seed 1\n"), "{said}");
}

#[test]
fn a_dependency_that_does_not_compile_as_requested_is_the_submissions_fault() {
    let folder = folder("dependency_features");
    let manifest = "[package]\nname = \"silent\"\nedition = \"2024\"\n\n[dependencies]\n\
        log = { version = \"0.4\", features = [\"max_level_off\", \"max_level_error\"] }\n";
    write_crate_with(&folder, "silent", manifest, "");
    write_crate(&folder, "honest", IDLE);
    let said = cargo_grade(&folder, WORDS.into_iter().chain(["silent", "honest"]));
    let words = "error: silent does not build\n\nerror: multiple max_level_* features set\n";
    assert!(said.starts_with("exit 3\nhonest (honest), seed 1\n"), "{said}");
    assert!(said.contains(words) && said.contains("could not compile `log`"), "{said}");
}

//! Submissions with native code or `unsafe`: each is refused with the line, and the next ones are
//! graded.

use std::fs;
use std::path::Path;

use crate::support::{assert_golden, cargo_grade, folder, write_crate_with};

const IDLE: &str = include_str!("idle_peer.rs");

fn manifest(name: &str, edition: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nedition = \"{edition}\"\n\n[dependencies]\n\
         raftapi = \"*\"\nlabrpc = \"*\"\nparking_lot = \"0.13\"\n\
         bincode = {{ version = \"2\", features = [\"derive\"] }}\n"
    )
}

/// Grades the base with these lines when it ends, in this edition.
fn graded(folder: &Path, name: &str, edition: &str, lines: &str) -> String {
    write_crate_with(folder, name, &manifest(name, edition), &format!("{IDLE}{lines}\n"));
    cargo_grade(folder, ["--seeds", "1", "--test", "initial election", name])
}

#[test]
fn native_code_and_ways_to_link_it_are_refused_with_the_line() {
    let folder = folder("native");
    let crates = [
        ("object", "2021", "#[link(name = \"evil.o\")]\nextern \"C\" {}"),
        ("raw", "2015", "#[r#link(name = \"c\")]\nextern {}"),
        ("conditional", "2021", "#[cfg_attr(unix, link(name = \"c\"))]\nextern \"C\" {}"),
        (
            "hidden",
            "2018",
            "macro_rules! hide { (cr # $a:literal $b:tt $c:tt $d:tt $e:literal) => { $b $c $d } }\n\
             hide! { cr#\"  \" extern \"C\" {} \"#\" }",
        ),
        (
            "naked",
            "2024",
            "#[unsafe(naked)]\npub extern \"C\" fn f() { std::arch::naked_asm!(\"ret\") }",
        ),
        (
            "derived",
            "2024",
            "#[derive(bincode::Encode)]\n#[bincode(bounds = \"T: bincode::Encode, \
             [u8; { unsafe { std::mem::zeroed::<u8>() }; 1 }]: Sized\")]\npub struct S<T>(pub T);",
        ),
    ];
    let said = crates.map(|(name, edition, lines)| graded(&folder, name, edition, lines));
    assert_golden!("native", folder, said.concat());
}

#[test]
fn files_with_any_name_are_searched() {
    let folder = folder("native_included");
    let lib = format!("{IDLE}include!(\"notes/poem.txt\");\n");
    let path = write_crate_with(&folder, "included", &manifest("included", "2024"), &lib);
    fs::create_dir(path.join("src/notes")).unwrap();
    fs::write(path.join("src/notes/poem.txt"), "// O Raft\n\nextern \"C\" {}\n").unwrap();
    let said = cargo_grade(&folder, ["--seeds", "1", "--test", "initial election", "included"]);
    assert_eq!(
        said,
        "exit 3\n--- stderr\nerror: included cannot be graded: src/notes/poem.txt:3 has the \
         keyword `extern`, which can link native code; remove it (only `extern crate` outside of \
         all braces is allowed)\n"
    );
}

/// Comments and strings can mention anything.
#[test]
fn code_that_only_looks_like_native_code_is_graded() {
    let lines = "extern crate raftapi as c;\n\
        /// Not `extern \"C\" {}`, nor `unsafe { }`.\n\
        pub fn link(used: &str) -> String {\n    \
            let asm = format!(\"{used} is unsafe, extern and #[linked]\");\n    \
            let naked = asm.len();\n    \
            format!(\"{asm} {naked} {:?}\", (1.5_f64.sin(), u128::MAX / naked as u128))\n\
        }\n";
    let folder = folder("native_words");
    let said = graded(&folder, "words", "2024", lines);
    assert!(said.starts_with("exit 1\nwords (words), seed 1\n"), "{said}");
}

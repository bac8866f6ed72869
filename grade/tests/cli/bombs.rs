//! Submissions that exceed a limit of a build: they do not build, and the message names the limit.

use crate::support::{assert_golden, cargo_grade, folder, write_crate};

/// Grades a crate with this source and an honest one after it.
#[track_caller]
fn check(name: &str, budget: &[&str], lib: &str) {
    let folder = folder(name);
    write_crate(&folder, "bomb", lib);
    write_crate(&folder, "honest", include_str!("idle_peer.rs"));
    let words = ["--seeds", "1", "--test", "initial", "bomb", "honest"];
    assert_golden!(name, folder, cargo_grade(&folder, budget.iter().copied().chain(words)));
}

#[test]
fn a_build_that_takes_too_much_processor_time() {
    let lib = "#![allow(long_running_const_eval)]
        pub const N: u64 = { let mut n = 0; while n < u64::MAX { n += 1; } n };\n";
    check("too_much_time", &["--build-seconds", "10"], lib);
}

/// The compiler reads a pipe of its own, which has no other writer.
#[test]
fn a_build_that_waits_without_end() {
    let lib = "pub const BYTES: &[u8] = include_bytes!(\"/proc/self/fd/1\");\n";
    check("waits_for_ever", &["--build-seconds", "10"], lib);
}

#[test]
fn a_build_that_takes_too_much_memory() {
    let lib = "#![recursion_limit = \"1000000\"]
        macro_rules! bomb { ($($t:tt)*) => { bomb!($($t)* $($t)* $($t)* $($t)*); } }
        bomb!(a b c d);\n";
    check("too_much_memory", &["--build-mib", "1024"], lib);
}

#[test]
fn a_build_that_takes_too_much_stack() {
    let (open, close) = ("(".repeat(200_000), ")".repeat(200_000));
    check("too_much_stack", &[], &format!("pub const N: u64 = {open}1{close};\n"));
}

#[test]
fn a_build_that_writes_too_large_a_file() {
    let lib = "pub static BYTES: [u8; 1100 << 20] = [7; 1100 << 20];\n";
    check("too_large_a_file", &[], lib);
}

/// Each error shows the same long line several times.
#[test]
fn a_build_that_prints_too_many_messages() {
    let line: String = (0..2000).map(|n| format!("compile_error!(\"no {n}\"); ")).collect();
    let folder = folder("too_many_messages");
    write_crate(&folder, "bomb", &line);
    let said = cargo_grade(&folder, ["bomb"]);
    let expected = "exit 3\n\
                    --- stderr\n\
                    error: bomb does not build: compiling it printed more than 16 MiB of \
                    messages\n\n\
                    error: no 0\n";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.len() < 100_000, "{} bytes", said.len());
}

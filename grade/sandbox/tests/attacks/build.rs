//! Attacks by a submission's code while it is compiled: build scripts, macros, and included files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use sandbox::{Limits, Toolchain};

use crate::support::{LIMIT, finish, folder, limits, outcome, programs, sandbox};

fn toolchain() -> Toolchain {
    Toolchain::find().expect("there is a compiler")
}

/// The lines that contain any of these words.
fn lines_with<'a>(text: &'a str, words: &[&str]) -> Vec<&'a str> {
    text.lines()
        .map(str::trim)
        .filter(|line| words.iter().any(|word| line.contains(word)))
        .collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("there is room for a folder");
    for entry in from.read_dir().expect("it is there") {
        let entry = entry.expect("it is there");
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).expect("there is room for a file")),
        }
    }
}

fn cargo(sources: &Path, target: &Path) -> Command {
    let mut cargo = toolchain()
        .cargo(sandbox(), &[sources], target, &Limits::of_a_build())
        .expect("there is room for a folder");
    cargo.current_dir(sources).args(["build", "--color", "never"]);
    cargo
}

#[test]
fn a_build_script_reaches_nothing_and_leaves_no_process() {
    let (sources, target) = (folder("evil"), folder("evil-target"));
    copy(&programs().join("evil"), &sources);
    let secret = folder("evil-secret").join("another.rs");
    fs::write(&secret, "mine").expect("the folder is ours");
    let finished = finish(cargo(&sources, &target).env("EVIL_SECRET", &secret), LIMIT);
    assert!(!finished.timed_out);
    wait_until_let_go(&target.join("tmp/held"));
    insta::assert_snapshot!(
        lines_with(&String::from_utf8_lossy(&finished.stderr), &["SUCC", "os error"]).join("\n")
    );
}

/// Waits until no process holds the lock, which ends with the last process that has the file open.
fn wait_until_let_go(file: &Path) {
    let file = fs::File::open(file).expect("it was made");
    let (sender, let_go) = mpsc::channel();
    thread::spawn(move || sender.send(file.lock()));
    let_go.recv_timeout(LIMIT).expect("no process is left").expect("a lock");
}

#[test]
fn a_macro_reaches_nothing() {
    let (sources, target) = (folder("macro"), folder("macro-target"));
    copy(&programs().join("evil"), &sources);
    fs::remove_file(sources.join("build.rs")).expect("it is there");
    let finished = finish(&mut cargo(&sources, &target), LIMIT);
    insta::assert_snapshot!(
        lines_with(&String::from_utf8_lossy(&finished.stderr), &["error"]).join("\n")
    );
}

fn compiled(name: &str, source: &str, limits: &Limits) -> sandbox::Finished {
    let folder = folder(name);
    let file = folder.join("lib.rs");
    fs::write(&file, source).expect("the folder is ours");
    let mut rustc =
        toolchain().rustc(sandbox(), &[], &folder, limits).expect("there is room for a folder");
    rustc.args(["--edition", "2024", "--crate-type", "lib", "--out-dir"]).arg(&folder).arg(&file);
    finish(&mut rustc, LIMIT)
}

#[track_caller]
fn check_not_included(name: &str, file: &Path) {
    let source = format!("pub const SECRET: &[u8] = include_bytes!({file:?});");
    let finished = compiled(name, &source, &Limits::of_a_build());
    assert_eq!(finished.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&finished.stderr);
    assert_eq!(
        lines_with(&errors, &["error: couldn't"]),
        [format!("error: couldn't read `{}`: Permission denied (os error 13)", file.display())]
    );
}

/// A library at the root and a program below, as a submission is laid out.
fn lay_out(folder: &Path, lib: &str) {
    let runner = folder.join("runner");
    fs::create_dir_all(folder.join("src")).expect("there is room for a folder");
    fs::create_dir_all(runner.join("src")).expect("there is room for a folder");
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nedition = \"2021\"\n");
    let root = package("submitted") + "[workspace]\nmembers = [\"runner\"]\nresolver = \"3\"\n";
    let program = package("runner") + "[dependencies]\nsubmitted = { path = \"..\" }\n";
    let files = [
        (folder.join("Cargo.toml"), root.as_str()),
        (folder.join("Cargo.lock"), ""),
        (folder.join("src/lib.rs"), lib),
        (runner.join("Cargo.toml"), program.as_str()),
        (runner.join("src/main.rs"), "fn main() { submitted::make() }\n"),
    ];
    for (file, text) in files {
        fs::write(file, text).expect("the folder is ours");
    }
    let locks = Command::new(env!("CARGO"))
        .args(["generate-lockfile", "--offline"])
        .current_dir(folder)
        .status();
    assert!(locks.expect("there is a cargo").success());
}

/// The output of the step that links a program after its library was compiled. It has no right to
/// read the sources of the library.
fn linked(name: &str, lib: &str) -> String {
    let (folder, target) = (folder(name), folder(&format!("{name}-target")));
    lay_out(&folder, lib);
    let step = |reads: &[&Path], at: &Path| {
        let mut cargo = toolchain()
            .cargo(sandbox(), reads, &target, &Limits::of_a_build())
            .expect("there is room for a folder");
        cargo.current_dir(at).args(["build", "--release", "--offline", "--color", "never"]);
        finish(&mut cargo, LIMIT)
    };
    fs::write(folder.join("src/evil.o"), "no object").expect("the folder is ours");
    let alone = step(&[&folder], &folder);
    assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stderr));
    let own = ["Cargo.toml", "Cargo.lock", "runner"].map(|name| folder.join(name));
    let own = own.each_ref().map(PathBuf::as_path);
    let whole = step(&own, &folder.join("runner"));
    let said = String::from_utf8_lossy(&whole.stderr).into_owned();
    assert!(!said.contains("Compiling submitted"), "the library is compiled again: {said}");
    said
}

#[test]
fn a_program_is_linked_without_the_sources_of_its_library() {
    let said = linked("link-honest", "pub fn make() {}\n");
    assert!(said.contains("Compiling runner") && said.contains("Finished"), "{said}");
}

#[test]
fn a_linker_cannot_read_an_object_among_the_sources() {
    let up = "../".repeat(15);
    let lib = format!(
        "#[link(name = \"{up}proc/self/cwd/src/evil.o\", kind = \"dylib\", \
         modifiers = \"+verbatim\")]\nextern \"C\" {{}}\npub fn make() {{}}\n"
    );
    let said = linked("link-evil", &lib);
    assert!(said.contains("evil.o") && said.contains("Permission denied"), "{said}");
}

#[test]
fn a_file_outside_the_submission_cannot_be_included() {
    let secret = folder("included-secret").join("rubric.toml");
    fs::write(&secret, "hidden = [7]").expect("the folder is ours");
    check_not_included("included-rubric", &secret);
    check_not_included("included-passwd", Path::new("/etc/passwd"));
    check_not_included("included-environment", Path::new("/proc/self/environ"));
}

#[test]
fn a_bomb_of_macros_ends_by_itself() {
    let source = "#![recursion_limit = \"1000000\"]\n\
                  macro_rules! bomb { ($($t:tt)*) => { bomb!($($t)* $($t)* $($t)*) } }\n\
                  bomb!(a b c);\n";
    let finished = compiled("macro-bomb", source, &Limits { cpu_s: 3, ..limits() });
    let words = outcome(&finished);
    assert!(
        words.contains("SIGABRT") || words.contains("SIGXCPU") || words.contains("exit code 101"),
        "{words}"
    );
}

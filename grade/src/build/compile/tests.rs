//! The result of a build is inspected even if the sources have passed every check and the linker
//! could read them. So these submissions skip intake, and there is no sandbox.

use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::exit;
use crate::intake::manifest::Manifest;

const IDLE: &str = include_str!("../../../tests/cli/idle_peer.rs");
const MANIFEST: &str = "[package]\nname = \"native\"\nedition = \"2021\"\n\n\
    [dependencies]\nraftapi = \"*\"\nlabrpc = \"*\"\nparking_lot = \"0.13\"\n";
/// A path to the sources from any folder in which the linker looks for libraries.
const UP: &str = "../../../../../../../../../../../../../../../proc/self/cwd/src";
/// Code that runs before `main`, under a name as Rust gives it.
const EVIL: &str = "#[used]\n#[link_section = \".init_array\"]\n\
    static EVIL: extern \"C\" fn() = evil;\n\
    #[export_name = \"_Revil\"]\nextern \"C\" fn evil() {}\n";

fn rustc(source: &str, arguments: &[&str]) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let (source_file, made) = (folder.path().join("evil.rs"), folder.path().join("made"));
    fs::write(&source_file, source).unwrap();
    let mut command = Command::new("rustc");
    command.args(["--edition", "2021", "-C", "panic=abort", "-o"]).arg(&made).args(arguments);
    assert!(command.arg(&source_file).status().unwrap().success());
    fs::read(made).unwrap()
}

fn object(source: &str) -> Vec<u8> {
    rustc(source, &["--crate-type", "lib", "--emit", "obj", "-C", "codegen-units=1"])
}

/// An archive with one object in it.
fn archive(object: &[u8]) -> Vec<u8> {
    let fields = ["evil.o/", "0", "0", "0", "644", &object.len().to_string()];
    let widths = [16, 12, 6, 6, 8, 10];
    let padded = fields.iter().zip(widths).map(|(field, width)| format!("{field:<width$}"));
    let header = format!("!<arch>\n{}`\n", padded.collect::<String>());
    let mut archive = [header.as_bytes(), object].concat();
    archive.resize(archive.len().next_multiple_of(2), b'\n');
    archive
}

/// Checks why a submission with these lines and this file among its sources is not built.
#[track_caller]
fn check(lines: &str, file: &str, bytes: Vec<u8>, expected: &str) {
    let kit = Kit::find().unwrap();
    let manifest = Manifest::read(&MANIFEST.parse().unwrap(), &kit).unwrap();
    let lib = format!("{IDLE}\n{}\n", lines.replace("UP", UP));
    let files = [("src/lib.rs".to_owned(), lib.into_bytes()), (format!("src/{file}"), bytes)];
    let submission = Submission {
        name: "native".into(),
        manifest: manifest.unwrap_or_else(|refusal| panic!("{refusal}")),
        files: files.into(),
        ignored: Vec::new(),
    };
    let budget = Budget::default();
    let builder = Builder::new(&kit, Isolation::Process, None, budget).unwrap();
    let error = builder.program(&submission).map(|_| "it was built").unwrap_err();
    let words = error.downcast_ref().map_or("", UserError::words);
    assert_eq!(error.to_string(), expected, "{words}");
    assert_eq!(exit::of(&error), exit::Exit::BuildFailed);
}

fn link(file: &str, kind: &str) -> String {
    format!(
        "#[link(name = \"UP/{file}\", kind = \"{kind}\", modifiers = \"+verbatim\")]\n\
         extern \"C\" {{}}"
    )
}

const BEFORE_MAIN: &str = "native cannot be graded: its program runs `_Revil` before `main`; safe \
                           Rust never does that: remove native code";

#[test]
fn an_object_that_runs_before_main_is_found_in_the_program() {
    check(&link("evil.o", "dylib"), "evil.o", object(EVIL), BEFORE_MAIN);
}

#[test]
fn an_object_that_replaces_a_function_is_found_in_the_program() {
    let source = "#[no_mangle]\npub extern \"C\" fn getenv(_: *const u8) -> usize { 0 }\n";
    let expected = "native cannot be graded: its program provides the symbol `getenv`; safe Rust \
                    never does that: remove native code";
    check(&link("evil.o", "dylib"), "evil.o", object(source), expected);
}

/// The linker makes such a name local, because nothing else in the program needs it.
#[test]
fn a_function_under_a_hidden_name_is_found_in_the_program() {
    let source = "std::arch::global_asm!(\".globl getenv\", \".hidden getenv\", \
                  \".type getenv, @function\", \"getenv:\", \"ret\");\n";
    let expected = "native cannot be graded: its program provides the symbol `getenv`; safe Rust \
                    never does that: remove native code";
    check(&link("evil.o", "dylib"), "evil.o", object(source), expected);
}

/// The compiler adds functions for this.
#[test]
fn functions_that_the_compiler_adds_for_arithmetic_are_not_foreign() {
    let folder = TempDir::new().unwrap();
    let program = |name: &str, main: &str| {
        let path = folder.path().join(name);
        fs::write(&path, rustc(main, &[])).unwrap();
        path
    };
    let honest = Traits::of_kit(&program("honest", "fn main() {}")).unwrap();
    let main = "fn main() {
        let [n, m] = std::hint::black_box([u128::MAX, 7]);
        println!(\"{} {} {}\", n / m, (n as f64).sin(), (m as f64).powf(0.3) as u128 % n);
    }";
    assert_eq!(Traits::of(&program("more", main)).unwrap().beyond(&honest), None);
}

#[test]
fn a_library_that_the_program_needs_is_found_in_it() {
    // The linker keeps only libraries that are used.
    let source = "#[no_mangle]\npub extern \"C\" fn getenv(_: *const u8) -> usize { 0 }\n";
    let library = rustc(source, &["--crate-type", "cdylib"]);
    let expected = "native cannot be graded: its program needs the library `libevil.so`; safe Rust \
                    never does that: remove native code";
    check(&link("libevil.so", "dylib"), "libevil.so", library, expected);
}

#[test]
fn an_object_from_a_linker_script_is_found_in_the_program() {
    let folder = TempDir::new().unwrap();
    let evil = folder.path().join("evil.o");
    fs::write(&evil, object(EVIL)).unwrap();
    let script = format!("INPUT(\"{}\")\n", evil.display());
    check(&link("raft.rs", "dylib"), "raft.rs", script.into_bytes(), BEFORE_MAIN);
}

/// The compiler finds archives only in folders that its command line names, and here it names none.
#[test]
fn an_archive_among_the_sources_is_not_found_by_the_compiler() {
    check(&link("evil.a", "static"), "evil.a", archive(&object(EVIL)), "native does not build");
}

/// The case in which the command line names such a folder.
#[test]
fn an_archive_that_the_compiler_has_bundled_is_found_in_the_library() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("libevil.a"), archive(&object(EVIL))).unwrap();
    let foreign = |source: &str| {
        fs::write(file("lib.rs"), source).unwrap();
        let mut command = Command::new("rustc");
        command.args(["--crate-type", "lib", "--crate-name", "own", "-C", "extra-filename=-77"]);
        command.arg("--out-dir").arg(folder.path()).arg("-L").arg(folder.path());
        assert!(command.arg(file("lib.rs")).status().unwrap().success());
        Library::of(&file("libown-77.rmeta")).unwrap().foreign_object().unwrap()
    };
    assert_eq!(foreign("pub fn own() -> String { String::new() }"), None);
    let bundles = "#[link(name = \"evil\", kind = \"static\")]\nextern \"C\" {}";
    assert_eq!(foreign(bundles).as_deref(), Some("evil.o"));
}

#[test]
fn a_file_from_elsewhere_is_found_in_the_compilers_list_of_files() {
    let line = "pub const MANIFEST: &str = include_str!(\"../Cargo.toml\");";
    let expected = "native cannot be graded: it includes src/../Cargo.toml, which is outside its \
                    src; copy it there";
    check(line, "none.txt", Vec::new(), expected);
    let own = "pub const OWN: &str = include_str!(\"../src/no ne.txt\");\n\
               compile_error!(\"it was read\");";
    check(own, "no ne.txt", Vec::new(), "native does not build");
}

/// The compiler also refuses what the search for tokens finds, as far as it sees it.
#[test]
fn a_name_for_the_linker_is_refused_by_the_compiler() {
    let sources = [
        "#[no_mangle]\npub fn clock_gettime() {}",
        "#[export_name = \"write\"]\npub fn write() {}",
        "#[link_section = \".init_array\"]\npub static F: u8 = 0;",
        "std::arch::global_asm!(\"nop\");",
    ];
    for source in sources {
        check(source, "none.txt", Vec::new(), "native does not build");
    }
}

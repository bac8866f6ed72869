//! Runs the program, and makes crates for it to grade.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;

/// No command of these tests takes longer, even on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// The kit's folder.
pub(crate) fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the kit holds the crate").into()
}

/// The folder in which the program compiles.
pub(crate) fn target() -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo's folder is in it");
    target.display().to_string()
}

/// An empty folder, the same each time, so that cargo does not compile the same again.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("grade-cli").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder is ours");
    }
    fs::create_dir_all(&folder).expect("there is room for a folder");
    folder
}

/// Writes a crate of this name with a manifest for the kit and `src/lib.rs`.
pub(crate) fn write_crate(folder: &Path, name: &str, lib: &str) -> PathBuf {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\n\
         raftapi = \"*\"\nlabrpc = \"*\"\nparking_lot = \"0.13\"\n"
    );
    write_crate_with(folder, name, &manifest, lib)
}

/// The same with a manifest of its own.
pub(crate) fn write_crate_with(folder: &Path, name: &str, manifest: &str, lib: &str) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.join("src")).expect("there is room for a folder");
    fs::write(path.join("Cargo.toml"), manifest).expect("there is room for a file");
    fs::write(path.join("src/lib.rs"), lib).expect("there is room for a file");
    path
}

/// The result of a call as text: exit code, stdout, stderr.
pub(crate) fn cargo_grade<'a>(
    folder: &Path,
    arguments: impl IntoIterator<Item = &'a str>,
) -> String {
    told(program(folder).arg("grade").args(arguments))
}

/// The program as cargo starts it, in this folder.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-grade"));
    command.current_dir(folder).env_remove("RUST_BACKTRACE").timeout(LIMIT);
    command
}

pub(crate) fn told(command: &mut Command) -> String {
    let output = command.output().expect("the program runs");
    let code = output.status.code().map_or("none".into(), |code| code.to_string());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // The layers that hold depend on the machine.
    let stderr = text(&output.stderr);
    let lines = stderr.split_inclusive('\n');
    let (layers, words): (Vec<_>, Vec<_>) = lines.partition(|line| is_of_sandbox(line));
    assert!(layers.len() <= 1, "it is said once: {layers:?}");
    format!("exit {code}\n{}--- stderr\n{}", text(&output.stdout), words.concat())
}

fn is_of_sandbox(line: &str) -> bool {
    line.starts_with("sandbox: ") || line.starts_with("no sandbox: ")
}

/// Compares with a golden file, without paths and times.
macro_rules! assert_golden {
    ($name:expr, $folder:expr, $text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r" +\d+\.\d\d( ± \d+\.\d\d)? ┆", "     TIME ┆");
        settings.add_filter(r"\[ +\d+\.\d{6} server", "[TIME server");
        settings.add_filter(r"for \d+\.\d s", "for SECONDS s");
        // The place within a loop differs.
        settings.add_filter(r"(it is in \S+ at src/lib\.rs:\d+):\d+", "$1:COLUMN");
        // The id of a submission.
        settings.add_filter(r"\b[0-9a-f]{32}\b", "CONTENT");
        settings.add_filter(r"\+[0-9a-f]{12}\b", "+SOURCES");
        settings.add_filter(r#""rustc \d[^"]*""#, "\"RUSTC\"");
        settings.add_filter(&$crate::support::target(), "TARGET");
        settings.add_filter(&format!("{}", $folder.display()), "FOLDER");
        settings.add_filter(&format!("{}", $crate::support::kit().display()), "KIT");
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!($name, $text));
    }};
}

pub(crate) use assert_golden;

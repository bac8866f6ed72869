//! Compiles a submission and the runner that puts it through the labs.

use std::fs::{self, File};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use std::{env, io};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use toml_edit::Value;

use crate::exit::Refusal;
use crate::kit::Kit;
use crate::take::{Submission, write_if_new};

/// The crate whose `main` hosts one server of the submission.
const ONE_PEER: &str = "peer";
/// The crate whose `main` puts it through the labs, all servers in one process.
const ALL_PEERS: &str = "tests";
const SPINNER_INTERVAL: Duration = Duration::from_millis(100);

/// Makes the program that runs the labs on this submission.
pub(crate) fn compile(submission: &Submission, kit: &Kit, in_process: bool) -> Result<PathBuf> {
    let target = kit.target()?;
    let workspace = target.join(submission.id());
    let _lock = lock(&workspace).context("failed to lock the submission's workspace")?;
    lay_out(submission, kit, &workspace, if in_process { ALL_PEERS } else { ONE_PEER })?;

    let spinner = ProgressBar::new_spinner();
    spinner.set_message(format!("compiling {}", submission.manifest.name));
    spinner.enable_steady_tick(SPINNER_INTERVAL);
    let program = build(submission, &workspace, &target.join("build"));
    spinner.finish_and_clear();
    program
}

/// Two graders of one submission would write the same files; held until the file is dropped.
fn lock(workspace: &Path) -> io::Result<File> {
    fs::create_dir_all(workspace)?;
    let file = File::create(workspace.join("lock"))?;
    file.lock()?;
    Ok(file)
}

/// The submission first, alone: what fails there is its own; what fails after it is `make`.
fn build(submission: &Submission, workspace: &Path, target: &Path) -> Result<PathBuf> {
    let name = &submission.manifest.name;
    let alone = cargo(workspace, target, &["--lib"])?;
    if !alone.status.success() {
        let refusal = Refusal::unbuilt(format!("{name} does not build"));
        return Err(refusal.in_words(words(&alone)).into());
    }
    let runner = cargo(&workspace.join("runner"), target, &[])?;
    if !runner.status.success() {
        let refusal = Refusal::unbuilt(format!(
            "{name} has no `pub fn make(PeerContext) -> Arc<dyn RaftPeer>` at its root"
        ));
        return Err(refusal.in_words(words(&runner)).into());
    }
    executable(&runner).context("cargo named no program after it had compiled one")
}

fn lay_out(submission: &Submission, kit: &Kit, workspace: &Path, host: &str) -> Result<()> {
    submission.copy_sources(workspace)?;
    let root = submission.manifest.render(&submission.unique());
    write_if_new(&workspace.join("Cargo.toml"), root.as_bytes())?;
    let runner = runner_manifest(submission, kit, host)?;
    write_if_new(&workspace.join("runner/Cargo.toml"), runner.as_bytes())?;
    let main = format!("fn main() {{\n    {host}::main(submission::make)\n}}\n");
    write_if_new(&workspace.join("runner/src/main.rs"), main.as_bytes())?;
    // Anew each time: cargo adds to it what the submission uses beyond the kit.
    fs::copy(kit.path("Cargo.lock"), workspace.join("Cargo.lock"))
        .context("failed to copy the kit's Cargo.lock")?;
    Ok(())
}

fn runner_manifest(submission: &Submission, kit: &Kit, host: &str) -> Result<String> {
    Ok(format!(
        "[package]\nname = {}\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [dependencies]\nsubmission = {{ path = \"..\", package = {} }}\n{host} = {{ path = {} }}\n",
        Value::from(format!("{}-{host}", submission.id())),
        Value::from(submission.manifest.name.as_str()),
        Value::from(kit.path_text(if host == ONE_PEER { "grade/peer" } else { host })?),
    ))
}

fn cargo(folder: &Path, target: &Path, arguments: &[&str]) -> Result<Output> {
    let colours = if io::stderr().is_terminal() { "always" } else { "never" };
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(folder)
        .args(["build", "--release", "--quiet", "--color", colours])
        .args(["--message-format", "json-render-diagnostics"])
        .args(arguments)
        .env("CARGO_TARGET_DIR", target)
        // The same for everybody, and no lint keeps a submission from being graded.
        .env("RUSTFLAGS", "--cap-lints=warn")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .context("failed to run cargo")
}

/// What cargo and the compiler said to people.
fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The program among cargo's messages, of which there is one a line.
fn executable(output: &Output) -> Option<PathBuf> {
    let messages = output.stdout.split(|byte| *byte == b'\n');
    messages
        .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
        .filter_map(|message| Some(message.get("executable")?.as_str()?.into()))
        .next_back()
}

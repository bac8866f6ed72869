//! Has cargo compile the mutants.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Error, Result};
use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{CompilerMessage, Message};
use runner::explore;

use crate::exit::UserError;
use crate::matrix::Mode;
use crate::mutant::Mutant;
use crate::workspace::{BLACK_BOX, Workspace, package_name};

/// The program that runs the labs on this mutant in this mode.
pub(crate) fn build(workspace: &Workspace, mutant: &Mutant, mode: Mode) -> Result<PathBuf> {
    let name = package_name(mutant);
    let of_this = ["-p", &name];
    let mut programs = match mode {
        Mode::Inspect | Mode::SuiteOnly | Mode::BlackBox => {
            compile(workspace, &of_this, &mutant.name, false)
        }
        Mode::Edges => compile(workspace, &of_this, &mutant.name, true),
    }?;
    let program = programs.remove(&name).context("cargo named no program after it compiled one")?;
    if mode == Mode::BlackBox { black_box(&program) } else { Ok(program) }
}

/// The programs of all mutants of the workspace, by the name of the package.
pub(crate) fn build_all(workspace: &Workspace) -> Result<BTreeMap<String, PathBuf>> {
    compile(workspace, &["--workspace"], "these patches", false)
}

/// The same program under the name that tells it to hide `inspect`.
fn black_box(program: &Path) -> Result<PathBuf> {
    let link = program.with_added_extension(BLACK_BOX);
    match fs::remove_file(&link) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => fs::hard_link(program, &link),
    }
    .with_context(|| format!("failed to link {}", link.display()))?;
    Ok(link)
}

/// Compiles packages in release mode, with thread switches at edges or without.
fn compile(
    workspace: &Workspace,
    packages: &[&str],
    names: &str,
    edges: bool,
) -> Result<BTreeMap<String, PathBuf>> {
    let output = cargo(workspace, &[&["build", "--release"], packages].concat(), edges)?;
    if !output.status.success() {
        return Err(compile_error(names, &output).into());
    }
    let programs = messages(&output).filter_map(|message| match message {
        Message::CompilerArtifact(artifact) => Some((artifact.target.name, artifact.executable?)),
        _ => None,
    });
    Ok(programs.map(|(name, program)| (name, program.into())).collect())
}

/// Checks that all mutants compile. Returns the ids of those with warnings, and how many.
pub(crate) fn check(workspace: &Workspace, mutants: &[&Mutant]) -> Result<Vec<(String, usize)>> {
    let output = cargo(workspace, &["check", "--workspace", "--keep-going"], false)?;
    let (mut warnings, mut broken) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    for message in compiler_messages(&output) {
        let package = workspace.package_of(message.target.src_path.as_std_path());
        match message.message.level {
            DiagnosticLevel::Error => drop(broken.insert(package)),
            DiagnosticLevel::Warning => *warnings.entry(package).or_default() += 1,
            _ => {}
        }
    }
    let bad = mutants.iter().filter(|mutant| broken.contains(&package_name(mutant)));
    let bad: Vec<&str> = bad.map(|mutant| mutant.name.as_str()).collect();
    if !bad.is_empty() || !output.status.success() {
        return Err(compile_error(&bad.join(", "), &output).into());
    }
    let warned = mutants.iter().filter_map(|mutant| {
        let count = warnings.get(&package_name(mutant))?;
        Some((mutant.id().to_owned(), *count))
    });
    Ok(warned.collect())
}

fn compile_error(names: &str, output: &Output) -> UserError {
    let errors = compiler_messages(output)
        .filter(|message| message.message.level == DiagnosticLevel::Error)
        .filter_map(|message| message.message.rendered);
    let words = String::from_utf8_lossy(&output.stderr);
    let errors = errors.collect::<String>();
    UserError::patch(format!("with {names} raft does not compile\n{words}{errors}"))
}

fn cargo(workspace: &Workspace, arguments: &[&str], edges: bool) -> Result<Output> {
    let mut command = explore::cargo();
    command
        .current_dir(&workspace.root)
        .args(arguments)
        .args(["--quiet", "--message-format", "json"])
        .env("CARGO_TARGET_DIR", workspace.target.join(if edges { "edges" } else { "build" }))
        // No lint may stop a mutant from being tried.
        .env("RUSTFLAGS", "--cap-lints=warn")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if edges {
        explore::instrument(&mut command).map_err(Error::msg)?;
    }
    command.output().context("failed to run cargo")
}

/// Cargo's messages. Text that is no message, such as what a build script prints, is left out.
fn messages(output: &Output) -> impl Iterator<Item = Message> {
    Message::parse_stream(&output.stdout[..]).filter_map(Result::ok)
}

/// What the compiler reported, with text for people.
fn compiler_messages(output: &Output) -> impl Iterator<Item = CompilerMessage> {
    messages(output).filter_map(|message| match message {
        Message::CompilerMessage(message) => message.message.rendered.is_some().then_some(message),
        _ => None,
    })
}

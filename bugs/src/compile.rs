//! Has cargo compile the mutants.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Error, Result, bail};
use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{CompilerMessage, Message};
use runner::explore;

use crate::digest::GRADER;
use crate::exit::UserError;
use crate::mode::Mode;
use crate::mutant::Mutant;
use crate::workspace::{BLACK_BOX, Workspace, host_name, package_name};

/// The grader's program.
const GRADING: &str = "cargo-grade";
const NO_PROGRAM: &str = "cargo did not say where the compiled program is";

/// A program that runs the labs on a mutant.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// The arguments before those of a job.
    pub(crate) arguments: Vec<OsString>,
    /// Whether each server of a run is a process. Then the process of the run has only the kit's
    /// code.
    pub(crate) is_graded: bool,
}

impl From<PathBuf> for Program {
    fn from(path: PathBuf) -> Program {
        Program { path, arguments: Vec::new(), is_graded: false }
    }
}

/// The program that runs the labs on this mutant in this mode.
pub(crate) fn build(workspace: &Workspace, mutant: &Mutant, mode: Mode) -> Result<Program> {
    let (package, host) = (package_name(mutant), host_name(mutant));
    let name = if mode == Mode::Graded { &host } else { &package };
    let edges = mode == Mode::Edges;
    let mut programs = compile(workspace, &["-p", &package, "--bin", name], &mutant.name, edges)?;
    let path = programs.remove(name).context(NO_PROGRAM)?;
    match mode {
        Mode::Graded => graded(workspace, &path),
        Mode::BlackBox => black_box(&path).map(Program::from),
        Mode::Inspect | Mode::Edges | Mode::SuiteOnly => Ok(path.into()),
    }
}

/// The programs that run the labs on these mutants, by the name of the package.
pub(crate) fn build_all(
    workspace: &Workspace,
    mutants: &[&Mutant],
) -> Result<BTreeMap<String, PathBuf>> {
    let names: Vec<String> = mutants.iter().map(|mutant| package_name(mutant)).collect();
    let bins: Vec<&str> = names.iter().flat_map(|name| ["--bin", name]).collect();
    compile(workspace, &[&["--workspace"], &bins[..]].concat(), "these patches", false)
}

/// The kit's own grader, with the arguments for runs whose servers are processes of `host`.
///
/// Cargo checks its sources again for each mutant, which is quick, and compiles it only once.
fn graded(workspace: &Workspace, host: &Path) -> Result<Program> {
    let mut command = explore::cargo();
    command
        .current_dir(&workspace.kit)
        .args(["build", "--release", "--quiet", "--message-format", "json"])
        .args(["-p", GRADER, "--bin", GRADING]);
    let output = command.output().context("failed to run cargo")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("the grader does not compile\n{words}");
    }
    let path = programs(&output).remove(GRADING).context(NO_PROGRAM)?;
    let asked = Command::new(&path).arg("runs-of").arg(host).output();
    let asked = asked.with_context(|| format!("failed to run {}", path.display()))?;
    if !asked.status.success() {
        let words = String::from_utf8_lossy(&asked.stderr);
        bail!("the grader cannot run processes here: {}", words.trim());
    }
    let arguments: Vec<String> = serde_json::from_slice(&asked.stdout)
        .context("failed to read the list of arguments that the grader printed")?;
    let arguments = arguments.into_iter().map(OsString::from).collect();
    Ok(Program { path, arguments, is_graded: true })
}

/// The same program under a name that makes it hide `inspect`.
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
    Ok(programs(&output))
}

/// The programs that cargo has compiled, by their names.
fn programs(output: &Output) -> BTreeMap<String, PathBuf> {
    let programs = messages(output).filter_map(|message| match message {
        Message::CompilerArtifact(artifact) => Some((artifact.target.name, artifact.executable?)),
        _ => None,
    });
    programs.map(|(name, program)| (name, program.into())).collect()
}

/// Checks that all mutants compile. Returns the ids of those with warnings, and the number of
/// warnings.
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
    UserError::patch(format!("raft does not compile with {names}\n{words}{errors}"))
}

fn cargo(workspace: &Workspace, arguments: &[&str], edges: bool) -> Result<Output> {
    let mut command = explore::cargo();
    command
        .current_dir(&workspace.root)
        .args(arguments)
        .args(["--quiet", "--message-format", "json"])
        .env("CARGO_TARGET_DIR", workspace.target.join(if edges { "edges" } else { "build" }))
        // No lint may prevent the trial of a mutant.
        .env("RUSTFLAGS", "--cap-lints=warn")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if edges {
        explore::instrument(&mut command).map_err(Error::msg)?;
    }
    command.output().context("failed to run cargo")
}

/// Cargo's messages. Other text, such as the output of a build script, is left out.
fn messages(output: &Output) -> impl Iterator<Item = Message> {
    Message::parse_stream(&output.stdout[..]).filter_map(Result::ok)
}

/// The messages of the compiler that have text for people.
fn compiler_messages(output: &Output) -> impl Iterator<Item = CompilerMessage> {
    messages(output).filter_map(|message| match message {
        Message::CompilerMessage(message) => message.message.rendered.is_some().then_some(message),
        _ => None,
    })
}

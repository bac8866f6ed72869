//! Has cargo compile the plants.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Output;

use ::tests::explore;
use anyhow::{Context, Error, Result};
use serde_json::Value;

use crate::exit::Refusal;
use crate::matrix::Mode;
use crate::plant::Plant;
use crate::workspace::{BLACK_BOX, Workspace, package_name};

/// The program that runs the labs on this plant in this way.
pub(crate) fn build(workspace: &Workspace, plant: &Plant, mode: Mode) -> Result<PathBuf> {
    match mode {
        Mode::Inspect | Mode::Plain => compile(workspace, plant, false),
        Mode::BlackBox => black_box(&compile(workspace, plant, false)?),
        Mode::Edges => compile(workspace, plant, true),
    }
}

/// The same program under the name by which it knows what it has to hide.
fn black_box(program: &Path) -> Result<PathBuf> {
    let link = program.with_added_extension(BLACK_BOX);
    match fs::remove_file(&link) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => fs::hard_link(program, &link),
    }
    .with_context(|| format!("failed to link {}", link.display()))?;
    Ok(link)
}

fn compile(workspace: &Workspace, plant: &Plant, edges: bool) -> Result<PathBuf> {
    let output = cargo(workspace, &["build", "--release", "-p", &package_name(plant)], edges)?;
    if !output.status.success() {
        return Err(uncompiled(&plant.name, &output).into());
    }
    let mut programs = messages(&output)
        .into_iter()
        .filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)));
    programs.next_back().context("cargo named no program after it had compiled one")
}

/// Whether all plants compile, and how many warnings each of them has.
pub(crate) fn check(workspace: &Workspace, plants: &[&Plant]) -> Result<Vec<(String, usize)>> {
    let output = cargo(workspace, &["check", "--workspace", "--keep-going"], false)?;
    let messages = messages(&output);
    let mut levels: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for message in &messages {
        let text = |pointer| message.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if text("/reason") == "compiler-message" && !text("/message/rendered").is_empty() {
            *levels.entry((text("/manifest_path"), text("/message/level"))).or_default() += 1;
        }
    }
    let count = |plant: &Plant, wanted: &str| -> usize {
        let manifest = workspace.root.join(package_name(plant)).join("Cargo.toml");
        let of_plant = levels
            .iter()
            .filter(|((path, level), _)| manifest.as_os_str() == *path && *level == wanted);
        of_plant.map(|(_, count)| count).sum()
    };
    let bad: Vec<&str> = plants
        .iter()
        .filter(|plant| count(plant, "error") > 0)
        .map(|plant| plant.name.as_str())
        .collect();
    if !bad.is_empty() || !output.status.success() {
        return Err(uncompiled(&bad.join(", "), &output).into());
    }
    let warned = plants.iter().map(|plant| (plant.id.clone(), count(plant, "warning")));
    Ok(warned.filter(|(_, count)| *count > 0).collect())
}

fn uncompiled(names: &str, output: &Output) -> Refusal {
    let rendered: Vec<String> = messages(output)
        .iter()
        .filter(|message| message.pointer("/message/level").is_some_and(|level| level == "error"))
        .filter_map(|message| Some(message.pointer("/message/rendered")?.as_str()?.to_owned()))
        .collect();
    let words = String::from_utf8_lossy(&output.stderr);
    Refusal::patch(format!("with {names} raft does not compile\n{words}{}", rendered.concat()))
}

fn cargo(workspace: &Workspace, arguments: &[&str], edges: bool) -> Result<Output> {
    let mut command = explore::cargo();
    command
        .current_dir(&workspace.root)
        .args(arguments)
        .args(["--quiet", "--message-format", "json"])
        .env("CARGO_TARGET_DIR", workspace.target.join(if edges { "edges" } else { "build" }))
        // No lint keeps a plant from being tried.
        .env("RUSTFLAGS", "--cap-lints=warn")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if edges {
        explore::instrument(&mut command).map_err(Error::msg)?;
    }
    command.output().context("failed to run cargo")
}

/// Cargo's messages, of which there is one a line.
fn messages(output: &Output) -> Vec<Value> {
    let lines = output.stdout.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

//! Writes the workspaces that cargo compiles: one for a submission and the program that hosts it,
//! and one for the kit alone.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml_edit::Value;

use crate::intake::manifest::PROFILE;
use crate::intake::submission::Submission;
use crate::isolation::Isolation;
use crate::kit::Kit;

/// The package that hosts a submission, and its folder in the workspace.
pub(crate) const PROGRAM: &str = "program";

/// The submission at the root, and the program that hosts it below.
pub(crate) fn submission(
    kit: &Kit,
    isolation: Isolation,
    submission: &Submission,
    id: &str,
    workspace: &Path,
) -> Result<()> {
    for (file, bytes) in &submission.files {
        write(&workspace.join(file), bytes)?;
    }
    let root = submission.manifest.render(id);
    write(&workspace.join("Cargo.toml"), root.as_bytes())?;
    let host = isolation.host();
    let manifest = format!(
        "[package]\nname = \"{PROGRAM}\"\nversion = \"0.0.0+{id}\"\nedition = \"2024\"\n\
         publish = false\n\n\
         [dependencies]\nsubmission = {{ path = \"..\", package = \"submitted\" }}\n\
         {host} = {{ path = {} }}\n",
        Value::from(kit.path_text(isolation.folder())?),
    );
    let program = workspace.join(PROGRAM);
    write(&program.join("Cargo.toml"), manifest.as_bytes())?;
    let main = format!("fn main() {{\n    {host}::main(submission::make)\n}}\n");
    write(&program.join("src/main.rs"), main.as_bytes())?;
    copy_lock_file(kit, workspace)
}

/// A program that hosts nothing. It is never run, but shows what every program contains that this
/// compiler makes from the kit.
pub(crate) fn kit_alone(kit: &Kit, isolation: Isolation, workspace: &Path) -> Result<()> {
    let host = isolation.host();
    let manifest = format!(
        "[package]\nname = \"kit\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [workspace]\nresolver = \"3\"\n\n\
         [dependencies]\n{host} = {{ path = {} }}\nraftapi = {{ path = {} }}\n\n{PROFILE}",
        Value::from(kit.path_text(isolation.folder())?),
        Value::from(kit.path_text("raftapi")?),
    );
    let main = format!(
        "fn main() {{\n    {host}::main(make)\n}}\n\n\
         fn make(_: raftapi::PeerContext) -> std::sync::Arc<dyn raftapi::RaftPeer> {{\n    \
         unreachable!()\n}}\n"
    );
    write(&workspace.join("Cargo.toml"), manifest.as_bytes())?;
    write(&workspace.join("src/main.rs"), main.as_bytes())?;
    copy_lock_file(kit, workspace)
}

fn copy_lock_file(kit: &Kit, workspace: &Path) -> Result<()> {
    fs::copy(kit.path("Cargo.lock"), workspace.join("Cargo.lock"))
        .map(drop)
        .context("failed to copy the kit's Cargo.lock")
}

/// Writes a file, and makes its folders.
fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    let folder = file.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, bytes))
        .with_context(|| format!("failed to write {}", file.display()))
}

//! Runs git.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result};

/// A caller of this program, such as a hook, may have set these for its own repository.
const REPOSITORY_VARIABLES: [&str; 5] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

/// Git in this folder.
pub(crate) fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder);
    for name in REPOSITORY_VARIABLES {
        command.env_remove(name);
    }
    command
}

/// Runs git to its end.
pub(crate) fn run(command: &mut Command) -> Result<Output> {
    command.output().context("failed to run git")
}

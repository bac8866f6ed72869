//! Runs git in the user's repository, and in a temporary scratch repository.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::exit::UserError;

/// The oldest git whose `merge-tree` writes a tree.
const VERSION_MIN: (u32, u32) = (2, 38);
/// Variables that a caller of this program, such as a git hook, may have set for its own
/// repository.
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

/// Runs git in this folder and returns what it prints, without the last newline.
pub(crate) fn read(folder: &Path, arguments: &[&str]) -> Result<String> {
    text(&run(git(folder).args(arguments))?)
}

/// Checks that git can merge trees.
///
/// # Errors
/// If git is missing or too old.
pub(crate) fn check_version() -> Result<()> {
    let (major, minor) = VERSION_MIN;
    let needed = format!("git {major}.{minor} or newer is needed to move patches");
    let Ok(output) = Command::new("git").arg("--version").output() else {
        return Err(UserError::usage(format!("{needed}, but git was not found")).into());
    };
    let found = String::from_utf8_lossy(&output.stdout);
    if version(&found).is_some_and(|version| version < VERSION_MIN) {
        return Err(UserError::usage(format!("{needed}, but this is {}", found.trim())).into());
    }
    Ok(())
}

/// The version in `git version 2.47.3`; `None` if git prints something else.
fn version(words: &str) -> Option<(u32, u32)> {
    let mut numbers = words.split_whitespace().nth(2)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// A repository in a temporary folder. It reads the objects of another repository and never changes
/// that one.
pub(crate) struct Scratch {
    folder: TempDir,
}

impl Scratch {
    /// A scratch repository that can read the objects of the repository around `folder`.
    pub(crate) fn reading(folder: &Path) -> Result<Scratch> {
        let objects = read(folder, &["rev-parse", "--git-path", "objects"])?;
        let objects = folder
            .join(objects)
            .canonicalize()
            .context("failed to find the folder of git's objects")?;
        let objects = objects.to_str().context("the repository's path is not valid Unicode")?;
        let scratch = Scratch { folder: tempfile::tempdir().context("failed to make a folder")? };
        scratch.read(&["init", "--quiet"])?;
        let alternates = scratch.folder.path().join(".git/objects/info/alternates");
        fs::write(alternates, format!("{objects}\n"))
            .context("failed to write to the scratch repository")?;
        Ok(scratch)
    }

    /// Git in this repository, without the user's settings.
    pub(crate) fn git(&self) -> Command {
        let mut command = git(self.folder.path());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").args([
            "-c",
            "user.name=bugs",
            "-c",
            "user.email=bugs@localhost",
        ]);
        command
    }

    /// Runs git here and returns what it prints, without the last newline.
    pub(crate) fn read(&self, arguments: &[&str]) -> Result<String> {
        text(&run(self.git().args(arguments))?)
    }

    /// Makes a tree that has only this folder of the working tree `root`, as it is now. Returns the
    /// name of the object.
    pub(crate) fn tree_of_folder(&self, root: &Path, folder: &str) -> Result<String> {
        self.read(&["read-tree", "--empty"])?;
        let mut command = self.git();
        command.current_dir(root).env("GIT_DIR", self.folder.path().join(".git"));
        text(&run(command.env("GIT_WORK_TREE", root).args(["add", "--all", folder]))?)?;
        self.read(&["write-tree"])
    }

    /// Makes a tree that has only this folder, whose own tree is given. Returns the name of the
    /// object.
    pub(crate) fn tree_of(&self, folder: &str, tree: &str) -> Result<String> {
        self.read(&["read-tree", "--empty"])?;
        self.read(&["read-tree", &format!("--prefix={folder}/"), tree])?;
        self.read(&["write-tree"])
    }
}

/// Runs git and waits until it ends.
pub(crate) fn run(command: &mut Command) -> Result<Output> {
    command.output().context("failed to run git")
}

/// What git printed, if it succeeded.
fn text(output: &Output) -> Result<String> {
    if !output.status.success() {
        bail!("git failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text =
        String::from_utf8(output.stdout.clone()).context("git printed bytes that are not UTF-8")?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_two_numbers() {
        assert_eq!(version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("git version 2.45.windows.1"), Some((2, 45)));
        assert_eq!(version("something else"), None);
    }
}

//! The sources of the reference Raft, as they are and with a patch.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::exit::UserError;
use crate::git;
use crate::mutant::Mutant;

/// Texts by the path of the file, relative to the folder of all sources.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sources {
    files: BTreeMap<PathBuf, String>,
}

impl Sources {
    /// Reads a folder and the folders in it, except the reference's own tests, which need not hold
    /// for a mutant.
    pub(crate) fn read(folder: &Path) -> Result<Sources> {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in
                fs::read_dir(&next).with_context(|| format!("failed to list {}", next.display()))?
            {
                let path = entry?.path();
                if path.is_file() {
                    let name = path.strip_prefix(folder).context("a file lies in its folder")?;
                    files.insert(name.to_owned(), read(&path)?);
                } else if !path.ends_with("tests") {
                    folders.push(path);
                }
            }
        }
        Ok(Sources { files })
    }

    /// The sources with the patch of `mutant`.
    ///
    /// # Errors
    /// If the patch does not apply, or changes nothing.
    pub(crate) fn with(&self, mutant: &Mutant) -> Result<Sources> {
        let Some(patch) = &mutant.file else { return Ok(self.clone()) };
        let copy = tempfile::tempdir().context("failed to make a folder")?;
        let folder = copy.path().join("raft/src");
        self.write(&folder)?;
        let mut command = git::git(copy.path());
        command
            .args(["apply", "--whitespace=nowarn"])
            .arg(patch)
            // Otherwise git could take the copy for a part of a repository around it.
            .env("GIT_CEILING_DIRECTORIES", copy.path().parent().unwrap_or(copy.path()));
        let output = git::run(&mut command)?;
        let patched = Sources::read(&folder)?;
        if !output.status.success() || patched == *self {
            let words = String::from_utf8_lossy(&output.stderr);
            let sentence =
                format!("{}.patch does not apply to raft: {}", mutant.name, words.trim());
            return Err(UserError::patch(sentence).into());
        }
        Ok(patched)
    }

    /// Makes `folder` hold exactly these files. A file that has the right text already is not
    /// written.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to make {}", folder.display()))?;
        for name in Sources::read(folder)?.files.keys() {
            if !self.files.contains_key(name) {
                fs::remove_file(folder.join(name)).context("failed to remove an old source")?;
            }
        }
        self.files.iter().try_for_each(|(name, text)| write_if_new(&folder.join(name), text))
    }
}

/// Reads a text file.
pub(crate) fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))
}

/// Writes a file and its folder, unless the file has this text already. A new time stamp would make
/// cargo compile it again.
pub(crate) fn write_if_new(file: &Path, text: &str) -> Result<()> {
    match fs::read_to_string(file) {
        Ok(old) if old == text => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = file.parent().context("a file has a folder")?;
            fs::create_dir_all(folder)
                .with_context(|| format!("failed to make {}", folder.display()))?;
        }
        _ => {}
    }
    fs::write(file, text).with_context(|| format!("failed to write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_with_its_folders_but_without_tests_and_written_without_old_files() {
        let kit = tempfile::tempdir().unwrap();
        let (from, to) = (kit.path().join("from"), kit.path().join("to"));
        for name in ["lib.rs", "rules/log.rs", "tests/log.rs", "rules/tests/log.rs"] {
            write_if_new(&from.join(name), name).unwrap();
        }
        write_if_new(&to.join("old/state.rs"), "").unwrap();

        let sources = Sources::read(&from).unwrap();
        let names: Vec<_> = sources.files.keys().collect();
        assert_eq!(names, [Path::new("lib.rs"), Path::new("rules/log.rs")]);
        sources.write(&to).unwrap();
        assert_eq!(Sources::read(&to).unwrap(), sources);
    }

    #[test]
    fn the_head_of_a_patch_does_not_change_the_sources_that_a_digest_covers() {
        let kit = tempfile::tempdir().unwrap();
        write_if_new(&kit.path().join("src/log.rs"), "old\n").unwrap();
        let sources = Sources::read(&kit.path().join("src")).unwrap();
        let patched = |head: &str| {
            let file = kit.path().join("A01-it.patch");
            let diff = "--- a/raft/src/log.rs\n+++ b/raft/src/log.rs\n@@ -1 +1 @@\n-old\n+new\n";
            fs::write(&file, format!("{head}\n\n{diff}")).unwrap();
            sources.with(&Mutant { file: Some(file), ..Mutant::reference() }).unwrap()
        };
        let with_argument = patched("id: A1\nsurvives: graded: a process hides it");
        assert_eq!(with_argument, patched("id: A1"));
        assert_ne!(with_argument, sources);
    }
}

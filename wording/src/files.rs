//! Which files of the tree are read, and for what.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::messages::{self, Messages};
use crate::prose::Prose;
use crate::{comments, pages};

/// The files of a tree that git knows, relative to its root.
pub(crate) struct Files {
    root: PathBuf,
    paths: Vec<String>,
}

impl Files {
    /// Asks git.
    pub(crate) fn of(root: &Path) -> Result<Files> {
        let mut git = Command::new("git");
        git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root);
        let output = git.output().context("failed to start git")?;
        if !output.status.success() {
            bail!("git does not list the files of {}", root.display());
        }
        let list = String::from_utf8(output.stdout).context("a path is not UTF-8")?;
        let is_there = |path: &&str| root.join(path).is_file();
        let mut paths: Vec<String> = list.lines().filter(is_there).map(str::to_owned).collect();
        paths.sort();
        Ok(Files { root: root.to_owned(), paths })
    }

    /// The messages of the product: what is under `src/`, tests and examples left out.
    pub(crate) fn messages(&self) -> Result<Messages> {
        let is_product = |path: &&String| {
            path.ends_with(".rs")
                && (path.starts_with("src/") || path.contains("/src/"))
                && !path.starts_with("examples/")
                && !path.contains("/tests/")
                && !path.ends_with("/tests.rs")
        };
        let mut all = Messages::new();
        for path in self.paths.iter().filter(is_product) {
            let messages = messages::of(&self.read(path)?).with_context(|| path.clone())?;
            if !messages.is_empty() {
                all.insert(path.clone(), messages);
            }
        }
        Ok(all)
    }

    /// All that people read: messages, comments and pages, each with its file.
    pub(crate) fn prose(&self) -> Result<Vec<(String, Prose)>> {
        let mut all = Vec::new();
        for (path, messages) in self.messages()? {
            let prose = messages.iter().map(|message| Prose::of(message.line, &message.text));
            all.extend(prose.map(|prose| (path.clone(), prose)));
        }
        for path in &self.paths {
            let of: fn(&str) -> Vec<Prose> = match path.rsplit_once('.') {
                Some((_, "rs")) => comments::of,
                Some((_, "md")) => pages::of,
                _ => continue,
            };
            let prose = of(&self.read(path)?);
            all.extend(prose.into_iter().map(|prose| (path.clone(), prose)));
        }
        Ok(all)
    }

    /// Reads a file of the tree.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.root.join(path)).with_context(|| format!("failed to read {path}"))
    }
}

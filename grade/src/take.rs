//! Takes a submission: only its sources, into a tree of the grader's own.
//!
//! Edited tests, build scripts, cargo configuration and lock files have no effect.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml_edit::DocumentMut;

use crate::exit::Refusal;
use crate::kit::Kit;
use crate::manifest::Manifest;

/// No honest submission has more source than this.
const SOURCE_BYTES_MAX: u64 = 8 << 20;
const FILES_MAX: usize = 1000;

/// A folder with a crate to grade.
pub(crate) struct Submission {
    pub(crate) manifest: Manifest,
    /// As the user named it.
    pub(crate) path: PathBuf,
    folder: PathBuf,
}

impl Submission {
    pub(crate) fn at(path: &Path, kit: &Kit) -> Result<Submission> {
        let shown = path.display();
        if !path.exists() {
            return Err(Refusal::usage(format!("{shown} does not exist")).into());
        }
        let Ok(text) = fs::read_to_string(path.join("Cargo.toml")) else {
            let sentence = format!("{shown} is no crate: it has no Cargo.toml");
            return Err(Refusal::usage(sentence).into());
        };
        let document: DocumentMut = text.parse().map_err(|error| {
            Refusal::unbuilt(format!("{shown}/Cargo.toml cannot be read"))
                .in_words(format!("{error}"))
        })?;
        let Some(manifest) = Manifest::read(&document, kit) else {
            let sentence = format!("{shown} is no crate: its Cargo.toml has no [package]");
            return Err(Refusal::usage(sentence).into());
        };
        let folder = path.canonicalize().with_context(|| format!("failed to find {shown}"))?;
        Ok(Submission { manifest: manifest?, path: path.into(), folder })
    }

    /// Tells submissions of one name apart, and is the same each time.
    pub(crate) fn unique(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.folder.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// A name for its runner that no other submission's has.
    pub(crate) fn id(&self) -> String {
        format!("{}-{}", self.manifest.name, self.unique())
    }

    /// Makes `workspace/src` the same as the submission's, and says what else was left.
    pub(crate) fn copy_sources(&self, workspace: &Path) -> Result<()> {
        let name = &self.manifest.name;
        let src = self.folder.join("src");
        if src.is_symlink() {
            let sentence = format!("{name} cannot be graded: its src is a link");
            return Err(Refusal::unbuilt(sentence).into());
        }
        let mut sources = Sources::default();
        sources.gather(&src, Path::new("src"))?;
        if sources.bytes > SOURCE_BYTES_MAX || sources.files.len() > FILES_MAX {
            let sentence = format!(
                "{name} cannot be graded: its src has {} files with {} bytes; \
                 {FILES_MAX} and {SOURCE_BYTES_MAX} are the limits",
                sources.files.len(),
                sources.bytes
            );
            return Err(Refusal::unbuilt(sentence).into());
        }
        if !sources.files.contains(Path::new("src/lib.rs")) {
            let sentence = format!("{name} cannot be graded: it has no src/lib.rs");
            return Err(Refusal::unbuilt(sentence).into());
        }
        self.say_what_is_left_out(&sources);
        remove_others(workspace, Path::new("src"), &sources.files)?;
        for file in &sources.files {
            let source = self.folder.join(file);
            let bytes = fs::read(&source)
                .with_context(|| format!("failed to read {}", source.display()))?;
            write_if_new(&workspace.join(file), &bytes)?;
        }
        Ok(())
    }

    fn say_what_is_left_out(&self, sources: &Sources) {
        let mut left_out: Vec<String> =
            self.manifest.left_out.iter().map(|table| format!("[{table}]")).collect();
        if self.folder.join("build.rs").exists() {
            left_out.push("build.rs".into());
        }
        left_out.extend(sources.left_out.iter().map(|file| file.display().to_string()));
        if !left_out.is_empty() {
            eprintln!("note: left out of {}: {}", self.manifest.name, left_out.join(", "));
        }
    }
}

/// The files below `src`.
#[derive(Default)]
struct Sources {
    files: BTreeSet<PathBuf>,
    bytes: u64,
    /// Links and the like: what they point to is no part of the submission.
    left_out: Vec<PathBuf>,
}

impl Sources {
    fn gather(&mut self, folder: &Path, name: &Path) -> Result<()> {
        if !folder.is_dir() || self.files.len() > FILES_MAX {
            return Ok(());
        }
        let failed = || format!("failed to read {}", folder.display());
        for entry in folder.read_dir().with_context(failed)? {
            let entry = entry.with_context(failed)?;
            let file_type = entry.file_type().with_context(failed)?;
            let name = name.join(entry.file_name());
            if file_type.is_dir() {
                self.gather(&entry.path(), &name)?;
            } else if file_type.is_file() {
                self.bytes += entry.metadata().with_context(failed)?.len();
                self.files.insert(name);
            } else {
                self.left_out.push(name);
            }
        }
        Ok(())
    }
}

/// Removes what an earlier run left below `name` and the submission no longer has.
fn remove_others(workspace: &Path, name: &Path, wanted: &BTreeSet<PathBuf>) -> Result<()> {
    let mut known = Sources::default();
    known.gather(&workspace.join(name), name)?;
    for file in known.files.difference(wanted) {
        let file = workspace.join(file);
        fs::remove_file(&file).with_context(|| format!("failed to remove {}", file.display()))?;
    }
    Ok(())
}

/// Leaves a file that is the same as it is, so that cargo need not compile it again.
pub(crate) fn write_if_new(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|known| known == bytes) {
        return Ok(());
    }
    let folder = file.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, bytes))
        .with_context(|| format!("failed to write {}", file.display()))
}

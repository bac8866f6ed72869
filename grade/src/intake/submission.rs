//! A submission as it is graded: its manifest and its sources, in memory.
//!
//! Nothing else of it is written to the folder where it is compiled. Edited tests, build scripts,
//! cargo configuration and lock files therefore have no effect.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use sha2::{Digest, Sha256};
use toml_edit::DocumentMut;

use crate::exit::UserError;
use crate::intake::archive::Kind;
use crate::intake::manifest::Manifest;
use crate::intake::source_tree::{Ignored, SourceTree};
use crate::intake::tokens;
use crate::isolation::Isolation;
use crate::kit::{self, Kit};

/// The crate that a student has handed in.
pub(crate) struct Submission {
    /// Its name, unique among the submissions that are graded together.
    pub(crate) name: String,
    pub(crate) manifest: Manifest,
    /// The files below `src`, by path, with `/` between folders.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Its other files and settings, which have no effect.
    pub(crate) ignored: Vec<Ignored>,
}

impl Submission {
    /// Reads a folder or an archive, and refuses what must not be compiled.
    pub(crate) fn read(name: &str, path: &Path, kit: &Kit) -> Result<Submission> {
        let tree = source_tree(name, path)?;
        let manifest = manifest(path, &tree, kit)?;
        let refused =
            |why: String| UserError::build_failed(format!("{name} cannot be graded: {why}"));
        if !tree.files.contains_key("src/lib.rs") {
            let is_other = tree.ignored.iter().any(|it| it.name == "src/lib.rs");
            let why = match is_other {
                true => "its src/lib.rs is not a regular file",
                false => "it has no src/lib.rs",
            };
            return Err(refused(why.into()).into());
        }
        for (file, bytes) in &tree.files {
            if let Some((line, found)) = tokens::forbidden(bytes, manifest.edition()) {
                return Err(refused(format!("{file}:{line} {found}")).into());
            }
        }
        let of_manifest = manifest.ignored.iter().map(|name| Ignored::surprising(name));
        let ignored = of_manifest.chain(tree.ignored).collect();
        Ok(Submission { name: name.into(), manifest, files: tree.files, ignored })
    }

    /// A hash of everything that its program is compiled from and with.
    pub(crate) fn id(&self, kit: &Kit, isolation: Isolation) -> String {
        let mut hasher = Sha256::new();
        kit::update(&mut hasher, kit.version().as_bytes());
        kit::update(&mut hasher, kit.rustc().as_bytes());
        kit::update(&mut hasher, isolation.host().as_bytes());
        kit::update(&mut hasher, self.manifest.render("").as_bytes());
        for (file, bytes) in &self.files {
            kit::update(&mut hasher, file.as_bytes());
            kit::update(&mut hasher, bytes);
        }
        kit::hex(hasher)[..kit::ID_DIGITS].to_owned()
    }
}

fn source_tree(name: &str, path: &Path) -> Result<SourceTree> {
    let shown = path.display();
    if !path.exists() {
        return Err(UserError::usage(format!("{shown} does not exist")).into());
    }
    match Kind::of(path) {
        Some(kind) if path.is_file() => SourceTree::from_archive(name, path, kind),
        _ if path.is_dir() => SourceTree::from_folder(name, path),
        _ => {
            let sentence = format!("{shown} is neither a folder nor a .zip, .tar or .tar.gz");
            Err(UserError::usage(sentence).into())
        }
    }
}

fn manifest(path: &Path, tree: &SourceTree, kit: &Kit) -> Result<Manifest> {
    let shown = path.display();
    let Some(bytes) = &tree.manifest else {
        let sentence = format!("{shown}: no Cargo.toml found");
        return Err(no_crate(path, sentence).into());
    };
    let document = str::from_utf8(bytes)
        .map_err(|error| error.to_string())
        .and_then(|text| text.parse::<DocumentMut>().map_err(|error| error.to_string()))
        .map_err(|error| {
            UserError::build_failed(format!("{shown}/Cargo.toml cannot be read")).in_words(error)
        })?;
    let Some(manifest) = Manifest::read(&document, kit) else {
        let sentence = format!("{shown}: Cargo.toml has no [package]");
        return Err(no_crate(path, sentence).into());
    };
    Ok(manifest?)
}

/// An archive is certainly what a student handed in. A folder may be a mistyped path.
fn no_crate(path: &Path, sentence: String) -> UserError {
    match path.is_file() {
        true => UserError::build_failed(sentence),
        false => UserError::usage(sentence),
    }
}

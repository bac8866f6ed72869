//! Takes a submission: its manifest and its sources, into memory.
//!
//! Edited tests, build scripts, cargo configuration and lock files have no effect, since nothing
//! else of it is ever written to where it is compiled.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use toml_edit::DocumentMut;

use crate::archive::{self, Entry, Kind};
use crate::bounds::{FILES_MAX, SOURCE_BYTES_MAX};
use crate::exit::Refusal;
use crate::kit::{self, Kit};
use crate::manifest::Manifest;
use crate::peers::Peers;
use crate::tokens;

const MANIFEST: &str = "Cargo.toml";
/// What lies beside the sources, has no effect, and whoever wrote it may believe that it has.
const LEFT_OUT: [&str; 3] = ["build.rs", "rust-toolchain", "rust-toolchain.toml"];
/// What lies beside the sources of many a crate, and nobody expects to matter to a grader.
const ORDINARY: [&str; 4] = ["Cargo.lock", "benches", "examples", "tests"];
/// Cargo's settings. An alias among them is ordinary: `cargo grade new` itself writes one.
const SETTINGS: [&str; 2] = [".cargo", "config.toml"];
/// Of an identity that no other submission must have, so many hexadecimal digits.
const ID_DIGITS: usize = 32;

/// What a student has handed in.
pub(crate) struct Submission {
    /// What it is called, unlike any other that is graded with it.
    pub(crate) name: String,
    pub(crate) manifest: Manifest,
    /// What lies below `src`, by name, with `/` between folders.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// What it has beyond that.
    pub(crate) left_out: Vec<LeftOut>,
}

/// Something of a submission that has no effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LeftOut {
    pub(crate) name: String,
    /// Nobody needs to be told.
    pub(crate) is_ordinary: bool,
}

impl LeftOut {
    fn surprising(name: &str) -> LeftOut {
        LeftOut { name: name.into(), is_ordinary: false }
    }
}

impl Submission {
    pub(crate) fn take(name: &str, path: &Path, kit: &Kit) -> Result<Submission> {
        let shown = path.display();
        if !path.exists() {
            return Err(Refusal::usage(format!("{shown} does not exist")).into());
        }
        let taken = match Kind::of(path) {
            Some(kind) if path.is_file() => Taken::from_archive(name, path, kind)?,
            _ if path.is_dir() => Taken::from_folder(name, path)?,
            _ => {
                let sentence = format!("{shown} is neither a folder nor a .zip, .tar or .tar.gz");
                return Err(Refusal::usage(sentence).into());
            }
        };
        let Some(manifest) = &taken.manifest else {
            let sentence = format!("{shown} is no crate: it has no Cargo.toml");
            return Err(no_crate(path, sentence).into());
        };
        let manifest = std::str::from_utf8(manifest)
            .map_err(|error| error.to_string())
            .and_then(|text| text.parse::<DocumentMut>().map_err(|error| error.to_string()))
            .map_err(|error| {
                Refusal::unbuilt(format!("{shown}/Cargo.toml cannot be read")).in_words(error)
            })?;
        let Some(manifest) = Manifest::read(&manifest, kit) else {
            let sentence = format!("{shown} is no crate: its Cargo.toml has no [package]");
            return Err(no_crate(path, sentence).into());
        };
        let manifest = manifest?;
        if !taken.files.contains_key("src/lib.rs") {
            let is_link = taken.left_out.iter().any(|it| it.name == "src/lib.rs");
            let why = if is_link { "its src/lib.rs is a link" } else { "it has no src/lib.rs" };
            let sentence = format!("{name} cannot be graded: {why}");
            return Err(Refusal::unbuilt(sentence).into());
        }
        for (file, bytes) in &taken.files {
            if let Some((line, found)) = tokens::forbidden(bytes, manifest.edition()) {
                let sentence = format!("{name} cannot be graded: {file}:{line} {found}");
                return Err(Refusal::unbuilt(sentence).into());
            }
        }
        let of_manifest = manifest.left_out.iter().map(|name| LeftOut::surprising(name));
        let left_out = of_manifest.chain(taken.left_out).collect();
        Ok(Submission { name: name.into(), manifest, files: taken.files, left_out })
    }

    /// Says what it has been compiled from, and with: the same program has the same.
    pub(crate) fn id(&self, kit: &Kit, peers: Peers) -> String {
        let mut hasher = Sha256::new();
        kit::update(&mut hasher, kit.version().as_bytes());
        kit::update(&mut hasher, kit.rustc().as_bytes());
        kit::update(&mut hasher, peers.host().as_bytes());
        kit::update(&mut hasher, self.manifest.render("").as_bytes());
        for (file, bytes) in &self.files {
            kit::update(&mut hasher, file.as_bytes());
            kit::update(&mut hasher, bytes);
        }
        kit::hex(hasher)[..ID_DIGITS].to_owned()
    }
}

/// What of a submission's files counts.
#[derive(Default)]
struct Taken {
    name: String,
    manifest: Option<Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
    left_out: Vec<LeftOut>,
}

impl Taken {
    fn from_folder(name: &str, folder: &Path) -> Result<Taken> {
        let mut taken = Taken { name: name.into(), ..Taken::default() };
        let manifest = folder.join(MANIFEST);
        // A link could lead to any file, of which an error would then show a line.
        if fs::symlink_metadata(&manifest).is_ok_and(|it| it.is_file()) {
            taken.manifest = Some(taken.read(&manifest)?);
        }
        let src = folder.join("src");
        if src.is_symlink() {
            let sentence = format!("{name} cannot be graded: its src is a link");
            return Err(Refusal::unbuilt(sentence).into());
        }
        let beside = LEFT_OUT.into_iter().chain(ORDINARY);
        for name in beside.filter(|name| folder.join(name).exists()) {
            taken.leave_out(name);
        }
        for entry in folder.join(SETTINGS[0]).read_dir().into_iter().flatten().flatten() {
            let is_file = entry.file_type().is_ok_and(|it| it.is_file());
            let bytes = match is_file && entry.file_name() == SETTINGS[1] {
                true => Some(taken.read(&entry.path())?),
                false => None,
            };
            taken.leave_out_settings(bytes.as_deref());
        }
        if src.is_dir() {
            taken.gather(&src, "src")?;
        }
        taken.tidy();
        Ok(taken)
    }

    /// With the crate at its top, or in the one folder that is there.
    fn from_archive(name: &str, path: &Path, kind: Kind) -> Result<Taken> {
        let is_manifest = |name: &[String]| matches!(name, [file] if file == MANIFEST);
        let is_source = |name: &[String]| matches!(name, [src, _, ..] if src == "src");
        let is_settings = |name: &[String]| name == SETTINGS;
        let entries = archive::entries(path, kind, |name| {
            let counts =
                |name: &[String]| is_manifest(name) || is_source(name) || is_settings(name);
            counts(name) || counts(&name[1..])
        })?;
        let mut taken = Taken { name: name.into(), ..Taken::default() };
        let depth = usize::from(!entries.iter().any(|entry| is_manifest(&entry.name)));
        let in_one_folder = entries.iter().all(|entry| entry.name[0] == entries[0].name[0]);
        if depth == 1 && !in_one_folder {
            return Ok(taken);
        }
        for Entry { name, bytes, is_special } in entries {
            let name = &name[depth..];
            let Some(first) = name.first() else { continue };
            match bytes {
                Some(bytes) if is_manifest(name) => taken.manifest = Some(bytes),
                Some(bytes) if is_source(name) => taken.add(name.join("/"), bytes)?,
                bytes if *first == SETTINGS[0] => {
                    // Of the folder itself there is nothing to say.
                    if name.len() > 1 || is_special {
                        taken.leave_out_settings(bytes.as_deref());
                    }
                }
                _ if is_special && first == "src" => {
                    taken.left_out.push(LeftOut::surprising(&name.join("/")));
                }
                _ => taken.leave_out(first),
            }
        }
        taken.tidy();
        Ok(taken)
    }

    /// What lies beside the sources, if it is anything to tell of.
    fn leave_out(&mut self, name: &str) {
        if LEFT_OUT.contains(&name) {
            self.left_out.push(LeftOut::surprising(name));
        } else if ORDINARY.contains(&name) {
            self.left_out.push(LeftOut { name: name.into(), is_ordinary: true });
        }
    }

    /// A file among cargo's settings: these, or another.
    fn leave_out_settings(&mut self, settings: Option<&[u8]>) {
        let is_ordinary = settings.is_some_and(|settings| {
            let text = str::from_utf8(settings).unwrap_or("?");
            let tables = text.parse::<DocumentMut>();
            tables.is_ok_and(|tables| tables.iter().all(|(key, _)| key == "alias"))
        });
        self.left_out.push(LeftOut { name: SETTINGS[0].into(), is_ordinary });
    }

    /// Each once; where there is anything surprising about it, that counts.
    fn tidy(&mut self) {
        self.left_out.sort();
        self.left_out.dedup_by(|later, first| later.name == first.name);
    }

    fn add(&mut self, file: String, bytes: Vec<u8>) -> Result<()> {
        self.bytes += bytes.len() as u64;
        // Only an archive can have a folder and a file of one name.
        let folders = file.match_indices('/').map(|(at, _)| &file[..at]);
        let clash = |name: &str| self.files.contains_key(name);
        let below = format!("{file}/");
        let is_folder = self.files.range(below.clone()..).next();
        let is_folder = is_folder.is_some_and(|(name, _)| name.starts_with(&below));
        if is_folder || folders.into_iter().any(clash) {
            let sentence =
                format!("{} cannot be graded: {file} clashes with another name in it", self.name);
            return Err(Refusal::unbuilt(sentence).into());
        }
        self.files.insert(file, bytes);
        Ok(self.refuse_if_too_large()?)
    }

    fn gather(&mut self, folder: &Path, name: &str) -> Result<()> {
        let failed = || format!("failed to read {}", folder.display());
        for entry in folder.read_dir().with_context(failed)? {
            let entry = entry.with_context(failed)?;
            let file_type = entry.file_type().with_context(failed)?;
            let file = format!("{name}/{}", entry.file_name().to_string_lossy());
            let is_text = entry.file_name().to_str().is_some();
            if file_type.is_dir() && is_text {
                self.gather(&entry.path(), &file)?;
            } else if file_type.is_file() && is_text {
                let bytes = self.read(&entry.path())?;
                self.add(file, bytes)?;
            } else {
                // Links and the like: what they point to is no part of the submission.
                self.left_out.push(LeftOut::surprising(&file));
            }
        }
        Ok(())
    }

    /// A file as far as the limit goes, so that it cannot fill the memory.
    fn read(&mut self, file: &Path) -> Result<Vec<u8>> {
        let failed = || format!("failed to read {}", file.display());
        let mut bytes = Vec::new();
        let rest = SOURCE_BYTES_MAX + 1 - self.bytes;
        File::open(file)
            .and_then(|opened| opened.take(rest).read_to_end(&mut bytes))
            .with_context(failed)?;
        Ok(bytes)
    }

    fn refuse_if_too_large(&self) -> Result<(), Refusal> {
        if self.bytes <= SOURCE_BYTES_MAX && self.files.len() <= FILES_MAX {
            return Ok(());
        }
        Err(Refusal::unbuilt(format!(
            "{} cannot be graded: its sources are more than {FILES_MAX} files or {} MiB",
            self.name,
            SOURCE_BYTES_MAX >> 20
        )))
    }
}

/// Writes a file, and the folders that it lies in.
pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    let folder = file.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, bytes))
        .with_context(|| format!("failed to write {}", file.display()))
}

/// An archive is surely what somebody handed in; a folder may be a slip of who named it.
fn no_crate(path: &Path, sentence: String) -> Refusal {
    match path.is_file() {
        true => Refusal::unbuilt(sentence),
        false => Refusal::usage(sentence),
    }
}

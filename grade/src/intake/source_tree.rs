//! Takes a submission: its manifest and its sources, into memory.
//!
//! Edited tests, build scripts, cargo configuration and lock files have no effect, since nothing
//! else of it is ever written to where it is compiled.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use toml_edit::DocumentMut;

use crate::bounds::{ENTRIES_MAX, FILES_MAX, LEFT_OUT_MAX, SOURCE_BYTES_MAX};
use crate::exit::Refusal;
use crate::intake::archive::{self, Entry, Is, Kind};
use crate::intake::folder::{self, Folder};
use crate::intake::manifest::Manifest;
use crate::intake::names::{self, Names};
use crate::intake::tokens;
use crate::isolation::Peers;
use crate::kit::{self, Kit};

const MANIFEST: &str = "Cargo.toml";
const SRC: &str = "src";
/// What lies beside the sources, has no effect, and whoever wrote it may believe that it has.
const LEFT_OUT: [&str; 3] = ["build.rs", "rust-toolchain", "rust-toolchain.toml"];
/// What lies beside the sources of many a crate, and nobody expects to matter to a grader.
const ORDINARY: [&str; 4] = ["Cargo.lock", "benches", "examples", "tests"];
/// Cargo's settings. An alias among them is ordinary: `cargo grade new` itself writes one.
const SETTINGS: [&str; 2] = [".cargo", "config.toml"];

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
            let is_other = taken.left_out.iter().any(|it| it.name == "src/lib.rs");
            let why = match is_other {
                true => "its src/lib.rs is no regular file",
                false => "it has no src/lib.rs",
            };
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
        kit::hex(hasher)[..kit::ID_DIGITS].to_owned()
    }
}

/// What of a submission's files counts.
#[derive(Default)]
struct Taken {
    name: String,
    manifest: Option<Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
    names: Names,
    bytes: u64,
    /// So many files and folders have been seen below `src`.
    seen: usize,
    left_out: Vec<LeftOut>,
}

impl Taken {
    fn from_folder(name: &str, path: &Path) -> Result<Taken> {
        let mut taken = Taken { name: name.into(), ..Taken::default() };
        let root = Folder::open(path)?;
        let is = |entry: &folder::Entry, kind| entry.kind == kind;
        // A link could lead to any file, of which an error would then show a line.
        if let Some(manifest) = root.find(MANIFEST)?.filter(|it| is(it, folder::Kind::File)) {
            taken.manifest = Some(taken.read(&root, &manifest)?);
        }
        for name in LEFT_OUT.into_iter().chain(ORDINARY) {
            if root.find(name)?.is_some() {
                taken.leave_out(name);
            }
        }
        if let Some(entry) = root.find(SETTINGS[0])?.filter(|it| is(it, folder::Kind::Folder)) {
            let settings = root.folder(&entry)?;
            for entry in settings.entries()? {
                let is_known = is(&entry, folder::Kind::File) && entry.name == SETTINGS[1];
                let bytes = is_known.then(|| taken.read(&settings, &entry)).transpose()?;
                taken.leave_out_settings(bytes.as_deref());
            }
        }
        match root.find(SRC)? {
            Some(src) if is(&src, folder::Kind::Folder) => {
                taken.gather(&root.folder(&src)?, SRC)?;
            }
            Some(_) => return Err(taken.refused("its src is no folder")),
            None => {}
        }
        root.refuse_if_changed()?;
        taken.tidy();
        Ok(taken)
    }

    /// With the crate at its top, or in the one folder that is there.
    fn from_archive(name: &str, path: &Path, kind: Kind) -> Result<Taken> {
        let entries = archive::entries(path, kind, |name| counts(name) || counts(&name[1..]))?;
        let mut taken = Taken { name: name.into(), ..Taken::default() };
        let depth = usize::from(!entries.iter().any(|entry| is_manifest(&entry.name)));
        let in_one_folder = entries.iter().all(|entry| entry.name[0] == entries[0].name[0]);
        if depth == 1 && !in_one_folder {
            return Ok(taken);
        }
        for Entry { name, bytes, is } in entries {
            let name = &name[depth..];
            let Some(first) = name.first() else { continue };
            let whole = name.join("/");
            // Also what some file systems take for a file that counts.
            if may_count(name) {
                let added = taken.names.add(&whole, is == Is::Folder);
                added.map_err(|why| taken.refused(&why))?;
            }
            match bytes {
                Some(bytes) if is_manifest(name) => taken.manifest = Some(bytes),
                Some(bytes) if is_source(name) => taken.add(whole, bytes)?,
                bytes if *first == SETTINGS[0] => {
                    // Of the folder itself there is nothing to say.
                    if name.len() > 1 || is == Is::Special {
                        taken.leave_out_settings(bytes.as_deref());
                    }
                }
                _ if is == Is::Special && first == SRC => {
                    taken.left_out.push(LeftOut::surprising(&whole));
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
        if self.left_out.len() > LEFT_OUT_MAX {
            let more = self.left_out.len() - LEFT_OUT_MAX;
            self.left_out.truncate(LEFT_OUT_MAX);
            self.left_out.push(LeftOut::surprising(&format!("{more} more")));
        }
    }

    /// A source, whose name is known to be good.
    fn add(&mut self, file: String, bytes: Vec<u8>) -> Result<()> {
        self.bytes += bytes.len() as u64;
        self.files.insert(file, bytes);
        if self.bytes <= SOURCE_BYTES_MAX && self.files.len() <= FILES_MAX {
            return Ok(());
        }
        let mib = SOURCE_BYTES_MAX >> 20;
        Err(self.refused(&format!("its sources are more than {FILES_MAX} files or {mib} MiB")))
    }

    fn gather(&mut self, folder: &Folder, name: &str) -> Result<()> {
        for entry in folder.entries()? {
            self.seen += 1;
            if self.seen > ENTRIES_MAX {
                let why = format!("its src has more than {ENTRIES_MAX} files and folders");
                return Err(self.refused(&why));
            }
            let file = format!("{name}/{}", entry.name);
            if archive::is_of_macos(&entry.name) {
                continue;
            }
            names::check(&file).map_err(|why| self.refused(&why))?;
            match entry.kind {
                folder::Kind::Folder => self.gather(&folder.folder(&entry)?, &file)?,
                folder::Kind::File => {
                    self.names.add(&file, false).map_err(|why| self.refused(&why))?;
                    let bytes = self.read(folder, &entry)?;
                    self.add(file, bytes)?;
                }
                // Links and the like: what they point to is no part of the submission.
                folder::Kind::Other => self.left_out.push(LeftOut::surprising(&file)),
            }
        }
        folder.refuse_if_changed()
    }

    /// A file as far as the limit goes, so that it cannot fill the memory.
    fn read(&mut self, folder: &Folder, entry: &folder::Entry) -> Result<Vec<u8>> {
        folder.read(entry, SOURCE_BYTES_MAX + 1 - self.bytes)
    }

    fn refused(&self, why: &str) -> anyhow::Error {
        Refusal::unbuilt(format!("{} cannot be graded: {why}", self.name)).into()
    }
}

fn is_manifest(name: &[String]) -> bool {
    matches!(name, [file] if file == MANIFEST)
}

fn is_source(name: &[String]) -> bool {
    matches!(name, [src, _, ..] if src == SRC)
}

/// Whether a file of this name says anything to the grader.
fn counts(name: &[String]) -> bool {
    is_manifest(name) || is_source(name) || name == SETTINGS
}

/// The same for whoever takes different names for one.
fn may_count(name: &[String]) -> bool {
    let is = |part: &String, known: &str| names::folded(part) == names::folded(known);
    match name {
        [file] => is(file, MANIFEST),
        [first, ..] => is(first, SRC) || is(first, SETTINGS[0]),
        [] => false,
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

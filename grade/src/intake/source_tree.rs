//! Reads the files of a submission that count, from a folder or from an archive, into memory.
//!
//! A folder is read file by file, through descriptors, because it may change at the same time. An
//! archive is a list of entries. Both end as the same [`SourceTree`].

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use toml_edit::DocumentMut;

use crate::bounds::{ENTRIES_MAX, FILES_MAX, IGNORED_MAX, SOURCE_BYTES_MAX};
use crate::exit::UserError;
use crate::intake::archive::{self, Entry, Is, Kind};
use crate::intake::folder::{self, Folder};
use crate::intake::names::{self, Names};

const MANIFEST: &str = "Cargo.toml";
const SRC: &str = "src";
/// Files that have no effect although their author may expect one.
const SURPRISING: [&str; 3] = ["build.rs", "rust-toolchain", "rust-toolchain.toml"];
/// Files that many crates have, and that nobody expects to matter to a grader.
const ORDINARY: [&str; 4] = ["Cargo.lock", "benches", "examples", "tests"];
/// Cargo's settings. An alias among them is ordinary: `cargo grade new` itself writes one.
const SETTINGS: [&str; 2] = [".cargo", "config.toml"];

/// A part of a submission that has no effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ignored {
    pub(crate) name: String,
    /// It is not worth a note.
    pub(crate) is_ordinary: bool,
}

impl Ignored {
    pub(crate) fn surprising(name: &str) -> Ignored {
        Ignored { name: name.into(), is_ordinary: false }
    }
}

/// The files of a submission that count, and the names of others.
#[derive(Default)]
pub(crate) struct SourceTree {
    name: String,
    /// The contents of `Cargo.toml`.
    pub(crate) manifest: Option<Vec<u8>>,
    /// The files below `src`, by path, with `/` between folders.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    names: Names,
    /// The size of all files.
    bytes: u64,
    /// The number of files and folders below `src` so far.
    seen: usize,
    pub(crate) ignored: Vec<Ignored>,
}

impl SourceTree {
    pub(crate) fn from_folder(name: &str, path: &Path) -> Result<SourceTree> {
        let mut tree = SourceTree { name: name.into(), ..SourceTree::default() };
        let root = Folder::open(path)?;
        let is = |entry: &folder::Entry, kind| entry.kind == kind;
        // A link could lead to any file, and an error would show a line of it.
        if let Some(manifest) = root.find(MANIFEST)?.filter(|it| is(it, folder::Kind::File)) {
            tree.manifest = Some(tree.read(&root, &manifest)?);
        }
        for name in SURPRISING.into_iter().chain(ORDINARY) {
            if root.find(name)?.is_some() {
                tree.ignore(name);
            }
        }
        if let Some(entry) = root.find(SETTINGS[0])?.filter(|it| is(it, folder::Kind::Folder)) {
            let settings = root.folder(&entry)?;
            for entry in settings.entries()? {
                let is_known = is(&entry, folder::Kind::File) && entry.name == SETTINGS[1];
                let bytes = is_known.then(|| tree.read(&settings, &entry)).transpose()?;
                tree.ignore_settings(bytes.as_deref());
            }
        }
        match root.find(SRC)? {
            Some(src) if is(&src, folder::Kind::Folder) => {
                tree.gather(&root.folder(&src)?, SRC)?;
            }
            Some(_) => return Err(tree.refused("its src is not a folder")),
            None => {}
        }
        root.refuse_if_changed()?;
        tree.tidy();
        Ok(tree)
    }

    /// The crate is at the top of the archive, or in the only folder there.
    pub(crate) fn from_archive(name: &str, path: &Path, kind: Kind) -> Result<SourceTree> {
        let entries = archive::entries(path, kind, |name| counts(name) || counts(&name[1..]))?;
        let mut tree = SourceTree { name: name.into(), ..SourceTree::default() };
        let depth = usize::from(!entries.iter().any(|entry| is_manifest(&entry.name)));
        let in_one_folder = entries.iter().all(|entry| entry.name[0] == entries[0].name[0]);
        if depth == 1 && !in_one_folder {
            return Ok(tree);
        }
        for Entry { name, bytes, is } in entries {
            let name = &name[depth..];
            let Some(first) = name.first() else { continue };
            let whole = name.join("/");
            // Also names that some file systems do not tell from a file that counts.
            if may_count(name) {
                let added = tree.names.add(&whole, is == Is::Folder);
                added.map_err(|why| tree.refused(&why))?;
            }
            match bytes {
                Some(bytes) if is_manifest(name) => tree.manifest = Some(bytes),
                Some(bytes) if is_source(name) => tree.add(whole, bytes)?,
                bytes if *first == SETTINGS[0] => {
                    // The folder itself is not worth a note.
                    if name.len() > 1 || is == Is::Special {
                        tree.ignore_settings(bytes.as_deref());
                    }
                }
                _ if is == Is::Special && first == SRC => {
                    tree.ignored.push(Ignored::surprising(&whole));
                }
                _ => tree.ignore(first),
            }
        }
        tree.tidy();
        Ok(tree)
    }

    /// Notes something next to the sources, if it is worth a note.
    fn ignore(&mut self, name: &str) {
        if SURPRISING.contains(&name) {
            self.ignored.push(Ignored::surprising(name));
        } else if ORDINARY.contains(&name) {
            self.ignored.push(Ignored { name: name.into(), is_ordinary: true });
        }
    }

    /// Notes a file of cargo's settings: `config.toml` with this content, or another file.
    fn ignore_settings(&mut self, settings: Option<&[u8]>) {
        let is_ordinary = settings.is_some_and(|settings| {
            let text = str::from_utf8(settings).unwrap_or("?");
            let tables = text.parse::<DocumentMut>();
            tables.is_ok_and(|tables| tables.iter().all(|(key, _)| key == "alias"))
        });
        self.ignored.push(Ignored { name: SETTINGS[0].into(), is_ordinary });
    }

    /// Keeps one note for each name, the surprising one if there are both.
    fn tidy(&mut self) {
        self.ignored.sort();
        self.ignored.dedup_by(|later, first| later.name == first.name);
        if self.ignored.len() > IGNORED_MAX {
            let more = self.ignored.len() - IGNORED_MAX;
            self.ignored.truncate(IGNORED_MAX);
            self.ignored.push(Ignored::surprising(&format!("{more} more")));
        }
    }

    /// Adds a source. Its name was checked before.
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
                // Links and the like: their targets are no part of the submission.
                folder::Kind::Other => self.ignored.push(Ignored::surprising(&file)),
            }
        }
        folder.refuse_if_changed()
    }

    /// Reads no more than the limit, so that a file cannot fill the memory.
    fn read(&mut self, folder: &Folder, entry: &folder::Entry) -> Result<Vec<u8>> {
        folder.read(entry, SOURCE_BYTES_MAX + 1 - self.bytes)
    }

    fn refused(&self, why: &str) -> anyhow::Error {
        UserError::build_failed(format!("{} cannot be graded: {why}", self.name)).into()
    }
}

fn is_manifest(name: &[String]) -> bool {
    matches!(name, [file] if file == MANIFEST)
}

fn is_source(name: &[String]) -> bool {
    matches!(name, [src, _, ..] if src == SRC)
}

/// Whether the grader reads a file of this name.
fn counts(name: &[String]) -> bool {
    is_manifest(name) || is_source(name) || name == SETTINGS
}

/// The same on a file system that does not tell all names apart.
fn may_count(name: &[String]) -> bool {
    let is = |part: &String, known: &str| names::folded(part) == names::folded(known);
    match name {
        [file] => is(file, MANIFEST),
        [first, ..] => is(first, SRC) || is(first, SETTINGS[0]),
        [] => false,
    }
}

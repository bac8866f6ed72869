//! Reads a folder that may change at the same time. It follows no link and never blocks.
//!
//! Everything is opened relative to the folder that was listed, so no path can start to mean
//! something else. Only plain files are read, even if something else replaces one after it was
//! listed: a pipe would block the grader. A change between listing and reading is an error, because
//! it would be unclear which version was graded.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use crate::bounds::ENTRIES_MAX;
use crate::exit::UserError;

const FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// An open folder.
pub(crate) struct Folder {
    opened: OwnedFd,
    /// For errors.
    path: PathBuf,
    /// Its state when it was opened.
    before: State,
}

/// An entry of a folder.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// With replacement characters if it is not valid Unicode.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    state: State,
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// A link, a pipe and the like, or anything whose name is not valid Unicode.
    Other,
}

/// Values that differ after a file or folder was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    size: i64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl State {
    #[expect(clippy::unnecessary_cast, reason = "the types are the system's")]
    fn of(stat: &Stat) -> State {
        State {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }
}

impl Folder {
    /// Opens the folder that a user has named. It may be a link.
    pub(crate) fn open(path: &Path) -> Result<Folder> {
        let flags = FLAGS.difference(OFlags::NOFOLLOW) | OFlags::DIRECTORY;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        Folder::new(path, opened.map_err(io::Error::from)).with_context(|| failed(path))
    }

    /// Opens a folder in this one.
    pub(crate) fn folder(&self, entry: &Entry) -> Result<Folder> {
        let path = self.path.join(&entry.name);
        let opened = openat(&self.opened, &*entry.name, FLAGS | OFlags::DIRECTORY, Mode::empty());
        let opened = opened.map_err(|error| self.error(&entry.name, error))?;
        let folder = Folder::new(&path, Ok(opened)).with_context(|| failed(&path))?;
        match folder.before == entry.state {
            true => Ok(folder),
            false => Err(changed(&path)),
        }
    }

    fn new(path: &Path, opened: io::Result<OwnedFd>) -> io::Result<Folder> {
        let opened = opened?;
        let before = State::of(&fstat(&opened)?);
        Ok(Folder { opened, path: path.into(), before })
    }

    /// The entry with this name.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Entry>> {
        match statat(&self.opened, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(None),
            Err(error) => {
                Err(io::Error::from(error)).with_context(|| failed(&self.path.join(name)))
            }
            Ok(stat) => Ok(Some(Entry::of(name.into(), &stat))),
        }
    }

    /// All entries, by name.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>> {
        let with_context = || failed(&self.path);
        let listing = Dir::read_from(&self.opened).map_err(io::Error::from);
        let mut entries = Vec::new();
        for entry in listing.with_context(with_context)? {
            let entry = entry.map_err(io::Error::from).with_context(with_context)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if entries.len() == ENTRIES_MAX {
                let shown = self.path.display();
                let sentence =
                    format!("{shown} cannot be read: it has more than {ENTRIES_MAX} entries");
                return Err(UserError::build_failed(sentence).into());
            }
            let stat = statat(&self.opened, name, AtFlags::SYMLINK_NOFOLLOW);
            let stat = stat.map_err(|error| self.error(&name.to_string_lossy(), error))?;
            let mut entry = Entry::of(name.to_string_lossy().into_owned(), &stat);
            if name.to_str().is_err() {
                entry.kind = Kind::Other;
            }
            entries.push(entry);
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// The content of a file, up to the limit.
    pub(crate) fn read(&self, entry: &Entry, bytes_max: u64) -> Result<Vec<u8>> {
        let path = self.path.join(&entry.name);
        let opened = openat(&self.opened, &*entry.name, FLAGS, Mode::empty());
        let file = File::from(opened.map_err(|error| self.error(&entry.name, error))?);
        read(&path, file, Some(entry.state), bytes_max)
    }

    /// Fails if an entry was added or removed. Call it after everything was read.
    pub(crate) fn refuse_if_changed(&self) -> Result<()> {
        let now = fstat(&self.opened).map_err(io::Error::from);
        let now = now.with_context(|| failed(&self.path))?;
        if State::of(&now) == self.before { Ok(()) } else { Err(changed(&self.path)) }
    }

    /// The error for an entry that has disappeared, or has become something else.
    fn error(&self, name: &str, error: Errno) -> anyhow::Error {
        let path = self.path.join(name);
        match error {
            Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NXIO => changed(&path),
            error => anyhow::Error::from(io::Error::from(error)).context(failed(&path)),
        }
    }
}

impl Entry {
    fn of(name: String, stat: &Stat) -> Entry {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            _ => Kind::Other,
        };
        Entry { name, kind, state: State::of(stat) }
    }
}

/// The content of a file that a user has named, up to the limit.
pub(crate) fn read_named(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let flags = FLAGS.difference(OFlags::NOFOLLOW);
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from);
    read(path, File::from(opened.with_context(|| failed(path))?), None, bytes_max)
}

/// `listed`: the state that it must still have.
fn read(path: &Path, mut file: File, listed: Option<State>, bytes_max: u64) -> Result<Vec<u8>> {
    let state = |file: &File| fstat(file).map_err(io::Error::from).with_context(|| failed(path));
    let before = state(&file)?;
    let is_file = FileType::from_raw_mode(before.st_mode) == FileType::RegularFile;
    let before = State::of(&before);
    if !is_file || listed.is_some_and(|listed| listed != before) {
        return Err(changed(path));
    }
    let mut bytes = Vec::new();
    (&mut file).take(bytes_max).read_to_end(&mut bytes).with_context(|| failed(path))?;
    match State::of(&state(&file)?) == before {
        true => Ok(bytes),
        false => Err(changed(path)),
    }
}

fn failed(path: &Path) -> String {
    format!("failed to read {}", path.display())
}

fn changed(path: &Path) -> anyhow::Error {
    UserError::build_failed(format!(
        "{} changed while it was read; grade it again when it no longer changes",
        path.display()
    ))
    .into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// Lists a folder with one file, changes it, and reads the file as it was listed.
    #[track_caller]
    fn check(change: impl Fn(&Path)) {
        let temporary = TempDir::new().unwrap();
        let file = temporary.path().join("raft.rs");
        fs::write(&file, "before").unwrap();
        let folder = Folder::open(temporary.path()).unwrap();
        let [entry] = &folder.entries().unwrap()[..] else { panic!("there is one") };
        assert_eq!(folder.read(entry, 100).unwrap(), b"before");
        change(&file);
        let error = folder.read(entry, 100).unwrap_err();
        let expected = format!(
            "{} changed while it was read; grade it again when it no longer changes",
            file.display()
        );
        assert_eq!(error.to_string(), expected);
        assert!(error.is::<UserError>());
    }

    fn pipe(path: &Path) {
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    }

    #[test]
    fn a_change_between_listing_and_reading_is_an_error() {
        check(|file| fs::remove_file(file).unwrap());
        check(|file| fs::write(file, "before and after").unwrap());
        check(|file| {
            fs::write(file.with_extension("new"), "before").unwrap();
            fs::rename(file.with_extension("new"), file).unwrap();
        });
        check(|file| {
            fs::remove_file(file).unwrap();
            symlink("/etc/passwd", file).unwrap();
        });
        check(|file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        });
    }

    /// A pipe without a writer.
    #[test]
    fn a_pipe_in_place_of_a_file_does_not_block_the_grader() {
        check(|file| {
            fs::remove_file(file).unwrap();
            pipe(file);
        });
        let temporary = TempDir::new().unwrap();
        let path = temporary.path().join("ada.zip");
        pipe(&path);
        assert!(read_named(&path, 100).unwrap_err().is::<UserError>());
    }

    #[test]
    fn a_folder_with_a_new_entry_has_changed() {
        let temporary = TempDir::new().unwrap();
        let (inner, elsewhere) = (temporary.path().join("src"), TempDir::new().unwrap());
        fs::create_dir(&inner).unwrap();
        let folder = Folder::open(temporary.path()).unwrap();
        let entry = folder.find("src").unwrap().unwrap();
        let opened = folder.folder(&entry).unwrap();
        opened.refuse_if_changed().unwrap();
        fs::write(inner.join("new.rs"), "").unwrap();
        assert!(opened.refuse_if_changed().unwrap_err().is::<UserError>());
        assert!(folder.folder(&entry).is_err());
        fs::rename(&inner, temporary.path().join("old")).unwrap();
        symlink(elsewhere.path(), &inner).unwrap();
        assert!(folder.folder(&entry).is_err_and(|error| error.is::<UserError>()));
    }
}

//! Reads an untrusted .zip, .tar or .tar.gz into memory.
//!
//! Nothing is unpacked to the disk, so no name can lead out of a folder. Bytes are counted while
//! they are unpacked, so a small file cannot become a large one.

use std::collections::HashSet;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::Result;
use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

use crate::bounds::{ENTRIES_MAX, PACKED_BYTES_MAX, UNPACKED_BYTES_MAX};
use crate::exit::UserError;
use crate::intake::{folder, names};

/// Entries that macOS adds to archives and folders: a folder, a file in each folder, and for each
/// file another one with this prefix.
const OF_MACOS: [&str; 2] = ["__MACOSX", ".DS_Store"];
const FORK_OF_MACOS: &str = "._";

/// One entry of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The parts of its path.
    pub(crate) name: Vec<String>,
    /// Its content. None for folders, links and files that are not wanted.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) is: Is,
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    File,
    Folder,
    /// A link and the like, or anything whose name is not valid Unicode.
    Special,
}

impl Is {
    fn of(is_file: bool, is_folder: bool) -> Is {
        match (is_file, is_folder) {
            (true, _) => Is::File,
            (_, true) => Is::Folder,
            _ => Is::Special,
        }
    }
}

/// The kinds of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Zip,
    Tar,
    TarGz,
}

impl Kind {
    /// By the end of the file's name. None if it is no archive.
    pub(crate) fn of(path: &Path) -> Option<Kind> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let kinds = [
            (".zip", Kind::Zip),
            (".tar", Kind::Tar),
            (".tar.gz", Kind::TarGz),
            (".tgz", Kind::TarGz),
        ];
        kinds.into_iter().find(|(end, _)| name.ends_with(end)).map(|(_, kind)| kind)
    }
}

/// All entries in the archive's order, with the content of files that are `wanted`.
pub(crate) fn entries(
    path: &Path,
    kind: Kind,
    wanted: impl Fn(&[String]) -> bool,
) -> Result<Vec<Entry>> {
    let bytes = folder::read_named(path, PACKED_BYTES_MAX + 1)?;
    if bytes.len() as u64 > PACKED_BYTES_MAX {
        return Err(refused(path, &format!("it is larger than {} MiB", PACKED_BYTES_MAX >> 20)));
    }
    let mut reader = Reader { wanted, entries: Vec::new(), left: UNPACKED_BYTES_MAX };
    let read = match kind {
        Kind::Zip => reader.zip(&bytes),
        Kind::Tar => reader.tar(&*bytes),
        Kind::TarGz => reader.tar(MultiGzDecoder::new(&*bytes)),
    };
    read.map_err(|error| refused(path, &error.to_string()))?;
    Ok(reader.entries)
}

/// Whether a file is one that macOS has added.
pub(crate) fn is_of_macos(name: &str) -> bool {
    OF_MACOS.contains(&name) || name.starts_with(FORK_OF_MACOS)
}

fn refused(path: &Path, why: &str) -> anyhow::Error {
    UserError::build_failed(format!("{} cannot be read: {why}", path.display())).into()
}

struct Reader<W> {
    wanted: W,
    entries: Vec<Entry>,
    /// The number of bytes that may still be unpacked.
    left: u64,
}

impl<W: Fn(&[String]) -> bool> Reader<W> {
    fn zip(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut archive = ZipArchive::new(Cursor::new(bytes))?;
        refuse_doubled(bytes, archive.central_directory_start(), archive.len())?;
        for at in 0..archive.len() {
            let mut file = archive.by_index(at)?;
            let is = Is::of(file.is_file() && !file.is_symlink(), file.is_dir());
            let name = file.name_raw().to_vec();
            self.add(&name, is, &mut file)?;
        }
        Ok(())
    }

    fn tar(&mut self, file: impl Read) -> io::Result<()> {
        // Skipped entries are unpacked as well, so the limit is on the whole.
        let mut archive = tar::Archive::new(Limited { inner: file, left: UNPACKED_BYTES_MAX });
        for entry in archive.entries()? {
            let mut entry = entry?;
            let entry_type = entry.header().entry_type();
            // The comment of `git archive`.
            if entry_type.is_pax_global_extensions() {
                continue;
            }
            let is = Is::of(entry_type.is_file(), entry_type.is_dir());
            let name = entry.path_bytes().into_owned();
            self.add(&name, is, &mut entry)?;
        }
        Ok(())
    }

    fn add(&mut self, name: &[u8], is: Is, file: &mut impl Read) -> io::Result<()> {
        let is = if str::from_utf8(name).is_ok() { is } else { Is::Special };
        let Some(name) = components(&String::from_utf8_lossy(name))? else { return Ok(()) };
        if self.entries.len() == ENTRIES_MAX {
            return Err(io::Error::other(format!("it has more than {ENTRIES_MAX} entries")));
        }
        let mut bytes = None;
        if is == Is::File && (self.wanted)(&name) {
            let mut read = Vec::new();
            Limited { inner: file, left: self.left }.read_to_end(&mut read)?;
            self.left -= read.len() as u64;
            bytes = Some(read);
        }
        self.entries.push(Entry { name, bytes, is });
        Ok(())
    }
}

/// A .zip can list a file several times, and readers differ in which one they use. The crate `zip`
/// uses the last and hides the others, so they have to be found first.
fn refuse_doubled(bytes: &[u8], start: u64, count: usize) -> io::Result<()> {
    const SIGNATURE: [u8; 4] = *b"PK\x01\x02";
    const HEADER_BYTES: usize = 46;
    let mut list = Cursor::new(bytes);
    list.seek(SeekFrom::Start(start))?;
    let mut known = HashSet::new();
    let mut header = [0; HEADER_BYTES];
    while list.read_exact(&mut header).is_ok() && header.starts_with(&SIGNATURE) {
        let size = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let mut name = vec![0; size(28).into()];
        list.read_exact(&mut name)?;
        list.seek_relative(i64::from(size(30)) + i64::from(size(32)))?;
        let is_folder = name.ends_with(b"/");
        if !known.insert(name.clone()) && !is_folder {
            let name = names::shown(&String::from_utf8_lossy(&name));
            return Err(io::Error::other(format!("it has {name} twice")));
        }
    }
    // A second name can be in fields that only some readers know.
    if known.len() != count {
        return Err(io::Error::other("its list of files contradicts itself"));
    }
    Ok(())
}

/// The parts of a path. None if it is empty, or was added by macOS.
fn components(name: &str) -> io::Result<Option<Vec<String>>> {
    let parts: Vec<&str> =
        name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if name.starts_with('/') || parts.contains(&"..") {
        let name = names::shown(name);
        return Err(io::Error::other(format!("entry {name} points outside the archive")));
    }
    if parts.is_empty() || parts.iter().any(|part| is_of_macos(part)) {
        return Ok(None);
    }
    Ok(Some(parts.into_iter().map(str::to_owned).collect()))
}

/// A reader that fails beyond the limit.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let limit = UNPACKED_BYTES_MAX >> 20;
            io::Error::other(format!("it unpacks to more than {limit} MiB"))
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Result<Option<&[&str]>, &str>) {
        let parts = components(name).map_err(|error| error.to_string());
        let expected = expected.map(|parts| {
            parts.map(|parts| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>())
        });
        assert_eq!(parts, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_name_that_leads_out_of_the_archive_is_an_error() {
        check("./ada/src/lib.rs", Ok(Some(&["ada", "src", "lib.rs"])));
        check("ada//src/", Ok(Some(&["ada", "src"])));
        check("ada/../../evil", Err("entry \"ada/../../evil\" points outside the archive"));
        check("/etc/passwd", Err("entry \"/etc/passwd\" points outside the archive"));
        check("__MACOSX/._ada", Ok(None));
        check("ada/src/._lib.rs", Ok(None));
    }

    #[test]
    fn an_archive_is_known_by_its_name() {
        let kind = |name: &str| Kind::of(Path::new(name));
        assert_eq!(kind("a/ada.ZIP"), Some(Kind::Zip));
        assert_eq!(kind("ada.tar"), Some(Kind::Tar));
        assert_eq!((kind("ada.tgz"), kind("ada.tar.gz")), (Some(Kind::TarGz), Some(Kind::TarGz)));
        assert_eq!(kind("ada.rs"), None);
    }
}

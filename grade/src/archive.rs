//! Reads a .zip, a .tar or a .tar.gz into memory, without trust.
//!
//! Nothing is unpacked to the disk, so that no name can lead out of a folder. What is unpacked is
//! counted while it is read, so that a small file cannot become a large one.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

use crate::bounds::{COMPONENT_BYTES_MAX, ENTRIES_MAX, PACKED_BYTES_MAX, UNPACKED_BYTES_MAX};
use crate::exit::Refusal;

/// What macOS adds to archives.
const OF_MACOS: &str = "__MACOSX";

/// Something in an archive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The folders and the file that its name is made of.
    pub(crate) name: Vec<String>,
    /// What is in it; none of a folder, a link and what nobody asked for.
    pub(crate) bytes: Option<Vec<u8>>,
    /// It is neither a file nor a folder.
    pub(crate) is_special: bool,
}

/// The ways in which files are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Zip,
    Tar,
    TarGz,
}

impl Kind {
    /// By its name; none if that is no archive's.
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

/// All that is in an archive, in its order, with the bytes of those files that are `wanted`.
pub(crate) fn entries(
    path: &Path,
    kind: Kind,
    wanted: impl Fn(&[String]) -> bool,
) -> Result<Vec<Entry>> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("failed to read {shown}"))?;
    let size = file.metadata().with_context(|| format!("failed to read {shown}"))?.len();
    if size > PACKED_BYTES_MAX {
        return Err(refused(path, &format!("it is larger than {} MiB", PACKED_BYTES_MAX >> 20)));
    }
    let mut reader = Reader { wanted, entries: Vec::new(), left: UNPACKED_BYTES_MAX };
    let file = BufReader::new(file);
    let read = match kind {
        Kind::Zip => reader.zip(file),
        Kind::Tar => reader.tar(file),
        Kind::TarGz => reader.tar(MultiGzDecoder::new(file)),
    };
    read.map_err(|error| refused(path, &error.to_string()))?;
    Ok(reader.entries)
}

fn refused(path: &Path, why: &str) -> anyhow::Error {
    Refusal::unbuilt(format!("{} cannot be read: {why}", path.display())).into()
}

struct Reader<W> {
    wanted: W,
    entries: Vec<Entry>,
    /// So many bytes may still come.
    left: u64,
}

impl<W: Fn(&[String]) -> bool> Reader<W> {
    fn zip(&mut self, file: BufReader<File>) -> io::Result<()> {
        let mut archive = ZipArchive::new(file)?;
        for at in 0..archive.len() {
            let mut file = archive.by_index(at)?;
            let Some(name) = components(file.name_raw())? else { continue };
            let is_file = file.is_file() && !file.is_symlink();
            let is_special = !is_file && !file.is_dir();
            self.add(name, is_file, is_special, &mut file)?;
        }
        Ok(())
    }

    fn tar(&mut self, file: impl Read) -> io::Result<()> {
        // What is skipped has to be unpacked as well, so the limit is on the whole.
        let mut archive = tar::Archive::new(Limited { inner: file, left: UNPACKED_BYTES_MAX });
        for entry in archive.entries()? {
            let mut entry = entry?;
            let Some(name) = components(&entry.path_bytes())? else { continue };
            let entry_type = entry.header().entry_type();
            let is_special = !entry_type.is_file() && !entry_type.is_dir();
            self.add(name, entry_type.is_file(), is_special, &mut entry)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        name: Vec<String>,
        is_file: bool,
        is_special: bool,
        file: &mut impl Read,
    ) -> io::Result<()> {
        if self.entries.len() == ENTRIES_MAX {
            return Err(io::Error::other(format!("it has more than {ENTRIES_MAX} entries")));
        }
        let mut bytes = None;
        if is_file && (self.wanted)(&name) {
            let mut read = Vec::new();
            Limited { inner: file, left: self.left }.read_to_end(&mut read)?;
            self.left -= read.len() as u64;
            bytes = Some(read);
        }
        self.entries.push(Entry { name, bytes, is_special });
        Ok(())
    }
}

/// The parts of a name; none of one that is no text or nothing for a disk.
fn components(name: &[u8]) -> io::Result<Option<Vec<String>>> {
    let Ok(name) = str::from_utf8(name) else { return Ok(None) };
    let parts: Vec<&str> =
        name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if name.starts_with('/') || parts.contains(&"..") {
        return Err(io::Error::other(format!("it has {name:?}, which leads out of it")));
    }
    let fits = |part: &&str| part.len() <= COMPONENT_BYTES_MAX && !part.contains('\0');
    if parts.is_empty() || parts[0] == OF_MACOS || !parts.iter().all(fits) {
        return Ok(None);
    }
    Ok(Some(parts.into_iter().map(str::to_owned).collect()))
}

/// Fails where more comes than may.
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
        let parts = components(name.as_bytes()).map_err(|error| error.to_string());
        let expected = expected.map(|parts| {
            parts.map(|parts| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>())
        });
        assert_eq!(parts, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_name_that_leads_out_of_the_archive_is_an_error() {
        check("./ada/src/lib.rs", Ok(Some(&["ada", "src", "lib.rs"])));
        check("ada//src/", Ok(Some(&["ada", "src"])));
        check("ada/../../evil", Err("it has \"ada/../../evil\", which leads out of it"));
        check("/etc/passwd", Err("it has \"/etc/passwd\", which leads out of it"));
        check("__MACOSX/._ada", Ok(None));
        check(&"a".repeat(256), Ok(None));
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

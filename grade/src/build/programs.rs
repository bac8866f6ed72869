//! A cache of compiled programs by content, so that the same submission is not built again.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::bounds::PROGRAMS_BYTES_MAX;

/// The folder of the cache.
pub(crate) struct Programs {
    folder: PathBuf,
    bytes_max: u64,
}

/// A program that no grader removes until this is dropped.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// Locked, which keeps all graders from removing the program.
    _file: File,
}

impl Programs {
    pub(crate) fn in_folder(folder: PathBuf) -> Programs {
        Programs { folder, bytes_max: PROGRAMS_BYTES_MAX }
    }

    /// None if it was never built, or was removed for lack of room.
    pub(crate) fn find(&self, id: &str) -> io::Result<Option<Program>> {
        use io::ErrorKind::{NotADirectory, NotFound};
        let path = self.folder.join(id);
        let file = match File::open(&path) {
            // The latter if a file is in the place of the folder. Building reports that.
            Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
            file => file?,
        };
        file.lock_shared()?;
        // It may have been removed before it was locked.
        if file.metadata()?.nlink() == 0 {
            return Ok(None);
        }
        // It fails only for a user who cannot write here, and so removes nothing.
        let _ = file.set_modified(SystemTime::now());
        Ok(Some(Program { path, _file: file }))
    }

    /// Copies a program to the cache: whole or not at all, because the grader may be killed at any
    /// moment. Only one grader may do so at a time.
    pub(crate) fn keep(&self, built: &Path, id: &str) -> io::Result<Program> {
        fs::create_dir_all(&self.folder)?;
        let unfinished = self.folder.join("unfinished");
        fs::copy(built, &unfinished)?;
        fs::rename(unfinished, self.folder.join(id))?;
        let program = self.find(id)?.ok_or(io::ErrorKind::NotFound)?;
        // The next call tries again.
        let _ = self.make_room();
        Ok(program)
    }

    /// Removes the least recently used programs, except those in use.
    fn make_room(&self) -> io::Result<()> {
        let mut programs = Vec::new();
        for entry in self.folder.read_dir()? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            programs.push((metadata.modified()?, metadata.len(), entry.path()));
        }
        programs.sort();
        let mut bytes: u64 = programs.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in programs {
            if bytes <= self.bytes_max {
                break;
            }
            let file = File::open(&path)?;
            match file.try_lock() {
                Ok(()) => fs::remove_file(&path)?,
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => return Err(error),
            }
            bytes -= size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;

    use tempfile::TempDir;

    /// Three programs of ten bytes each, the first the least recently used, and room for two.
    fn three() -> (TempDir, Programs) {
        let folder = tempfile::tempdir().unwrap();
        for (id, age_s) in [("a", 300), ("b", 200), ("c", 100)] {
            let mut file = File::create(folder.path().join(id)).unwrap();
            file.write_all(b"1234567890").unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age_s)).unwrap();
        }
        let programs = Programs { folder: folder.path().into(), bytes_max: 25 };
        (folder, programs)
    }

    #[track_caller]
    fn check_kept(programs: &Programs, expected: &[&str]) {
        programs.make_room().unwrap();
        let entries = programs.folder.read_dir().unwrap();
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, expected);
    }

    #[test]
    fn the_least_recently_used_program_is_removed_first() {
        let (_folder, programs) = three();
        check_kept(&programs, &["b", "c"]);
        let (_folder, programs) = three();
        drop(programs.find("a").unwrap().expect("it is there"));
        check_kept(&programs, &["a", "c"]);
        assert!(programs.find("b").unwrap().is_none());
    }

    #[test]
    fn programs_in_use_stay_even_if_there_is_no_room() {
        let (_folder, programs) = three();
        let used = ["a", "b", "c"].map(|id| programs.find(id).unwrap().expect("it is there"));
        check_kept(&programs, &["a", "b", "c"]);
        drop(used);
        let (elsewhere, _) = three();
        let kept = programs.keep(&elsewhere.path().join("a"), "d").unwrap();
        assert_eq!(fs::read(&kept.path).unwrap(), b"1234567890");
        check_kept(&programs, &["c", "d"]);
    }
}

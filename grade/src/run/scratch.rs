//! The folder for files of runs in progress: one for each grading, all in one parent folder.
//!
//! A grader that is killed cannot remove its folder. But it holds a lock in it, which ends with the
//! process, so the next grader can find and remove abandoned folders.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

/// The file in a grading's folder that its grader keeps locked.
const LOCK: &str = "lock";

/// The folder of one grading. Dropping it removes the folder.
pub(crate) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes a new folder below `parent`, and removes the folders of graders that were killed.
    pub(crate) fn below(parent: &Path) -> io::Result<Scratch> {
        fs::create_dir_all(parent)?;
        // Until a new folder is locked it looks abandoned.
        let parent_lock = File::create(parent.join(LOCK))?;
        parent_lock.lock()?;
        for entry in parent.read_dir()? {
            let path = entry?.path();
            if path.is_dir() && is_abandoned(&path) {
                // After an error the next grading tries again.
                let _ = fs::remove_dir_all(path);
            }
        }
        let path = new_folder(parent)?;
        let lock = File::create(path.join(LOCK))?;
        lock.lock()?;
        Ok(Scratch { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn is_abandoned(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        // Its grader was killed before it made the lock.
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Another machine may share the parent, and a grader there may have the same process number.
fn new_folder(parent: &Path) -> io::Result<PathBuf> {
    let mut count = 0;
    loop {
        let path = parent.join(format!("{}-{count}", process::id()));
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => count += 1,
            made => return made.map(|()| path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_abandoned_folders_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let first = Scratch::below(folder.path()).unwrap();
        fs::write(first.path().join("outcome"), "mine").unwrap();
        // One grader was killed before it locked its folder, and one after.
        let (unlocked, unheld) = (folder.path().join("1-0"), folder.path().join("2-0"));
        for abandoned in [&unlocked, &unheld] {
            fs::create_dir(abandoned).unwrap();
            fs::write(abandoned.join("outcome"), "nobody's").unwrap();
        }
        fs::write(unheld.join(LOCK), "").unwrap();

        let second = Scratch::below(folder.path()).unwrap();
        assert_ne!(first.path(), second.path());
        assert!(first.path().join("outcome").exists());
        assert!(!unlocked.exists() && !unheld.exists());
        drop((first, second));
        let left = folder.path().read_dir().unwrap().map(|it| it.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), [LOCK]);
    }
}

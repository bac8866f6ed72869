//! Where the files of runs lie while they go on: a folder for each grading, all in one folder.
//!
//! A grader that is killed cannot remove its own. It holds a lock on it, which ends with it, so
//! that the next grader knows whose folder is nobody's any more.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

/// The file in a grading's folder that its grader keeps locked.
const LOCK: &str = "lock";

/// The folder of one grading; removed when it is dropped.
pub(crate) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// A new folder below `parent`; what graders have left there that were killed is removed.
    pub(crate) fn below(parent: &Path) -> io::Result<Scratch> {
        fs::create_dir_all(parent)?;
        // Between its making and its locking a folder would look as if its grader were gone.
        let parent_lock = File::create(parent.join(LOCK))?;
        parent_lock.lock()?;
        for entry in parent.read_dir()? {
            let path = entry?.path();
            if path.is_dir() && is_abandoned(&path) {
                // What cannot be removed is in nobody's way; the next grading tries again.
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
        // Its grader was killed before it had made one.
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Another machine may share the folder, and have given a grader there the same number.
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
    fn what_nobody_holds_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let first = Scratch::below(folder.path()).unwrap();
        fs::write(first.path().join("outcome"), "mine").unwrap();
        // One killed before it had locked its folder, and one killed after.
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

//! A program gets the same facts about itself and the computer in every run.

use std::os::unix::process::parent_id;
use std::process;
use std::thread;

use crate::common::{check, limit};

/// The process number, the parent and the number of processors do not depend on the real ones.
#[test]
fn numbers_of_the_system_are_those_of_the_simulation() {
    let outside = (process::id(), parent_id());
    check("system", || {
        let own = || (process::id(), parent_id());
        assert_eq!(own(), (1, 0));
        assert_eq!(thread::spawn(own).join().unwrap(), (1, 0));
        assert_eq!(thread::available_parallelism().unwrap().get(), 1);
    });
    assert_eq!((process::id(), parent_id()), outside);
}

/// The metadata of an open file is the same by descriptor and by name.
#[test]
fn an_open_file_is_described_as_by_its_name() {
    use std::os::unix::fs::MetadataExt;

    limit("an open file");
    let path = std::env::current_exe().unwrap();
    let opened = std::fs::File::open(&path).unwrap().metadata().unwrap();
    let named = std::fs::metadata(&path).unwrap();
    let described = |it: &std::fs::Metadata| {
        let times = (it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec());
        let numbers = (it.dev(), it.ino(), it.mode(), it.nlink(), it.uid(), it.gid());
        (numbers, it.rdev(), it.size(), it.blksize(), it.blocks(), times, it.is_file())
    };
    assert_eq!(described(&opened), described(&named));
}

//! A user of its own for every program that a grader who is root starts.
//!
//! No file and no process but its copies belongs to that user, and the kernel's limit on processes,
//! which counts by user, is exact. Its number follows from the process's, which nobody else has.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::process;

use nix::errno::Errno;
use nix::unistd::{self, Gid, Uid};

/// Above what distributions, systemd and containers hand out (systemd's table of users and groups
/// calls the range from here to 2^31 unused); a process number is below 2^22.
pub(crate) const FIRST: u32 = 0x7000_0000;
/// Whom Linux calls nobody: for containers that know 65,536 users only.
const NOBODY: u32 = 65_534;

/// The user for this process; none if it is not root, and so has no rights to give up.
pub(crate) fn own() -> Option<u32> {
    unistd::geteuid().is_root().then(|| FIRST + process::id())
}

/// For good.
pub(crate) fn become_user(number: u32) -> nix::Result<()> {
    unistd::setgroups(&[])?;
    match set(number) {
        Err(Errno::EINVAL) => set(NOBODY),
        result => result,
    }
}

fn set(number: u32) -> nix::Result<()> {
    let (user, group) = (Uid::from_raw(number), Gid::from_raw(number));
    unistd::setresgid(group, group, group)?;
    unistd::setresuid(user, user, user)
}

/// How many processes and threads a user has now.
pub(crate) fn tasks_of(user: Uid) -> io::Result<u64> {
    let mut tasks = 0;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        if name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            // A folder for each thread; the process may have ended meanwhile.
            if let Ok(folder) = fs::metadata(format!("/proc/{}/task", name.display()))
                && folder.uid() == user.as_raw()
            {
                tasks += folder.nlink().saturating_sub(2);
            }
        }
    }
    Ok(tasks)
}

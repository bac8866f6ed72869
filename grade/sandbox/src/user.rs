//! The user layer: a grader that is root gives every program a user of its own.
//!
//! No file belongs to that user, and no process except copies of the program. So the kernel's limit
//! on processes, which counts by user, is exact. The number of the user follows from the number of
//! the process, which is unique.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::process;

use nix::errno::Errno;
use nix::unistd::{self, Gid, Uid};

/// Above the numbers that distributions, systemd and containers use: systemd's table of users and
/// groups calls the range from here to 2^31 unused. A process number is below 2^22.
pub(crate) const FIRST: u32 = 0x7000_0000;
/// The user `nobody` of Linux, for containers that have only 65,536 users.
const NOBODY: u32 = 65_534;

/// The user for this process. None if it is not root: then it has no rights to give up.
pub(crate) fn own() -> Option<u32> {
    unistd::geteuid().is_root().then(|| FIRST + process::id())
}

/// Becomes the user for good. `nix` calls the C library, which changes all threads; the launcher
/// has one.
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

/// The number of processes and threads of a user.
pub(crate) fn tasks_of(user: Uid) -> io::Result<u64> {
    let mut tasks = 0;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        if name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            // There is a folder for each thread. The process may have ended since.
            if let Ok(folder) = fs::metadata(format!("/proc/{}/task", name.display()))
                && folder.uid() == user.as_raw()
            {
                tasks += folder.nlink().saturating_sub(2);
            }
        }
    }
    Ok(tasks)
}

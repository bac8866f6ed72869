//! What a peer's process prints.
//!
//! It comes by a pipe of its own: a file in which all peers wrote would be one in which each could
//! read what the others write, past the network and past a crash.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::ioctl_fionbio;

/// What one process may print, in bytes; more is not taken.
pub(super) const PRINTED_BYTES_MAX: u64 = 16 << 20;
const BYTES_AT_ONCE: usize = 16 << 10;

pub(super) struct Prints {
    from: File,
    to: File,
    bytes: Cell<u64>,
    /// Nobody has the other end any more, or it says too much.
    is_over: Cell<bool>,
}

impl Prints {
    pub(super) fn new(from: File, to: File) -> io::Result<Prints> {
        ioctl_fionbio(&from, true)?;
        Ok(Prints { from, to, bytes: Cell::new(0), is_over: Cell::new(false) })
    }

    /// What to wait at for more; none if there will not be any.
    pub(super) fn source(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_over.get()).then(|| self.from.as_fd())
    }

    /// Hands on what has been printed until now.
    pub(super) fn take(&self) {
        let mut bytes = [0; BYTES_AT_ONCE];
        while !self.is_over.get() {
            match (&self.from).read(&mut bytes) {
                Ok(0) => self.is_over.set(true),
                Ok(count) => self.hand_on(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// Whether it has printed more than is taken.
    pub(super) fn are_too_many(&self) -> bool {
        self.bytes.get() > PRINTED_BYTES_MAX
    }

    fn hand_on(&self, bytes: &[u8]) {
        self.bytes.set(self.bytes.get() + bytes.len() as u64);
        // Without it a verdict only says less.
        let _ = (&self.to).write_all(bytes);
        self.is_over.set(self.are_too_many());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn what_is_printed_is_handed_on_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("printed");
        let (from, mut into) = io::pipe().unwrap();
        let from = File::from(OwnedFd::from(from));
        let prints = Prints::new(from, File::create(&file).unwrap()).unwrap();
        into.write_all(b"out of luck\n").unwrap();
        prints.take();
        assert_eq!(fs::read(&file).unwrap(), b"out of luck\n");

        let piece = [b'x'; BYTES_AT_ONCE];
        while prints.source().is_some() {
            into.write_all(&piece).unwrap();
            prints.take();
        }
        assert!(prints.are_too_many());
        let kept = fs::metadata(&file).unwrap().len();
        assert!((PRINTED_BYTES_MAX..=PRINTED_BYTES_MAX + 2 * piece.len() as u64).contains(&kept));
    }

    #[test]
    fn who_prints_no_more_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (from, into) = io::pipe().unwrap();
        let to = File::create(folder.path().join("printed")).unwrap();
        let prints = Prints::new(File::from(OwnedFd::from(from)), to).unwrap();
        prints.take();
        assert!(prints.source().is_some());
        drop(into);
        prints.take();
        assert!(prints.source().is_none() && !prints.are_too_many());
    }
}

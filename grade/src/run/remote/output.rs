//! The output of a peer's process.
//!
//! Each process has a pipe of its own. If all peers wrote to one file, each could read there what
//! the others wrote, outside the network and across crashes.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::ioctl_fionbio;

/// The limit on the output of one process, in bytes. More is not read.
pub(super) const OUTPUT_BYTES_MAX: u64 = 16 << 20;
const BYTES_AT_ONCE: usize = 16 << 10;

pub(super) struct ProcessOutput {
    from: File,
    to: File,
    bytes: Cell<u64>,
    /// The other end is closed, or the limit is exceeded.
    is_over: Cell<bool>,
}

impl ProcessOutput {
    pub(super) fn new(from: File, to: File) -> io::Result<ProcessOutput> {
        ioctl_fionbio(&from, true)?;
        Ok(ProcessOutput { from, to, bytes: Cell::new(0), is_over: Cell::new(false) })
    }

    /// The descriptor to wait on for more output. None if no more is read.
    pub(super) fn source(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_over.get()).then(|| self.from.as_fd())
    }

    /// Reads the output so far and passes it on.
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

    /// Whether the limit is exceeded.
    pub(super) fn is_too_much(&self) -> bool {
        self.bytes.get() > OUTPUT_BYTES_MAX
    }

    fn hand_on(&self, bytes: &[u8]) {
        self.bytes.set(self.bytes.get() + bytes.len() as u64);
        // Without the output a verdict only contains less.
        let _ = (&self.to).write_all(bytes);
        self.is_over.set(self.is_too_much());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn output_is_passed_on_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("printed");
        let (from, mut into) = io::pipe().unwrap();
        let from = File::from(OwnedFd::from(from));
        let output = ProcessOutput::new(from, File::create(&file).unwrap()).unwrap();
        into.write_all(b"out of luck\n").unwrap();
        output.take();
        assert_eq!(fs::read(&file).unwrap(), b"out of luck\n");

        let piece = [b'x'; BYTES_AT_ONCE];
        while output.source().is_some() {
            into.write_all(&piece).unwrap();
            output.take();
        }
        assert!(output.is_too_much());
        let kept = fs::metadata(&file).unwrap().len();
        assert!((OUTPUT_BYTES_MAX..=OUTPUT_BYTES_MAX + 2 * piece.len() as u64).contains(&kept));
    }

    #[test]
    fn a_closed_output_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (from, into) = io::pipe().unwrap();
        let to = File::create(folder.path().join("printed")).unwrap();
        let output = ProcessOutput::new(File::from(OwnedFd::from(from)), to).unwrap();
        output.take();
        assert!(output.source().is_some());
        drop(into);
        output.take();
        assert!(output.source().is_none() && !output.is_too_much());
    }
}

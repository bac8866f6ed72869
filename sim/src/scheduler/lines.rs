//! The output of simulated threads, collected into whole lines and stamped.
//!
//! One `eprintln!` makes several writes, and threads may alternate between them. So each thread has
//! a buffer for each stream, and a line is emitted when it is complete.

use std::io::Write;
use std::time::Duration;

use crate::label::Label;
use crate::options::Output;
use crate::scheduler::thread::Thread;
use crate::sys;

/// The incomplete lines of each thread, and the destination of complete ones.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) output: Output,
    label_names: fn(Label) -> String,
    pub(crate) captured: Vec<String>,
    /// By slot: standard output, standard error.
    begun: Vec<[Vec<u8>; 2]>,
    stamped: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(output: Output, label_names: fn(Label) -> String) -> Lines {
        Lines { output, label_names, captured: Vec::new(), begun: Vec::new(), stamped: Vec::new() }
    }

    pub(crate) fn admit(&mut self, slot: u32) {
        if self.begun.len() <= slot as usize {
            self.begun.resize_with(slot as usize + 1, Default::default);
        }
    }

    pub(crate) fn write(&mut self, slot: u32, fd: i32, bytes: &[u8], now: u64, thread: &Thread) {
        let stream = usize::from(fd == 2);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = &mut self.begun[slot as usize][stream];
            line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(line);
                self.emit(fd, &line, now, thread);
                let mut line = line;
                line.clear();
                self.begun[slot as usize][stream] = line;
            }
        }
    }

    /// Emits a thread's incomplete lines.
    pub(crate) fn flush(&mut self, slot: u32, now: u64, thread: &Thread) {
        for (stream, fd) in [(0, 1), (1, 2)] {
            let mut line = std::mem::take(&mut self.begun[slot as usize][stream]);
            if !line.is_empty() {
                line.push(b'\n');
                self.emit(fd, &line, now, thread);
            }
        }
    }

    fn emit(&mut self, fd: i32, line: &[u8], now: u64, thread: &Thread) {
        self.stamped.clear();
        let at = Duration::from_nanos(now);
        // Writing to a vector cannot fail.
        let _ = write!(self.stamped, "[{:>6}.{:06} ", at.as_secs(), at.subsec_micros());
        let owner = (self.label_names)(thread.label);
        let end = thread.name.iter().position(|byte| *byte == 0).unwrap_or(16);
        // The name of a thread may already begin with its owner.
        if !owner.is_empty() && !thread.name[..end].starts_with(owner.as_bytes()) {
            let _ = write!(self.stamped, "{owner} ");
        }
        if end == 0 {
            let _ = write!(self.stamped, "#{}] ", thread.id);
        } else {
            self.stamped.extend_from_slice(&thread.name[..end]);
            self.stamped.extend_from_slice(b"] ");
        }
        self.stamped.extend_from_slice(line);
        if self.output == Output::Captured {
            let text = String::from_utf8_lossy(&self.stamped).trim_end().to_owned();
            self.captured.push(text);
        } else {
            write_all(fd, &self.stamped);
        }
    }
}

/// Writes to the real descriptor. Bytes that the system does not accept are lost, because no code
/// could handle the error.
fn write_all(fd: i32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let args = [fd as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0];
        // SAFETY: the kernel reads `bytes` only.
        let count = unsafe { sys::raw(libc::SYS_write, args) };
        match usize::try_from(count) {
            Ok(0) => return,
            Ok(count) => bytes = &bytes[count..],
            Err(_) if count == -(libc::EINTR as isize) => {}
            Err(_) => return,
        }
    }
}

//! Why a run file cannot be used.

use std::io;

use crate::VERSION;

/// A file that is not a complete run file of this version.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The first line is not a header.
    #[error("it is not a run file")]
    NotARunFile,
    /// The file has another version.
    #[error("run file version {0} is not supported (expected {VERSION}); record the run again")]
    Version(u64),
    /// A line is not an event.
    #[error("line {line} is damaged: {why}")]
    Damaged {
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        why: String,
    },
    /// The last line is missing, or counts other events than there are.
    #[error("it ends early, after {0} events; record the run again")]
    Incomplete(usize),
}

//! The errors that prevent a check of the workspace.

use std::io;

/// A workspace that cannot be read. A broken rule is a `Problem` instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder is missing or unreadable.
    #[error("failed to read {path}: {error}")]
    Read {
        /// Relative to the root.
        path: String,
        /// The error of the system.
        error: io::Error,
    },
    /// A file is not valid Rust.
    #[error("failed to parse {path}: {error}")]
    Parse {
        /// Relative to the root.
        path: String,
        /// The error of the parser.
        error: String,
    },
    /// `mod name;` without a file.
    #[error("failed to find the file of module {name}, which {path} declares")]
    Module {
        /// The file with the declaration, relative to the root.
        path: String,
        /// The module's name.
        name: String,
    },
    /// A line of a block in the page does not have the block's format.
    #[error("failed to read ARCHITECTURE.md:{line}: {reason}")]
    Page {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// `cargo metadata` failed.
    #[error("failed to read the workspace with cargo metadata: {0}")]
    Cargo(#[from] cargo_metadata::Error),
}

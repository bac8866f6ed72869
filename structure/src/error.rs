//! Why a workspace cannot be checked at all.

use std::io;

/// A workspace that cannot be read; a broken rule is a `Problem` instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder is missing or unreadable.
    #[error("failed to read {path}: {error}")]
    Read {
        /// Relative to the root.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// A file is no Rust.
    #[error("failed to parse {path}: {error}")]
    Parse {
        /// Relative to the root.
        path: String,
        /// What the parser says.
        error: String,
    },
    /// `mod name;` without a file.
    #[error("failed to find the file of module {name}, declared in {path}")]
    Module {
        /// The file with the declaration, relative to the root.
        path: String,
        /// The module's name.
        name: String,
    },
    /// A line of a block in the page has not the block's format.
    #[error("failed to read ARCHITECTURE.md:{line}: {reason}")]
    Page {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Cargo does not know the workspace.
    #[error("failed to ask cargo for the workspace: {0}")]
    Cargo(#[from] cargo_metadata::Error),
}

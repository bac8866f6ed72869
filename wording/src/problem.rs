//! What is wrong with the wording.

use std::fmt;

/// One thing to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A message is not in the list, or the list has one that no code prints.
    List {
        /// The file with the message, relative to the root.
        path: String,
        /// The message.
        message: String,
        /// Whether the list lacks it.
        is_missing: bool,
    },
    /// A phrase to avoid.
    Phrase {
        /// Relative to the root.
        path: String,
        /// Counted from 1.
        line: usize,
        /// The phrase.
        phrase: String,
        /// What to write instead.
        instead: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::List { path, message, is_missing: true } => write!(
                f,
                "{path}: not in wording/messages.txt: {message}\n  read it once more, then run \
                 `cargo wording --accept`"
            ),
            Problem::List { path, message, is_missing: false } => write!(
                f,
                "{path}: only in wording/messages.txt: {message}\n  run `cargo wording --accept`"
            ),
            Problem::Phrase { path, line, phrase, instead } => {
                write!(f, "{path}:{line}: \"{phrase}\"; write instead: {instead}")
            }
        }
    }
}

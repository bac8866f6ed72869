//! The exit codes, and the errors that the user can correct.

use std::fmt;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// There was no false alarm. A surviving fault is no error either.
    Good = 0,
    /// A correct variant or an equivalent mutant was killed, or a quality mutant was called unsafe.
    FalseAlarm = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A patch cannot be read, does not apply, or does not compile.
    Patch = 3,
    /// The kit or the machine failed.
    Kit = 4,
    /// Some patches must be moved by hand.
    Left = 5,
}

/// An error that the user can correct. Every other error is a failure of the kit.
#[derive(Debug)]
pub(crate) struct UserError {
    exit: Exit,
    sentence: String,
}

impl UserError {
    pub(crate) fn usage(sentence: impl Into<String>) -> UserError {
        UserError { exit: Exit::Usage, sentence: sentence.into() }
    }

    pub(crate) fn patch(sentence: impl Into<String>) -> UserError {
        UserError { exit: Exit::Patch, sentence: sentence.into() }
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for UserError {}

/// Prints the error to stderr.
///
/// Returns the exit code for it.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    eprintln!("error: {error:#}");
    error.downcast_ref::<UserError>().map_or(Exit::Kit, |error| error.exit)
}

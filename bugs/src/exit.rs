//! How the program ends, and what it says when that is not well.

use std::fmt;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every plant was tried, and nothing lawful was killed.
    Good = 0,
    /// A legal variant, or one that changes nothing, was killed; or a quality row as unsafe.
    FalseAlarm = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A patch is not as it should be: it does not read, apply or compile.
    Patch = 3,
    /// The kit, or the machine.
    Kit = 4,
}

/// What the user can mend. Every other error is the kit's own.
#[derive(Debug)]
pub(crate) struct Refusal {
    exit: Exit,
    sentence: String,
}

impl Refusal {
    pub(crate) fn usage(sentence: impl Into<String>) -> Refusal {
        Refusal { exit: Exit::Usage, sentence: sentence.into() }
    }

    pub(crate) fn patch(sentence: impl Into<String>) -> Refusal {
        Refusal { exit: Exit::Patch, sentence: sentence.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Refusal {}

/// Says on stderr what went wrong.
pub(crate) fn tell(error: &anyhow::Error) -> Exit {
    eprintln!("error: {error:#}");
    error.downcast_ref::<Refusal>().map_or(Exit::Kit, |refusal| refusal.exit)
}

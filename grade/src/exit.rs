//! The exit codes, and the errors that belong to the user.

use std::fmt;

/// How the program ends; of several submissions the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Every test passed.
    Passed = 0,
    /// Some test failed.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A submission cannot be compiled.
    Unbuilt = 3,
    /// The kit, or the machine, and not the submission.
    Kit = 4,
}

/// What the user can mend. Every other error is the kit's own.
#[derive(Debug)]
pub(crate) struct Refusal {
    exit: Exit,
    sentence: String,
    /// What another program said to it, word for word; may be empty.
    words: String,
}

impl Refusal {
    pub(crate) fn usage(sentence: impl Into<String>) -> Refusal {
        Refusal { exit: Exit::Usage, sentence: sentence.into(), words: String::new() }
    }

    pub(crate) fn unbuilt(sentence: impl Into<String>) -> Refusal {
        Refusal { exit: Exit::Unbuilt, sentence: sentence.into(), words: String::new() }
    }

    pub(crate) fn in_words(self, words: String) -> Refusal {
        Refusal { words, ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Refusal {}

/// Says on stderr what went wrong, and whose fault it is by the exit code.
pub(crate) fn tell(error: &anyhow::Error) -> Exit {
    eprintln!("error: {error:#}");
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => {
            if !refusal.words.is_empty() {
                eprintln!("\n{}", refusal.words.trim_end());
            }
            refusal.exit
        }
        None => Exit::Kit,
    }
}

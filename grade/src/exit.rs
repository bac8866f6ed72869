//! The exit codes, and the errors that belong to the user.

use std::{env, fmt, process};

use ::tests::plain;

/// How the program ends; of several submissions the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Every test passed.
    Passed = 0,
    /// Some test failed.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A submission cannot be compiled, or was refused for what is in it.
    BuildFailed = 3,
    /// The kit, or the machine, and not the submission.
    Kit = 4,
}

/// Why something cannot be done, in a sentence, and whose fault that is. An error that is none of
/// these is the kit's own fault.
#[derive(Debug)]
pub(crate) struct UserError {
    exit: Exit,
    sentence: String,
    /// What another program said to it, word for word; may be empty.
    words: String,
}

impl UserError {
    pub(crate) fn usage(sentence: impl Into<String>) -> UserError {
        UserError { exit: Exit::Usage, sentence: sentence.into(), words: String::new() }
    }

    pub(crate) fn build_failed(sentence: impl Into<String>) -> UserError {
        UserError { exit: Exit::BuildFailed, sentence: sentence.into(), words: String::new() }
    }

    /// What a student can do nothing about: the machine, or a program that the grader needs.
    pub(crate) fn kit(sentence: impl Into<String>) -> UserError {
        UserError { exit: Exit::Kit, sentence: sentence.into(), words: String::new() }
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    pub(crate) fn in_words(self, words: String) -> UserError {
        UserError { words, ..self }
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for UserError {}

/// Says on stderr what went wrong, and whose fault it is by the exit code.
pub(crate) fn tell(error: &anyhow::Error) -> Exit {
    eprintln!("error: {}", plain::sentence(&format!("{error:#}")));
    if let Some(refusal) = error.downcast_ref::<UserError>().filter(|it| !it.words.is_empty()) {
        eprintln!("\n{}", plain::lines(refusal.words.trim_end()));
    }
    of(error)
}

/// Ends the program with what the command line is answered: help, or an error.
pub(crate) fn end_with(error: &clap::Error) -> ! {
    if env::args_os().all(|word| plain::is_plain(&word.to_string_lossy())) {
        error.exit();
    }
    // A folder's name may be anything, and a shell may have put it there.
    eprint!("{}", plain::lines(&error.to_string()));
    process::exit(error.exit_code());
}

/// Whose fault it is.
pub(crate) fn of(error: &anyhow::Error) -> Exit {
    error.downcast_ref().map_or(Exit::Kit, UserError::exit)
}

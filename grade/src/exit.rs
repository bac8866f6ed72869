//! The exit codes of the program, and errors that say whose fault they are.

use std::{env, fmt, process};

use runner::plain;

/// How the program ends. With several submissions the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Every test passed.
    Passed = 0,
    /// Some test failed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A submission does not compile, or was refused for its content.
    BuildFailed = 3,
    /// A fault of the kit or the machine, and not of the submission.
    Kit = 4,
}

/// A sentence for the user that says why something cannot be done, with the exit code. An error of
/// another type is a fault of the kit.
#[derive(Debug)]
pub(crate) struct UserError {
    exit: Exit,
    sentence: String,
    /// More lines about it, such as the output of another program. May be empty.
    words: String,
}

impl UserError {
    pub(crate) fn usage(sentence: impl Into<String>) -> UserError {
        UserError { exit: Exit::Usage, sentence: sentence.into(), words: String::new() }
    }

    pub(crate) fn build_failed(sentence: impl Into<String>) -> UserError {
        UserError { exit: Exit::BuildFailed, sentence: sentence.into(), words: String::new() }
    }

    /// A fault of the machine, or of a program that the grader needs: no student can correct it.
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

/// Prints the error to stderr. The exit code says whose fault it is.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    eprintln!("error: {}", plain::sentence(&format!("{error:#}")));
    if let Some(refusal) = error.downcast_ref::<UserError>().filter(|it| !it.words.is_empty()) {
        eprintln!("\n{}", plain::lines(refusal.words.trim_end()));
    }
    of(error)
}

/// Prints help or an error of the command line, and ends the program.
pub(crate) fn end_with(error: &clap::Error) -> ! {
    if env::args_os().all(|word| plain::is_plain(&word.to_string_lossy())) {
        error.exit();
    }
    // A shell may have expanded a folder's name, which may contain anything.
    eprint!("{}", plain::lines(&error.to_string()));
    process::exit(error.exit_code());
}

/// The exit code of an error.
pub(crate) fn of(error: &anyhow::Error) -> Exit {
    error.downcast_ref().map_or(Exit::Kit, UserError::exit)
}

//! Messages on stderr about each submission: what was ignored, why it cannot be graded, and its
//! result in one line if no bar shows the progress.

use std::io::{self, IsTerminal};

use runner::plain;

use crate::exit;
use crate::plan::Plan;
use crate::report::graded::{Attempt, Graded};
use crate::report::reporter::Reporter;

/// Reports what was ignored, and why a submission cannot be graded.
pub(crate) struct Notices {
    /// There are several submissions.
    pub(crate) several: bool,
}

/// Reports the result of each of several submissions in one line, if stderr is no terminal.
pub(crate) struct Summaries {
    graded: usize,
    all: usize,
    extra_parts: String,
}

impl Reporter for Notices {
    fn graded(&mut self, graded: &Graded, attempt: &Attempt) {
        let ignored = attempt.ignored.iter().filter(|it| !it.is_ordinary);
        let ignored: Vec<&str> = ignored.map(|it| it.name.as_str()).collect();
        if !ignored.is_empty() {
            let line = format!("ignored in {}: {}", graded.name, ignored.join(", "));
            eprintln!("note: {}", plain::line(&line));
        }
        if let Err(error) = &attempt.scores {
            exit::report(error);
            // Separates it from what follows on the same terminal.
            if self.several && io::stderr().is_terminal() {
                eprintln!();
            }
        }
    }
}

impl Summaries {
    /// Of all submissions of the plan.
    pub(crate) fn new(plan: &Plan) -> Summaries {
        Summaries { graded: 0, all: plan.paths.len(), extra_parts: plan.extra_parts() }
    }
}

impl Reporter for Summaries {
    fn graded(&mut self, graded: &Graded, _attempt: &Attempt) {
        self.graded += 1;
        if self.all > 1 && !io::stderr().is_terminal() {
            let line =
                format!("{}/{} {}", self.graded, self.all, graded.summary(&self.extra_parts));
            eprintln!("{}", plain::line(&line));
        }
    }
}

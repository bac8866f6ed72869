//! `--format text`: a table and the failures of each submission, then a table of all.

use std::path::Path;

use anyhow::Result;

use crate::report::failures;
use crate::report::graded::{Attempt, Graded};
use crate::report::reporter::{Conditions, Reporter};
use crate::report::table;

struct Text<'a> {
    conditions: Conditions<'a>,
    submissions: Vec<Graded>,
}

/// Prints the report for people.
pub(crate) fn to_stdout(conditions: Conditions<'_>) -> Box<dyn Reporter + '_> {
    Box::new(Text { conditions, submissions: Vec::new() })
}

impl Reporter for Text<'_> {
    fn graded(&mut self, graded: &Graded, attempt: &Attempt) {
        let plan = self.conditions.plan;
        if let Ok(scores) = &attempt.scores {
            let path = Path::new(&graded.path);
            print!("{}", table::render(&graded.name, path, plan, scores));
            print!("{}", failures::render(path, plan, scores));
            if plan.paths.len() > 1 {
                println!();
            }
        }
        self.submissions.push(graded.clone());
    }

    fn finish(self: Box<Self>) -> Result<()> {
        if self.submissions.len() > 1 {
            println!("{}", table::of_all(self.conditions.plan, &self.submissions));
        }
        Ok(())
    }
}

//! The interface of everything that reports results: tables, files and messages.

use anyhow::Result;
use sandbox::Sandbox;

use crate::kit::Kit;
use crate::plan::Plan;
use crate::report::graded::{Attempt, Graded};

/// Receives the submissions of one grading, in the order of the command line.
pub(crate) trait Reporter {
    /// A submission was graded, or cannot be.
    fn graded(&mut self, graded: &Graded, attempt: &Attempt);

    /// There are no more submissions.
    ///
    /// # Errors
    /// If the report cannot be written.
    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// The data that all submissions of one grading share.
#[derive(Clone, Copy)]
pub(crate) struct Conditions<'a> {
    pub(crate) kit: &'a Kit,
    /// None if servers are threads, which no sandbox holds.
    pub(crate) sandbox: Option<&'a Sandbox>,
    pub(crate) plan: &'a Plan,
}

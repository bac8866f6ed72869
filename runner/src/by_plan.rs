//! A run by the plan of a file.

use std::path::Path;

use config::Failure;
use tempfile::TempDir;

use crate::outcome::Outcome;
use crate::plain;
use crate::plan::Plan;
use crate::target::Target;
use crate::variation::{Listing, Variation};

/// The number of choices that are listed if a run by a plan did not meet them.
const UNMET_SHOWN_MAX: usize = 5;

/// A run by the plan of a file.
pub struct ByPlan {
    plan: Plan,
    /// How the run differs from the plain run of its seed.
    pub variation: Variation,
    /// Holds what the run chose.
    folder: TempDir,
}

impl ByPlan {
    /// A run by the plan in this file.
    ///
    /// # Errors
    /// One sentence, if no folder for the files of the run can be made.
    pub fn new(file: &Path, plan: &Plan) -> Result<ByPlan, String> {
        let folder = tempfile::tempdir();
        let folder = folder.map_err(|error| format!("failed to make a folder: {error}"))?;
        let listing = Some(folder.path().join("listing"));
        let variation = Variation { plan: Some(file.to_owned()), listing, ..Variation::default() };
        Ok(ByPlan { plan: plan.clone(), variation, folder })
    }

    /// Lets a run pass if its failure does not count. Returns what a person is told about that.
    pub fn forgive(&self, outcome: &mut Outcome) -> Vec<String> {
        match &outcome.verdict {
            Err(failure) if !self.counts(failure) => {
                let lines = self.not_shown(failure);
                outcome.verdict = Ok(());
                lines
            }
            _ => Vec::new(),
        }
    }

    /// Whether a failure counts. With most of what happened left out, a check of the test can fail
    /// although the code is correct; then the run does not show what the plan is about.
    fn counts(&self, failure: &Failure) -> bool {
        self.plan.fails.is_shown_by(failure) || Target::of(failure).is_certain()
    }

    /// What a run says that ended in a failure which does not count.
    fn not_shown(&self, failure: &Failure) -> Vec<String> {
        let sentence = plain::sentence(&failure.sentence);
        vec![
            format!("the failure of the plan did not happen: {}", self.plan.fails),
            format!(
                "a check of the test failed, as it can without what the plan leaves out: {sentence}"
            ),
        ]
    }

    /// The choices of the plan that the run did not meet.
    pub fn unmet(&self) -> Vec<String> {
        let Ok(listing) = Listing::read(&self.folder.path().join("listing")) else {
            return Vec::new();
        };
        let unmet = listing.unmet;
        if unmet.is_empty() {
            return Vec::new();
        }
        let (count, all) = (unmet.len(), self.plan.choices.len());
        let head = format!("{count} of {all} choices of the plan were not met:");
        let told = unmet.iter().take(UNMET_SHOWN_MAX);
        let told = told.map(|name| format!("  {}", plain::sentence(&name.to_string())));
        let more = unmet.len().saturating_sub(UNMET_SHOWN_MAX);
        let more = (more > 0).then(|| format!("  and {more} more"));
        [head].into_iter().chain(told).chain(more).collect()
    }
}

//! What a smaller run has to show.

use config::{Class, Rule};

use crate::outcome::Outcome;

/// The failure that is looked for: another run shows it if its class and its rule are the same. The
/// sentence may differ, since terms and times do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    class: Class,
    rule: Option<Rule>,
}

impl Target {
    pub(super) fn of(outcome: &Outcome) -> Option<Target> {
        let failure = outcome.verdict.as_ref().err()?;
        Some(Target { class: failure.class, rule: failure.rule })
    }

    pub(super) fn is_shown_by(&self, outcome: &Outcome) -> bool {
        Target::of(outcome).as_ref() == Some(self)
    }

    /// `safety S3`.
    pub(super) fn name(&self) -> String {
        let rule = self.rule.map_or_else(String::new, |rule| format!(" {}", rule.id()));
        format!("{}{rule}", self.class)
    }
}

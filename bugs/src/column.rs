//! The result of one mutant in one mode: a column of its row in the matrix.

use config::{Class, FindingKind};
use runner::Outcome;
use serde::{Deserialize, Serialize};

/// How many findings are kept, one of each kind.
const FINDINGS_MAX: usize = 8;

/// Whether the mutant was killed, and what was reported before that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) killed_by: Option<Kill>,
    /// The smallest n such that the whole suite with the seeds 1 to n kills.
    pub(crate) seeds_needed: Option<u64>,
    /// The number of seeds with which the whole suite ran. The last seed ran only up to the kill.
    pub(crate) seeds_run: u64,
    /// The time that took, in seconds of real time.
    #[serde(default)]
    pub(crate) seconds: u64,
    /// The digest of the sources that were tried. The result holds for no others.
    #[serde(default)]
    pub(crate) digest: String,
    /// The first finding of each kind.
    pub(crate) findings: Vec<Finding>,
    /// Runs without a verdict, because the kit itself failed.
    pub(crate) no_verdict: Vec<Finding>,
}

/// Whether a mutant survives the tests that the original has too, without checks of Raft's rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SuiteOnly {
    /// The first seed in which all tests passed.
    pub(crate) survived_seed: Option<u64>,
    pub(crate) seeds_run: u64,
    /// The time that took, in seconds of real time.
    pub(crate) seconds: u64,
    /// As in a [`Column`].
    pub(crate) digest: String,
}

/// The first run that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kill {
    pub(crate) test: String,
    /// The class of the failure, such as `safety`.
    pub(crate) class: String,
    /// The broken rule of Raft, if there is one.
    pub(crate) rule: Option<String>,
    pub(crate) sentence: String,
    pub(crate) seed: u64,
}

/// A finding of a run, or a run without a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) test: String,
    pub(crate) sentence: String,
    pub(crate) seed: u64,
}

pub(crate) struct Run {
    pub(crate) test: String,
    pub(crate) seed: u64,
    pub(crate) outcome: Outcome,
}

impl Column {
    /// Whether some run reported a finding of this kind.
    pub(crate) fn has_reported(&self, kind: FindingKind) -> bool {
        self.findings.iter().any(|finding| kind.is_in(&finding.sentence))
    }

    /// Whether this is a result for the sources of `digest` and for this many seeds.
    pub(crate) fn is_known(&self, digest: &str, seeds: u64) -> bool {
        self.digest == digest && (self.killed_by.is_some() || self.seeds_run >= seeds)
    }

    /// Takes the next run into account. Runs must come in ascending order of their seeds.
    pub(crate) fn note(&mut self, run: &Run) {
        let Run { test, seed, outcome } = run;
        let finding =
            |sentence: &str| Finding { test: test.clone(), sentence: sentence.into(), seed: *seed };
        for sentence in &outcome.findings {
            let is_new = self.findings.iter().all(|known| kind(&known.sentence) != kind(sentence));
            if is_new && self.findings.len() < FINDINGS_MAX {
                self.findings.push(finding(sentence));
            }
        }
        let Err(failure) = &outcome.verdict else { return };
        if !run.kills() {
            self.no_verdict.push(finding(&failure.sentence));
        } else if self.killed_by.is_none() {
            self.killed_by = Some(Kill {
                test: test.clone(),
                class: failure.class.to_string(),
                rule: failure.rule.map(|rule| rule.id().to_owned()),
                sentence: failure.sentence.clone(),
                seed: *seed,
            });
            self.seeds_needed = Some(*seed);
        }
    }
}

/// The name at the start of a finding, if it has one.
fn kind(finding: &str) -> &str {
    finding.split_once(": ").map_or(finding, |(name, _)| name)
}

impl SuiteOnly {
    /// As [`Column::is_known`].
    pub(crate) fn is_known(&self, digest: &str, seeds: u64) -> bool {
        self.digest == digest && (self.survived_seed.is_some() || self.seeds_run >= seeds)
    }
}

impl Run {
    /// Whether it failed, and not because the kit itself did.
    pub(crate) fn kills(&self) -> bool {
        matches!(&self.outcome.verdict, Err(failure) if failure.class != Class::Infra)
    }
}

#[cfg(test)]
mod tests {
    use config::{Failure, Rule};

    use super::*;

    fn run(test: &str, seed: u64, verdict: Result<(), (Class, &str)>) -> Run {
        let failure = |(class, sentence)| Failure::new(class, sentence).with_rule(Rule::S7);
        let verdict = verdict.map_err(failure);
        let outcome = Outcome {
            verdict,
            figures: None,
            findings: vec![format!("noted in seed {seed}")],
            simulation: None,
            output: String::new(),
        };
        Run { test: test.into(), seed, outcome }
    }

    fn column(runs: &[Run]) -> Column {
        let mut column = Column::default();
        runs.iter().for_each(|run| column.note(run));
        column
    }

    #[test]
    fn the_first_seed_in_which_any_test_fails_is_the_number_of_seeds_needed() {
        let column = column(&[
            run("one", 1, Ok(())),
            run("two", 1, Ok(())),
            run("one", 2, Ok(())),
            run("two", 2, Err((Class::Safety, "it was lost"))),
            run("one", 3, Err((Class::Panic, "later"))),
        ]);
        assert_eq!(column.seeds_needed, Some(2));
        let kill = column.killed_by.unwrap();
        assert_eq!((&kill.test[..], &kill.class[..]), ("two", "safety"));
        assert_eq!((kill.rule.as_deref(), kill.seed), (Some("S7"), 2));
    }

    #[test]
    fn a_failure_of_the_kit_kills_nothing() {
        let column = column(&[run("one", 1, Err((Class::Infra, "no memory")))]);
        assert_eq!((column.seeds_needed, &column.killed_by), (None, &None));
        assert_eq!(column.no_verdict[0].sentence, "no memory");
    }

    #[test]
    fn of_each_kind_the_first_finding_is_kept() {
        let findings = |sentences: &[&str]| sentences.iter().map(|s| (*s).to_owned()).collect();
        let mut runs = [run("one", 1, Ok(())), run("two", 1, Ok(()))];
        runs[0].outcome.findings = findings(&["a: first", "b: first"]);
        runs[1].outcome.findings = findings(&["a: second", "c"]);
        let kept = column(&runs).findings;
        let kept: Vec<_> = kept.iter().map(|f| (&f.test[..], &f.sentence[..])).collect();
        assert_eq!(kept, [("one", "a: first"), ("one", "b: first"), ("two", "c")]);
    }
}

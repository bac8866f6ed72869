//! The result of one submission as plain data, for `report.json` and for tables. The comments of
//! these types are in the published schema.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use config::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exit::{self, Exit, UserError};
use crate::intake::source_tree::Ignored;
use crate::plan::Plan;
use crate::report::failures;
use crate::report::score::{self, Points, Score, Sums, WhyNot, sums};
use crate::run::finished::Verdict;

/// The maximum number of findings that are kept of a test.
const FINDINGS_MAX: usize = 10;

/// A submission that was graded, or could not be.
pub(crate) struct Attempt {
    /// The hash of its content; none if it could not be read.
    pub(crate) id: Option<String>,
    /// The parts of it that have no effect.
    pub(crate) ignored: Vec<Ignored>,
    /// An error if it could not be graded.
    pub(crate) scores: Result<Vec<Score>>,
}

/// The result of one submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Graded {
    /// The shortest end of its path that no other submission has.
    pub(crate) name: String,
    /// Its path as given on the command line.
    pub(crate) path: String,
    /// A hash of its sources, its manifest, the kit and the compiler; null if it could not be read.
    pub(crate) id: Option<String>,
    /// Whether it was built and accepted. If not, there are no results of tests, and `error` says
    /// why.
    pub(crate) built: bool,
    /// Why it could not be graded.
    pub(crate) error: Option<Fault>,
    /// Its files and settings that were ignored.
    pub(crate) left_out: Vec<String>,
    /// Points won in parts 3A to 3D, in the tests that ran.
    pub(crate) points: u32,
    /// The maximum of `points`.
    pub(crate) max_points: u32,
    /// Points in parts 3A to 3D that are neither won nor lost, because of a fault of the kit.
    pub(crate) undecided: u32,
    /// The points of part 3E. They are not included in `points`, `max_points` and `undecided`.
    pub(crate) extra: Extra,
    /// The results of the tests, in the order of the labs; empty if `built` is false.
    pub(crate) tests: Vec<Tested>,
}

/// The points of part 3E.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extra {
    pub(crate) points: u32,
    pub(crate) max_points: u32,
    pub(crate) undecided: u32,
}

/// Why a submission could not be graded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// The side that is at fault.
    pub(crate) fault: Whose,
    /// What went wrong, in one sentence.
    pub(crate) sentence: String,
    /// The output of the compiler or cargo, unchanged; may be empty.
    pub(crate) words: String,
}

/// The side that has to correct a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Whose {
    /// The caller of the grader, for example if a path does not exist.
    Usage,
    /// The student.
    Submission,
    /// The kit or the machine: the submission has to be graded again.
    Kit,
}

/// The result of one test over all its seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tested {
    /// The part and the words of the test, such as `3A initial election`.
    pub(crate) name: String,
    /// Such as `3A`.
    pub(crate) part: String,
    pub(crate) verdict: TestVerdict,
    /// The id of the rule that the first failing run broke, such as `S2`.
    pub(crate) rule: Option<String>,
    /// The number of seeds that ran.
    pub(crate) seeds: usize,
    /// The number of seeds that failed.
    pub(crate) failed: usize,
    /// The number of seeds without a verdict, because of a fault of the kit.
    pub(crate) infra: usize,
    /// The number of seeds that did not run, because an earlier seed ended by a limit in real time,
    /// or because the submission had no CPU time left.
    #[serde(default)]
    pub(crate) not_run: usize,
    /// 0 unless every seed ran and passed.
    pub(crate) points: u32,
    pub(crate) max_points: u32,
    /// The first seed that failed; if none failed, the first seed without a verdict.
    pub(crate) seed: Option<u64>,
    /// The class of the failure of that seed, such as `safety`.
    pub(crate) class: Option<String>,
    /// The failure of that seed in one sentence; if there is none, why seeds did not run.
    pub(crate) sentence: Option<String>,
    /// Where to look for the cause, in the terms of the paper.
    #[serde(default)]
    pub(crate) look: Option<String>,
    /// More facts about that failure.
    pub(crate) notes: Vec<String>,
    /// The end of the output of that run.
    pub(crate) output: Option<String>,
    /// Findings, which cost no points: each in one sentence, with its seed.
    pub(crate) findings: Vec<String>,
    /// The mean length of a run by its own clock, in seconds; null if no run has a length.
    pub(crate) virtual_seconds: Option<f64>,
}

/// `infra` is a fault of the kit: no seed failed, but not every seed has a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TestVerdict {
    Passed,
    Failed,
    Infra,
}

impl Attempt {
    pub(crate) fn exit(&self) -> Exit {
        self.scores.as_ref().map_or_else(exit::of, |scores| score::exit(scores))
    }
}

impl Graded {
    pub(crate) fn of(name: &str, path: &Path, plan: &Plan, attempt: &Attempt) -> Graded {
        let Attempt { id, ignored, scores } = attempt;
        let graded = match scores {
            Ok(scores) => {
                let (lab, extra) = sums(scores);
                let budget = plan.submission_budget;
                let tests = scores.iter().map(|score| Tested::of(score, budget)).collect();
                Graded { built: true, tests, ..Graded::new(name, path, lab, extra) }
            }
            Err(error) => {
                let all = |is_extra: bool| {
                    let tests = plan.tests.iter().filter(|it| it.part.counts != is_extra);
                    Sums { all: tests.map(|test| test.points).sum(), ..Sums::default() }
                };
                let error = Some(Fault::of(error));
                Graded { error, ..Graded::new(name, path, all(false), all(true)) }
            }
        };
        let left_out = ignored.iter().map(|it| it.name.clone()).collect();
        Graded { id: id.clone(), left_out, ..graded }
    }

    /// The result in one line. `extra_parts`: see [`Plan::extra_parts`].
    pub(crate) fn summary(&self, extra_parts: &str) -> String {
        let Graded { name, points, max_points, .. } = self;
        match &self.error {
            Some(_) => format!("{name}: cannot be graded"),
            None if self.extra.max_points == 0 => {
                format!("{name}: {points} of {max_points} points")
            }
            None => {
                let Extra { points: extra, max_points: of, .. } = self.extra;
                format!("{name}: {points} of {max_points} points, {extra} of {of} in {extra_parts}")
            }
        }
    }

    fn new(name: &str, path: &Path, lab: Sums, extra: Sums) -> Graded {
        Graded {
            name: name.into(),
            path: path.display().to_string(),
            id: None,
            built: false,
            error: None,
            left_out: Vec::new(),
            points: lab.won,
            max_points: lab.all,
            undecided: lab.undecided,
            extra: Extra { points: extra.won, max_points: extra.all, undecided: extra.undecided },
            tests: Vec::new(),
        }
    }
}

impl Fault {
    fn of(error: &anyhow::Error) -> Fault {
        let fault = match exit::of(error) {
            Exit::Usage => Whose::Usage,
            Exit::BuildFailed => Whose::Submission,
            _ => Whose::Kit,
        };
        let words = error.downcast_ref().map_or("", UserError::words);
        Fault { fault, sentence: format!("{error:#}"), words: words.into() }
    }
}

impl Tested {
    fn of(score: &Score, budget: Duration) -> Tested {
        let verdict = match score.points() {
            Points::All => TestVerdict::Passed,
            Points::None => TestVerdict::Failed,
            Points::Undecided => TestVerdict::Infra,
        };
        let run = score.with(Verdict::Failed).chain(score.with(Verdict::Infra)).next();
        let failure = run.and_then(|run| run.outcome.verdict.as_ref().err());
        let max_points = score.test.points;
        let is_spent = score.not_run.iter().any(|(_, why)| *why == WhyNot::Spent);
        let sentence = failure.map(|failure| failure.sentence.clone());
        let sentence = sentence.or_else(|| is_spent.then(|| failures::spent(budget)));
        let findings = score.runs.iter().flat_map(|run| {
            run.outcome.findings.iter().map(|finding| format!("{finding} (seed {})", run.seed))
        });
        Tested {
            name: score.test.name(),
            part: score.test.part.to_string(),
            verdict,
            rule: failure.and_then(|failure| failure.rule).map(|rule| rule.id().into()),
            seeds: score.runs.len(),
            failed: score.count(Verdict::Failed),
            infra: score.count(Verdict::Infra),
            not_run: score.not_run.len(),
            points: if verdict == TestVerdict::Passed { max_points } else { 0 },
            max_points,
            seed: run.map(|run| run.seed),
            class: failure.map(|failure| failure.class.to_string()),
            sentence,
            look: failure.and_then(Failure::where_to_look).map(str::to_owned),
            notes: failure.map(|failure| failure.notes.clone()).unwrap_or_default(),
            output: run.map(|run| run.outcome.output.clone()).filter(|it| !it.is_empty()),
            findings: findings.take(FINDINGS_MAX).collect(),
            // To the millisecond. More digits would only be noise.
            virtual_seconds: score.time().map(|(mean, _)| (mean * 1e3).round() / 1e3),
        }
    }
}

#[cfg(test)]
mod tests {
    use config::Class;

    use super::*;
    use crate::report::score::tests::score;
    use crate::run::finished::tests::failed;

    #[test]
    fn a_test_reports_its_first_failing_seed() {
        let mut score = score(
            0,
            vec![
                failed(Class::Infra, "no memory"),
                Ok(()),
                failed(Class::Safety, "term 3 has 2 leaders"),
            ],
        );
        score.runs[2].outcome.output = "vote for 2\n".into();
        score.runs[1].outcome.findings = vec!["the term went up".into()];
        let tested = Tested::of(&score, Duration::from_secs(240));
        insta::assert_snapshot!(serde_json::to_string_pretty(&tested).unwrap());
    }
}

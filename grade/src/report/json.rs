//! `report.json`: everything that a grading came to, in one versioned shape.
//!
//! `report.schema.json` beside this crate is made from these types. The same submissions, seeds
//! and kit give the same report to the byte: no wall time is in it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ::tests::{Clock, Part};
use anyhow::Result;
use sandbox::Sandbox;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::Plan;
use crate::batch::Attempt;
use crate::exit::{self, Exit, Refusal};
use crate::isolation::Peers;
use crate::kit::Kit;
use crate::report::failures;
use crate::report::score::{Points, Score, Sums, Verdict, WhyNot, sums};
use crate::run::confine;

/// Changes when a reader of an older report could misunderstand a new one.
pub(crate) const SCHEMA: u32 = 1;
/// So many findings of a test are kept.
const FINDINGS_MAX: usize = 10;

/// What a grading came to.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    /// The version of this shape: 1.
    pub(crate) schema: u32,
    /// The kit's version, and behind `+` a hash of its sources.
    pub(crate) kit: String,
    /// What the compiler says of its version.
    pub(crate) rustc: String,
    /// What ran the submissions: `fiber` or `kernel` in virtual time, or `real`.
    pub(crate) engine: String,
    /// Where the servers of a submission lived: each in a process of its own (`apart`), or all in
    /// one (`together`).
    pub(crate) peers: Peers,
    /// The salt of what the servers drew; see `--salt`.
    #[serde(default)]
    pub(crate) salt: String,
    /// The seeds that every test ran with.
    pub(crate) seeds: Seeds,
    /// The layers that kept submissions from the machine; null if their servers lived in one
    /// process, which no sandbox holds.
    pub(crate) sandbox: Option<Vec<String>>,
    /// In the order of the command line.
    pub(crate) submissions: Vec<Graded>,
}

/// The seeds from the first to the last.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// What one submission came to.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Graded {
    /// The end of its path, as long as it takes to tell it from the others.
    pub(crate) name: String,
    /// As it was named on the command line.
    pub(crate) path: String,
    /// A hash of its sources, its manifest, the kit and the compiler; null if it was not taken.
    pub(crate) id: Option<String>,
    /// There is a program of it. If not, no test ran and `error` says why.
    pub(crate) built: bool,
    /// Why it could not be graded.
    pub(crate) error: Option<Fault>,
    /// What it has beyond its sources and had no effect.
    pub(crate) left_out: Vec<String>,
    /// Points won in parts 3A to 3D, of those tests that ran.
    pub(crate) points: u32,
    /// Points that could be won there.
    pub(crate) max_points: u32,
    /// Points there that are neither won nor lost, by a fault of the kit.
    pub(crate) undecided: u32,
    /// The points of part 3E, which are in none of the three above.
    pub(crate) extra: Extra,
    /// In the order of the labs; empty if it was not built.
    pub(crate) tests: Vec<Tested>,
}

/// The points of part 3E.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extra {
    pub(crate) points: u32,
    pub(crate) max_points: u32,
    pub(crate) undecided: u32,
}

/// Why a submission could not be graded.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Whose fault it is.
    pub(crate) fault: Whose,
    /// What happened.
    pub(crate) sentence: String,
    /// What the compiler or cargo said, word for word; may be empty.
    pub(crate) words: String,
}

/// Who can mend something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Whose {
    /// Who called the grader: there is no such path, for one.
    Usage,
    /// The student.
    Submission,
    /// The kit or the machine; it has to be graded again.
    Kit,
}

/// What one test came to, over all its seeds.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tested {
    /// Such as `3A initial election`.
    pub(crate) name: String,
    /// Such as `3A`.
    pub(crate) part: String,
    pub(crate) verdict: TestVerdict,
    /// The id of the rule that the first failing run broke, such as `S2`.
    pub(crate) rule: Option<String>,
    /// So many seeds ran.
    pub(crate) seeds: usize,
    /// So many of them failed.
    pub(crate) failed: usize,
    /// So many have no verdict, by a fault of the kit.
    pub(crate) infra: usize,
    /// So many were not run: those behind the first that ended by a limit in real time, and those
    /// for which the submission had no processor time left.
    #[serde(default)]
    pub(crate) not_run: usize,
    /// 0 unless every seed ran and passed.
    pub(crate) points: u32,
    pub(crate) max_points: u32,
    /// The first seed that failed, or else the first without a verdict.
    pub(crate) seed: Option<u64>,
    /// The class of what went wrong with that seed, such as `safety`.
    pub(crate) class: Option<String>,
    /// What went wrong with it; if nothing did, why seeds were not run.
    pub(crate) sentence: Option<String>,
    /// What else may help to understand it.
    pub(crate) notes: Vec<String>,
    /// The end of what that run printed.
    pub(crate) output: Option<String>,
    /// What is no failure but worth telling.
    pub(crate) findings: Vec<String>,
    /// The mean length of a run by its own clock, in seconds; null if no run has one.
    pub(crate) virtual_seconds: Option<f64>,
}

/// `infra` is a fault of the kit: nothing failed, but not every seed has a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TestVerdict {
    Passed,
    Failed,
    Infra,
}

impl Report {
    pub(crate) fn of(
        kit: &Kit,
        sandbox: Option<&Sandbox>,
        plan: &Plan,
        submissions: Vec<Graded>,
    ) -> Report {
        let seeds = &plan.seeds;
        Report {
            schema: SCHEMA,
            kit: kit.version().into(),
            rustc: kit.rustc().into(),
            engine: Clock::default().to_string(),
            peers: plan.peers,
            salt: plan.salt.clone(),
            seeds: Seeds { first: seeds[0], last: seeds[seeds.len() - 1] },
            sandbox: sandbox.map(|sandbox| confine::names(sandbox.layers())),
            submissions,
        }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has an encoding") + "\n"
    }

    /// Reads what a grading has written. What is wrong with it is said with its place.
    pub(crate) fn read(path: &Path) -> Result<Report> {
        /// All that a report of another version surely has.
        #[derive(Deserialize)]
        struct Versioned {
            schema: u32,
        }
        let shown = path.display();
        let refuse = |why: String| Refusal::usage(format!("{shown} is no report: {why}"));
        let text = fs::read(path)
            .map_err(|error| Refusal::usage(format!("{shown} cannot be read: {error}")))?;
        let Versioned { schema } =
            serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
        if schema != SCHEMA {
            let why = format!("its schema is {schema}, and this program knows {SCHEMA}");
            return Err(refuse(why).into());
        }
        Ok(serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?)
    }
}

impl Graded {
    pub(crate) fn of(name: &str, path: &Path, plan: &Plan, attempt: Attempt) -> Graded {
        let Attempt { id, left_out, scores } = attempt;
        let graded = match scores {
            Ok(scores) => {
                let (lab, extra) = sums(&scores);
                let budget = plan.submission_budget;
                let tests = scores.iter().map(|score| Tested::of(score, budget)).collect();
                Graded { built: true, tests, ..Graded::new(name, path, lab, extra) }
            }
            Err(error) => {
                let all = |is_extra: bool| {
                    let tests = plan.tests.iter().filter(|it| (it.part == Part::E) == is_extra);
                    Sums { all: tests.map(|test| test.points).sum(), ..Sums::default() }
                };
                let error = Some(Fault::of(&error));
                Graded { error, ..Graded::new(name, path, all(false), all(true)) }
            }
        };
        let left_out = left_out.into_iter().map(|it| it.name).collect();
        Graded { id, left_out, ..graded }
    }

    /// In a line.
    pub(crate) fn summary(&self) -> String {
        let Graded { name, points, max_points, .. } = self;
        match &self.error {
            Some(_) => format!("{name}: cannot be graded"),
            None if self.extra.max_points == 0 => {
                format!("{name}: {points} of {max_points} points")
            }
            None => {
                let Extra { points: extra, max_points: of, .. } = self.extra;
                format!("{name}: {points} of {max_points} points, {extra} of {of} in 3E")
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
            Exit::Unbuilt => Whose::Submission,
            _ => Whose::Kit,
        };
        let words = error.downcast_ref().map_or("", Refusal::words);
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
            notes: failure.map(|failure| failure.notes.clone()).unwrap_or_default(),
            output: run.map(|run| run.outcome.output.clone()).filter(|it| !it.is_empty()),
            findings: findings.take(FINDINGS_MAX).collect(),
            // To the millisecond, since more would only be noise to a reader.
            virtual_seconds: score.time().map(|(mean, _)| (mean * 1e3).round() / 1e3),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::env;

    use config::Class;

    use super::*;
    use crate::report::score::tests::{failed, score};

    #[test]
    fn the_schema_that_is_published_is_that_of_the_types() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/report.schema.json"));
        let schema = schemars::schema_for!(Report);
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            fs::write(file, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(file).unwrap(), text, "`just bless` writes it anew");
    }

    #[test]
    fn a_test_says_what_its_first_failing_seed_came_to() {
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

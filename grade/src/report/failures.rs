//! A paragraph for each failure: the first seed that fails, what went wrong, and how to run it
//! again.

use std::path::Path;
use std::time::Duration;

use config::{Class, Failure};
use runner::{Heading, Style, plain};

use crate::isolation::Isolation;
use crate::plan::Plan;
use crate::report::score::{Score, WhyNot};
use crate::run::finished::{Run, Verdict};

/// A paragraph for each different failure, then the kit's own faults, missing runs and findings.
pub(crate) fn render(path: &Path, plan: &Plan, scores: &[Score]) -> String {
    let mut text = String::new();
    let mut shown: Vec<&Failure> = Vec::new();
    for (at, score) in scores.iter().enumerate() {
        let Some((run, failure)) = first(score, Verdict::Failed) else { continue };
        if !shown.iter().any(|other| are_alike(other, failure)) {
            text += &paragraph(path, plan, score, run, failure, &scores[at + 1..]);
            shown.push(failure);
        }
    }
    for score in scores {
        if let Some((run, _)) = first(score, Verdict::Infra) {
            text += &infra(path, plan, score, run);
        }
    }
    text + &not_run(plan.submission_budget, scores) + &findings(scores)
}

fn first(score: &Score, verdict: Verdict) -> Option<(&Run, &Failure)> {
    let run = score.with(verdict).next()?;
    Some((run, run.outcome.verdict.as_ref().err()?))
}

/// Whether one paragraph is enough for both. The notes on a thread that spins say where in its loop
/// it was, and those on a failure of liveness what happened last and when, which differs.
fn are_alike(one: &Failure, other: &Failure) -> bool {
    let notes_differ = matches!(one.class, Class::Spin | Class::Liveness);
    let notes = if notes_differ { other.notes.clone() } else { one.notes.clone() };
    Failure { notes, ..one.clone() } == *other
}

fn paragraph(
    path: &Path,
    plan: &Plan,
    score: &Score,
    run: &Run,
    failure: &Failure,
    later: &[Score],
) -> String {
    let same = later.iter().filter(|other| {
        first(other, Verdict::Failed).is_some_and(|(_, it)| are_alike(it, failure))
    });
    let same: Vec<String> =
        same.map(|other| format!("{} ({})", other.test.name(), share(other))).collect();
    let mut lines = vec![format!("fails in {}", share(score))];
    if !same.is_empty() {
        lines.push(format!("also in: {}", same.join(", ")));
    }
    let again = again(path, plan, run);
    let style = Style { purpose: true, lines: &lines, again: Some(&again), ..Style::default() };
    format!("\n{}", run.outcome.render(run.test, run.seed, style))
}

/// The output is shown too, because a program of the kit may have printed why.
fn infra(path: &Path, plan: &Plan, score: &Score, run: &Run) -> String {
    let lines = [format!(
        "{} of {} runs have no verdict; no points are deducted, but a rerun is needed",
        score.count(Verdict::Infra),
        score.runs.len(),
    )];
    let again = again(path, plan, run);
    let heading = Heading::Words("NOT THE SUBMISSION'S FAULT");
    let style = Style { heading, lines: &lines, again: Some(&again), ..Style::default() };
    format!("\n{}", run.outcome.render(run.test, run.seed, style))
}

/// `2 of 20 seeds`.
fn share(score: &Score) -> String {
    let seeds = if score.runs.len() == 1 { "seed" } else { "seeds" };
    let not_run = match score.not_run.len() {
        0 => String::new(),
        1 => "; 1 more was not run".into(),
        count => format!("; {count} more were not run"),
    };
    format!("{} of {} {seeds}{not_run}", score.count(Verdict::Failed), score.runs.len())
}

/// The tests with seeds for which there was no time.
fn not_run(budget: Duration, scores: &[Score]) -> String {
    let lacks = |score: &&Score| score.not_run.iter().any(|(_, why)| *why == WhyNot::Spent);
    let tests: Vec<String> = scores.iter().filter(lacks).map(|it| it.test.name()).collect();
    if tests.is_empty() {
        return String::new();
    }
    format!(
        "\nNOT RUN  {}\n  {}\n  a test with seeds that were not run gives no points\n",
        tests.join(", "),
        spent(budget)
    )
}

/// Why the remaining runs of a submission were not made.
pub(crate) fn spent(budget: Duration) -> String {
    let seconds = budget.as_secs();
    format!("the submission reached its limit of {seconds} s of CPU time")
}

/// The command that makes a run again.
fn again(path: &Path, plan: &Plan, run: &Run) -> String {
    let (words, seed, path) = (plan.table.words_of(run.test), run.seed, quoted(path));
    let options = options(plan);
    format!("cargo grade replay {options}--test \"{words}\" --seed {seed} {path}")
}

/// The options that make `cargo grade replay` repeat the plan's runs. They depend on the isolation
/// and on the salt.
fn options(plan: &Plan) -> String {
    match (plan.isolation, &*plan.salt) {
        (Isolation::Thread, _) => "--in-process ".into(),
        (Isolation::Process, "") => String::new(),
        (Isolation::Process, salt) => format!("--salt {} ", quoted(Path::new(salt))),
    }
}

/// The path as a word for a shell.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    if !plain::is_plain(&path) {
        let escaped = path.replace('\\', r"\\").replace('\'', r"\'");
        return format!("$'{}'", shell_escapes(&plain::line(&escaped)));
    }
    if path.chars().all(|c| c.is_alphanumeric() || "/._-+,:@".contains(c)) {
        path
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

/// A shell writes `\u202e` where Rust writes `\u{202e}`.
fn shell_escapes(text: &str) -> String {
    let mut pieces = text.split("\\u{");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once('}') {
            Some((digits, rest)) => whole += &format!("\\U{digits:0>8}{rest}"),
            None => whole += piece,
        }
    }
    whole
}

/// One finding of each test.
fn findings(scores: &[Score]) -> String {
    let mut text = String::new();
    for score in scores {
        let mut with = score.runs.iter().filter(|run| !run.outcome.findings.is_empty());
        if let Some(run) = with.next() {
            let (name, finding) = (score.test.name(), plain::sentence(&run.outcome.findings[0]));
            let more = match with.count() {
                0 => String::new(),
                n => format!(", and {n} more seeds"),
            };
            text += &format!("\nwarning: {name}: {finding} (seed {}{more})\n", run.seed);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use config::Class;

    use super::*;
    use crate::plan::tests::plan;
    use crate::report::score::tests::score;
    use crate::run::finished::tests::failed;

    #[test]
    fn a_failure_is_reported_once_with_other_tests_and_how_to_repeat_it() {
        let slow = || failed(Class::Liveness, "expected one leader within 5 s, got none");
        let noted = Failure::of(1, Class::Timeout, "server 1 has not returned from `make`")
            .with_notes(["server 0 has not answered".into()]);
        let mut scores = [
            score(0, vec![Ok(()), slow(), slow()]),
            score(1, vec![slow(), failed(Class::Infra, "failed to run: no memory")]),
            score(2, vec![Ok(()), Err(noted)]),
        ];
        scores[1].runs[1].outcome.output = "error: no such filter\n".into();
        scores[0].runs[0].outcome.findings = vec!["the term went from 1 to 2".into()];
        let path = Path::new("students/Ada's");
        insta::assert_snapshot!(render(path, &plan(&[]), &scores));
    }

    #[test]
    fn missing_runs_are_reported_with_the_reason() {
        let spins = || failed(Class::Spin, "server 1 runs on and on");
        let mut scores = [score(0, vec![spins()]), score(1, vec![Ok(())])];
        scores[0].not_run = vec![(2, WhyNot::Stopped), (3, WhyNot::Stopped)];
        scores[1].not_run = vec![(2, WhyNot::Spent)];
        insta::assert_snapshot!(render(Path::new("ada"), &plan(&[]), &scores));
    }

    #[test]
    fn output_of_a_submission_cannot_look_like_a_line_of_the_grader() {
        let said = "no\x1b[2J\r\n  fails in 0 of 20 seeds\u{202e}";
        let failure = Failure::new(Class::Panic, said).with_notes([said.into()]);
        let mut scores = [score(0, vec![Err(failure)])];
        scores[0].runs[0].outcome.output = said.into();
        scores[0].runs[0].outcome.findings = vec![said.into()];
        let path = Path::new("it's\\\x1b[2J\u{202e}\n.zip");
        insta::assert_snapshot!(render(path, &plan(&[]), &scores));
    }

    #[test]
    fn a_spinning_thread_is_reported_once_wherever_it_was_seen() {
        let met = |class, place: &str| {
            Failure::of(1, class, "it runs on and on").with_notes([format!("it is in {place}")])
        };
        let are_alike = |class| are_alike(&met(class, "a loop"), &met(class, "its head"));
        assert!(are_alike(Class::Spin) && are_alike(Class::Liveness));
        assert!(!are_alike(Class::Deadlock));
    }
}

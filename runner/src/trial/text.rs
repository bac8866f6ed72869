//! What `cargo test` prints for one test.

use std::path::{Path, PathBuf};

use crate::outcome::Outcome;
use crate::plain;
use crate::render::Style;
use crate::shorter::Shorter;
use crate::test::Test;

/// One run that has ended.
pub(super) struct Run {
    pub(super) seed: u64,
    pub(super) outcome: Outcome,
    /// If the run had to be recorded: the run file, or why there is none.
    pub(super) recording: Option<Result<PathBuf, String>>,
}

/// The lines that 6.824 prints for a test that passed, with the figures of the first seed.
pub(super) fn passed(test: &Test, runs: &[Run], recording: &[String]) -> String {
    let mut text = format!("Test ({}): {} ...\n", test.part, test.words);
    text.extend(recording.iter().map(|line| format!("  {line}\n")));
    for Run { seed, outcome, .. } in runs {
        for finding in &outcome.findings {
            text += &format!("  warning: {} (seed {seed})\n", plain::sentence(finding));
        }
    }
    if let Some(Run { seed, outcome: Outcome { figures: Some(figures), .. }, .. }) = runs.first() {
        let others = match runs.len() {
            1 => String::new(),
            n => format!(" of {n}"),
        };
        text += &format!("{figures}  (seed {seed}{others})\n");
    }
    text
}

pub(super) fn failure(
    test: &Test,
    seed: u64,
    outcome: &Outcome,
    (failed, total): (usize, usize),
    recording: Vec<String>,
    again: &str,
) -> String {
    let fails = (total > 1).then(|| format!("fails in {failed} of {total} seeds"));
    let lines: Vec<String> = fails.into_iter().chain(recording).collect();
    let style = Style { purpose: true, lines: &lines, again: Some(again), ..Style::default() };
    outcome.render(test, seed, style)
}

/// The shorter run first, then where the whole one is.
pub(super) fn shortened(
    test: &Test,
    seed: u64,
    whole: &Outcome,
    (failed, total): (usize, usize),
    recording: Vec<String>,
    again: &str,
    shorter: &Shorter,
) -> String {
    let mut lines = shorter.lines();
    match &shorter.recording {
        Ok(path) => lines.extend(pictures(path)),
        Err(why) => lines.push(format!("not recorded: {why}")),
    }
    let sentence = whole.verdict.as_ref().err().map(|failure| plain::sentence(&failure.sentence));
    let fails = (total > 1).then(|| format!(" (the test fails in {failed} of {total} seeds)"));
    let (sentence, fails) = (sentence.unwrap_or_default(), fails.unwrap_or_default());
    lines.push(format!("the whole run{fails}: {sentence}"));
    lines.extend(recording.into_iter().map(|line| format!("  {line}")));
    lines.push(format!("  again:   {again}"));
    let again = Some(shorter.again.as_str());
    let style = Style { purpose: true, lines: &lines, again, ..Style::default() };
    shorter.shrunk.outcome.render(test, seed, style)
}

/// Where the pictures of a recorded run are.
pub(super) fn pictures(path: &Path) -> Vec<String> {
    [("picture: ", "html"), ("timeline:", "txt")]
        .map(|(name, extension)| format!("{name} {}", path.with_extension(extension).display()))
        .to_vec()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use config::{Class, Failure, Figures};

    use super::*;
    use crate::settings::{Clock, Settings, Timeline};
    use crate::test::tests::SUITE;
    use crate::trial::command::again;

    #[test]
    fn a_passed_test_prints_the_lines_of_6_824_and_its_warnings() {
        let figures = Figures {
            time: Duration::from_millis(3049),
            peers: 3,
            rpcs: 58,
            bytes: 1684,
            commands: 0,
        };
        let outcome = Outcome {
            verdict: Ok(()),
            figures: Some(figures),
            findings: vec!["the term went from 1 to 2 although nothing had failed\x07".into()],
            simulation: None,
            output: "ignored".into(),
        };
        let run = |seed, outcome| Run { seed, outcome, recording: None };
        assert_eq!(
            passed(
                &SUITE.tests[0],
                &[run(1, outcome.clone()), run(2, Outcome { findings: vec![], ..outcome })],
                &pictures(Path::new("a.run"))
            ),
            "Test (3A): initial election ...\n  \
             picture:  a.html\n  timeline: a.txt\n  \
             warning: the term went from 1 to 2 although nothing had failed\\x07 (seed 1)\n  \
             ... Passed --  3.0  3   58    1684    0  (seed 1 of 2)\n"
        );
    }

    #[test]
    fn a_failed_test_says_what_failed_and_how_to_repeat_it() {
        let failed = Failure::of(1, Class::Safety, "term 3 has 2 leaders, servers 0 and 2")
            .with_notes(["a note\x1b[2J\nfails in 0 of 3 seeds".into()]);
        let outcome = Outcome { output: "one\ntwo\r\n".into(), ..Outcome::failed(failed) };
        let clock = Clock::Virtual(sim::Engine::Kernel);
        let settings = Settings {
            seeds: vec![7],
            clock,
            invariants: false,
            fail_fast: false,
            timeline: Timeline::Never,
            shrink: None,
            decisive: None,
            plan: None,
        };
        let test = &SUITE.tests[1];
        // Without the option of a release build, which this test may be.
        let again = again(test.words, 7, &settings).replace("--release ", "");
        let text = failure(test, 7, &outcome, (2, 3), pictures(Path::new("a.run")), &again);
        assert_eq!(
            text,
            "FAIL  3A re-election                   safety       seed 7\n  \
             term 3 has 2 leaders, servers 0 and 2\n  \
             a note\\x1b[2J\n    \
             | fails in 0 of 3 seeds\n  \
             the test: A disconnected leader is replaced; its return changes nothing; without a \
             majority no server leads.\n  \
             fails in 2 of 3 seeds\n  \
             picture:  a.html\n  timeline: a.txt\n  \
             it printed:\n    \
             one\n    \
             two\\r\n  \
             again:  LAB_ENGINE=kernel LAB_INVARIANTS=off LAB_SEED=7 cargo test \
             \"re-election\"\n"
        );
    }
}

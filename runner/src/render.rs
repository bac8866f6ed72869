//! A failed run as text for people: one layout for `cargo test`, the grader and its replays.

use verdict::Evidence;

use crate::outcome::Outcome;
use crate::plain;
use crate::test::Test;

/// A failure shows at most this many events, the last ones.
const EVIDENCE_SHOWN_MAX: usize = 8;

/// What to show around a failure. By default only the failure and the output of the run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style<'a> {
    /// The first line and how much it says.
    pub heading: Heading<'a>,
    /// Also show the purpose of the test.
    pub purpose: bool,
    /// More lines, after the failure and before the output. They must be plain text.
    pub lines: &'a [String],
    /// The command that repeats the run.
    pub again: Option<&'a str>,
}

/// The beginning of the text.
#[derive(Debug, Clone, Copy, Default)]
pub enum Heading<'a> {
    /// `FAIL` with test, class and seed, then the sentence, the events that show it, where to look,
    /// the rule and the notes.
    #[default]
    Fail,
    /// The given words with test and seed, then the sentence.
    Words(&'a str),
}

impl Outcome {
    /// The failure of a run as text. Each line ends with a line break. Empty if the run passed.
    ///
    /// The first line is not indented, all others are, so that no text of an implementation can
    /// look like the beginning of another failure.
    pub fn render(&self, test: &Test, seed: u64, style: Style<'_>) -> String {
        let Err(failure) = &self.verdict else { return String::new() };
        let (name, class) = (test.name(), failure.class);
        let sentence = plain::sentence(&failure.sentence);
        let mut text = match style.heading {
            Heading::Fail => format!("FAIL  {name:<32} {class:<12} seed {seed}\n  {sentence}\n"),
            Heading::Words(words) => format!("{words}  {name}  seed {seed}\n  {sentence}\n"),
        };
        if let Heading::Fail = style.heading {
            let look = failure.where_to_look();
            let look = look.map(|look| format!("where to look: {}", plain::sentence(look)));
            let rule = failure.rule.map(|rule| format!("rule: {rule}"));
            let notes = failure.notes.iter().map(|note| plain::sentence(note));
            let lines = evidence(&failure.evidence).chain(look).chain(rule).chain(notes);
            text.extend(lines.map(|line| format!("  {line}\n")));
        }
        let purpose = style.purpose.then(|| format!("the test: {}", test.purpose));
        let lines = purpose.iter().chain(style.lines);
        text.extend(lines.map(|line| format!("  {line}\n")));
        // Shown near the end, because the output can be long.
        if !self.output.is_empty() {
            text += &format!("  it printed:\n{}", indent(&self.output));
        }
        if let Some(command) = style.again {
            text += &format!("  again:  {command}\n");
        }
        text
    }
}

/// The events that show a failure: when, which server, what.
fn evidence(events: &[Evidence]) -> impl Iterator<Item = String> {
    let left_out = events.len().saturating_sub(EVIDENCE_SHOWN_MAX);
    let lines = events.iter().skip(left_out).map(|Evidence { at, server, what, .. }| {
        let server = server.map_or_else(|| "the lab".into(), |server| format!("server {server}"));
        format!("{:>9.3} s  {server:<9}  {}", at.as_secs_f64(), plain::sentence(what))
    });
    let note = (left_out > 0).then(|| format!("  {left_out} earlier events are left out"));
    note.into_iter().chain(lines)
}

fn indent(output: &str) -> String {
    plain::lines(output).lines().map(|line| format!("    {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use config::{Class, Failure, Rule};

    use super::*;
    use crate::test::tests::TEST;

    fn outcome() -> Outcome {
        let event = |millis, server, what: &str| Evidence {
            event: millis,
            at: Duration::from_millis(millis),
            server,
            what: what.into(),
        };
        let events = [event(1201, Some(0), "leads term 3"), event(11_300, None, "looks\x07")];
        let failure = Failure::of(1, Class::Safety, "term 3 has 2 leaders")
            .with_rule(Rule::S1)
            .with_evidence(events)
            .with_notes(["a note\x1b[2J\nFAIL".into()]);
        Outcome { output: "one\ntwo\r\n".into(), ..Outcome::failed(failure) }
    }

    #[test]
    fn the_parts_of_a_failure_have_a_fixed_order() {
        let style = Style {
            purpose: true,
            lines: &["fails in 2 of 3 seeds".into()],
            again: Some("cargo test"),
            ..Style::default()
        };
        let (rule, look) = (Rule::S1, Rule::S1.look());
        assert_eq!(
            outcome().render(&TEST, 7, style),
            format!(
                "FAIL  3A initial election              safety       seed 7\n  \
                 term 3 has 2 leaders\n      \
                 1.201 s  server 0   leads term 3\n     \
                 11.300 s  the lab    looks\\x07\n  \
                 where to look: {look}\n  \
                 rule: {rule}\n  \
                 a note\\x1b[2J\n    \
                 | FAIL\n  \
                 the test: A leader is elected, and stays leader while nothing fails.\n  \
                 fails in 2 of 3 seeds\n  \
                 it printed:\n    \
                 one\n    \
                 two\\r\n  \
                 again:  cargo test\n"
            )
        );
    }

    #[test]
    fn only_the_last_events_are_shown() {
        let events: Vec<Evidence> = (0..11)
            .map(|event| Evidence { event, at: Duration::ZERO, server: Some(1), what: "x".into() })
            .collect();
        let lines: Vec<String> = evidence(&events).collect();
        assert_eq!(lines[0], "  3 earlier events are left out");
        assert_eq!(lines.len(), 1 + EVIDENCE_SHOWN_MAX);
    }

    #[test]
    fn a_heading_of_other_words_shows_no_class_and_no_notes() {
        let style = Style { heading: Heading::Words("NOT OURS"), ..Style::default() };
        assert_eq!(
            outcome().render(&TEST, 7, style),
            "NOT OURS  3A initial election  seed 7\n  \
             term 3 has 2 leaders\n  \
             it printed:\n    one\n    two\\r\n"
        );
    }

    #[test]
    fn a_run_that_passed_shows_nothing() {
        let passed = Outcome { verdict: Ok(()), ..outcome() };
        assert_eq!(passed.render(&TEST, 7, Style::default()), "");
    }
}

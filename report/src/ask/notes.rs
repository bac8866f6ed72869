//! What a person should know of the answers to a question: names that the run does not have, and
//! answers that the end of the run may have caused.

use std::collections::BTreeSet;

use runfile::{Kind, Value as Json};

use super::lexer::Step;
use super::meaning::{EventWord, Root};
use super::moments::Moments;
use super::query::{Condition, Field, Servers, Sum, Text, Value};
use super::time::duration;
use crate::phrase;
use crate::plain;

const NAME_CHARS_MAX: usize = 40;
const NAMES_SHOWN_MAX: usize = 20;

/// The notes on a question. `times` are those of the answers.
pub(super) fn of(
    condition: &Condition,
    moments: &Moments<'_>,
    times: impl Iterator<Item = u64>,
) -> Vec<String> {
    let mut notes = Notes { moments, notes: Vec::new(), within: 0 };
    notes.of(condition);
    let end = moments.run.end.t;
    let near = times.filter(|t| end.saturating_sub(*t) < notes.within).count();
    if near > 0 {
        let time = duration(notes.within);
        let (one, many) = ("1 of these events is", format!("{near} of these events are"));
        let are = if near == 1 { one } else { &many };
        notes.notes.push(format!("{are} less than {time} before the end of the run"));
    }
    notes.notes
}

struct Notes<'a> {
    moments: &'a Moments<'a>,
    notes: Vec<String>,
    /// How far the question looks ahead, in microseconds.
    within: u64,
}

impl Notes<'_> {
    fn of(&mut self, condition: &Condition) {
        match condition {
            Condition::All(parts) | Condition::AnyOf(parts) => {
                parts.iter().for_each(|part| self.of(part));
            }
            Condition::Not(condition)
            | Condition::Turns { condition, .. }
            | Condition::Lasts { condition, .. }
            | Condition::Servers(Servers { condition, .. }) => self.of(condition),
            Condition::Is(_) | Condition::Happens(_, None) => {}
            Condition::Happens(event, Some(text)) => self.of_text(*event, text),
            Condition::Compare(left, _, right) => {
                self.of_sum(left);
                self.of_sum(right);
            }
            Condition::True(value) => self.of_value(value),
            Condition::Ordered(ordered) => {
                if let (false, Some(micros)) = (ordered.is_past, ordered.within) {
                    self.within = self.within.max(micros);
                }
                self.of(&ordered.condition);
                ordered.bound.iter().for_each(|bound| self.of(bound));
            }
        }
    }

    fn of_sum(&mut self, sum: &Sum) {
        match sum {
            Sum::Value(value) => self.of_value(value),
            Sum::Plus(left, right) | Sum::Minus(left, right) => {
                self.of_sum(left);
                self.of_sum(right);
            }
        }
    }

    fn of_value(&mut self, value: &Value) {
        match value {
            Value::Field(_, Field::Path(root @ (Root::Args | Root::Reply), steps, _)) => {
                self.of_path(*root, steps);
            }
            Value::Count(condition) => self.of(condition),
            Value::TermAt(index) => self.of_sum(index),
            _ => {}
        }
    }

    fn of_text(&mut self, event: EventWord, text: &Text) {
        let (what, names): (_, BTreeSet<&str>) = match event {
            EventWord::Waiting | EventWord::Output => return,
            EventWord::Fault => {
                let verbs = self.moments.events().iter().filter_map(|event| match &event.kind {
                    Kind::Fault { verb, .. } | Kind::Link { verb, .. } => Some(verb.as_str()),
                    _ => None,
                });
                ("fault", verbs.collect())
            }
            _ => ("call", self.moments.calls().iter().map(|call| call.method).collect()),
        };
        if !names.contains(phrase::name(&text.text)) {
            let name = plain::line(&text.text, NAME_CHARS_MAX);
            self.missing(&format!("no {what} of this run is named \"{name}\""), &names);
        }
    }

    /// Says at which step a path leads nowhere in any message of the run.
    fn of_path(&mut self, root: Root, steps: &[Step]) {
        let mut values: Vec<&Json> = match root {
            Root::Args => self.moments.calls().iter().filter_map(|call| call.args).collect(),
            _ => {
                let replies = self.moments.events().iter().filter_map(|event| match &event.kind {
                    Kind::Handled { reply, .. } => reply.as_ref(),
                    _ => None,
                });
                replies.collect()
            }
        };
        for (place, step) in steps.iter().enumerate() {
            let name = match step {
                Step::Field(name) => name,
                Step::Element(_) | Step::Each => {
                    values = values.into_iter().flat_map(items).collect();
                    continue;
                }
            };
            let is_last = place + 1 == steps.len();
            let has_length = values.iter().any(|value| matches!(value, Json::List(_)));
            // What is in an empty list is not known.
            if values.is_empty() || (is_last && name == "length" && has_length) {
                return;
            }
            let fields = || values.iter().copied().flat_map(fields);
            let next: Vec<&Json> =
                fields().filter(|(it, _)| it == name).map(|(_, value)| value).collect();
            if next.is_empty() {
                let names: BTreeSet<&str> = fields().map(|(name, _)| name.as_str()).collect();
                let message = if root == Root::Args { "request" } else { "reply" };
                let name = plain::line(name, NAME_CHARS_MAX);
                self.missing(&format!("no {message} of this run has `{name}` there"), &names);
                return;
            }
            values = next;
        }
    }

    fn missing(&mut self, sentence: &str, names: &BTreeSet<&str>) {
        let shown = names.iter().take(NAMES_SHOWN_MAX).map(|it| plain::line(it, NAME_CHARS_MAX));
        let shown = shown.collect::<Vec<_>>().join(", ");
        self.notes.push(match names.is_empty() {
            true => sentence.to_owned(),
            false => format!("{sentence}; there are: {shown}"),
        });
    }
}

fn fields(value: &Json) -> &[(String, Json)] {
    match value {
        Json::Fields(fields) => fields,
        _ => &[],
    }
}

fn items(value: &Json) -> &[Json] {
    match value {
        Json::List(items) => items,
        _ => &[],
    }
}

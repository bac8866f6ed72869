//! The values of a point of a run.

use std::cmp::Ordering;

use runfile::{How, Kind, Role};

use super::lexer::Step;
use super::meaning::{FieldWord, Root};
use super::moments::{Moments, Point, Version};
use super::query::Field;

/// A value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Val<'a> {
    Number(i128),
    /// In microseconds.
    Time(i128),
    Text(&'a str),
    Truth(bool),
    Nothing,
}

impl<'a> Val<'a> {
    pub(super) fn equals(&self, other: &Val<'a>) -> bool {
        match (self, other) {
            // Commands are texts, and most of them are digits.
            (Val::Text(text), Val::Number(number)) | (Val::Number(number), Val::Text(text)) => {
                text.parse() == Ok(*number)
            }
            (left, right) => left == right,
        }
    }

    pub(super) fn order(&self, other: &Val<'a>) -> Option<Ordering> {
        match (self, other) {
            (Val::Number(left), Val::Number(right)) | (Val::Time(left), Val::Time(right)) => {
                Some(left.cmp(right))
            }
            _ => None,
        }
    }

    pub(super) fn plus(self, other: &Val<'a>) -> Option<Val<'a>> {
        match (self, other) {
            (Val::Number(left), Val::Number(right)) => left.checked_add(*right).map(Val::Number),
            (Val::Time(left), Val::Time(right)) => left.checked_add(*right).map(Val::Time),
            _ => None,
        }
    }

    pub(super) fn minus(self, other: &Val<'a>) -> Option<Val<'a>> {
        match (self, other) {
            (Val::Number(left), Val::Number(right)) => left.checked_sub(*right).map(Val::Number),
            (Val::Time(left), Val::Time(right)) => left.checked_sub(*right).map(Val::Time),
            _ => None,
        }
    }

    /// A text that is equal for equal values.
    pub(super) fn key(&self) -> String {
        match self {
            Val::Number(number) => number.to_string(),
            Val::Text(text) => match text.parse::<i128>() {
                Ok(number) => number.to_string(),
                Err(_) => format!("text {text}"),
            },
            Val::Time(micros) => format!("time {micros}"),
            Val::Truth(truth) => format!("truth {truth}"),
            Val::Nothing => "nothing".into(),
        }
    }
}

type IsIt<'f, 'a> = &'f mut dyn FnMut(Val<'a>) -> bool;

impl<'a> Moments<'a> {
    /// Whether a value of a field is the one that is looked for.
    pub(super) fn field(&self, field: &'a Field, at: Point, is_it: IsIt<'_, 'a>) -> bool {
        match field {
            Field::Plain(word) if word.is_of_event() => {
                self.is_there(at) && self.of_event(*word, at).is_some_and(is_it)
            }
            Field::Plain(FieldWord::Time) => is_it(Val::Time(self.events()[at.event].t.into())),
            Field::Plain(FieldWord::Servers) => is_it(number(self.servers)),
            Field::Plain(FieldWord::Majority) => is_it(number(self.majority())),
            Field::Plain(FieldWord::Server) => at.server < self.servers && is_it(number(at.server)),
            Field::Plain(FieldWord::Incarnation) => {
                let version = self.version(at);
                let number = version.map(|version| version.look.incarnation);
                number.filter(|number| *number > 0).is_some_and(|it| is_it(Val::Number(it.into())))
            }
            Field::Path(root @ (Root::Args | Root::Reply), steps, _) => {
                self.is_there(at)
                    && self.message(*root, at).is_some_and(|value| walk(value, steps, is_it))
            }
            field => {
                let shown = self.shown(at);
                shown.is_some_and(|version| self.of_state(field, version, is_it))
            }
        }
    }

    /// The same for what the server showed before a change of its state.
    pub(super) fn previous(&self, field: &'a Field, at: Point, is_it: IsIt<'_, 'a>) -> bool {
        let is_change = matches!(self.kind(at.event), Kind::State(_));
        if !is_change || !self.is_there(at) {
            return false;
        }
        let before = self.shown_before(at);
        before.is_some_and(|version| self.of_state(field, version, is_it))
    }

    fn of_state(&self, field: &'a Field, version: &Version, is_it: IsIt<'_, 'a>) -> bool {
        let look = &version.look;
        let word = match field {
            Field::Plain(word) => *word,
            Field::Path(root, steps, _) => {
                let list = self.list(&version.details, *root == Root::NextIndex);
                let list = list.unwrap_or_default();
                return match steps.first() {
                    Some(Step::Element(server)) => {
                        list.get(*server).is_some_and(|index| is_it(Val::Number((*index).into())))
                    }
                    _ => list.iter().any(|index| is_it(Val::Number((*index).into()))),
                };
            }
        };
        let value = match word {
            FieldWord::Role => look.role.map(|role| Val::Text(name_of_role(role))),
            FieldWord::Term => Some(Val::Number(look.term.into())),
            FieldWord::VotedFor => Some(look.voted_for.map_or(Val::Nothing, number)),
            FieldWord::LastLogIndex => Some(Val::Number(look.last_index.into())),
            FieldWord::LastLogTerm => Some(Val::Number(look.last_term.into())),
            FieldWord::CommitIndex => Some(Val::Number(look.commit.into())),
            FieldWord::LastApplied => Some(Val::Number(look.applied.into())),
            FieldWord::SnapshotIndex => Some(Val::Number(look.snapshot.0.into())),
            FieldWord::SnapshotTerm => Some(Val::Number(look.snapshot.1.into())),
            FieldWord::Incarnation => Some(Val::Number(look.incarnation.into())),
            FieldWord::VotesReceived => self.votes_received(&version.details).map(number),
            FieldWord::ElectionDeadline => {
                version.details.election_deadline.map(|at| Val::Time(at.into()))
            }
            _ => None,
        };
        value.is_some_and(is_it)
    }

    fn of_event(&self, word: FieldWord, at: Point) -> Option<Val<'a>> {
        let event = &self.events()[at.event];
        let unsigned = |value: u64| Some(Val::Number(value.into()));
        let server = |server: Option<usize>| server.map(number);
        match (word, &event.kind) {
            (FieldWord::Event, _) => unsigned(event.n),
            (FieldWord::From, Kind::Link { from, .. }) => server(Some(*from)),
            (FieldWord::To, Kind::Link { to, .. }) => server(Some(*to)),
            (FieldWord::Verb, Kind::Fault { verb, .. } | Kind::Link { verb, .. }) => {
                Some(Val::Text(verb))
            }
            (FieldWord::How, Kind::Ended { how, .. }) => Some(Val::Text(name_of_ending(*how))),
            (FieldWord::Copy, Kind::Dispatched { copy, .. } | Kind::Handled { copy, .. }) => {
                Some(Val::Number((*copy).into()))
            }
            (
                FieldWord::Index,
                Kind::Accepted { index, .. }
                | Kind::Applied { index, .. }
                | Kind::AppliedSnapshot { index, .. },
            ) => unsigned(*index),
            (
                FieldWord::EntryTerm,
                Kind::Accepted { term, .. } | Kind::AppliedSnapshot { term, .. },
            ) => unsigned(*term),
            (
                FieldWord::Command,
                Kind::Offered { command, .. }
                | Kind::Accepted { command, .. }
                | Kind::Applied { command, .. },
            ) => Some(Val::Text(command)),
            (FieldWord::Bytes, Kind::Handled { bytes, .. }) => bytes.map(number),
            (
                FieldWord::Bytes,
                Kind::Sent { bytes, .. }
                | Kind::Saved { bytes, .. }
                | Kind::AppliedSnapshot { bytes, .. },
            ) => Some(number(*bytes)),
            _ => {
                let call = self.call(at.event)?;
                match word {
                    FieldWord::From => server(call.from),
                    FieldWord::To => server(call.to),
                    FieldWord::Method => Some(Val::Text(call.method)),
                    FieldWord::CallId => unsigned(call.number),
                    _ => None,
                }
            }
        }
    }

    /// The message of an event.
    fn message(&self, root: Root, at: Point) -> Option<&'a runfile::Value> {
        let call = self.call(at.event)?;
        match (root, self.kind(at.event)) {
            (Root::Args, _) => call.args,
            (_, Kind::Handled { reply, .. }) => reply.as_ref(),
            (_, Kind::Ended { how: How::Answered, .. }) => call.reply,
            _ => None,
        }
    }
}

fn number<'a>(number: usize) -> Val<'a> {
    Val::Number(number as i128)
}

/// Follows steps into a value.
fn walk<'a>(value: &'a runfile::Value, steps: &[Step], is_it: IsIt<'_, 'a>) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return scalar(value).is_some_and(is_it);
    };
    match (step, value) {
        (Step::Field(name), runfile::Value::Fields(fields)) => {
            let field = fields.iter().find(|(it, _)| it == name);
            field.is_some_and(|(_, value)| walk(value, rest, is_it))
        }
        (Step::Field(name), runfile::Value::List(items)) if name == "length" && rest.is_empty() => {
            is_it(number(items.len()))
        }
        (Step::Element(place), runfile::Value::List(items)) => {
            items.get(*place).is_some_and(|value| walk(value, rest, is_it))
        }
        (Step::Each, runfile::Value::List(items)) => {
            items.iter().any(|value| walk(value, rest, is_it))
        }
        _ => false,
    }
}

/// A value of a message; none for a list, an object or a fraction.
fn scalar(value: &runfile::Value) -> Option<Val<'_>> {
    match value {
        runfile::Value::Null => Some(Val::Nothing),
        runfile::Value::Bool(truth) => Some(Val::Truth(*truth)),
        runfile::Value::Unsigned(number) => Some(Val::Number((*number).into())),
        runfile::Value::Signed(number) => Some(Val::Number((*number).into())),
        runfile::Value::Text(text) => Some(Val::Text(text)),
        runfile::Value::Float(_) | runfile::Value::List(_) | runfile::Value::Fields(_) => None,
    }
}

fn name_of_role(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}

/// As a run file names it.
fn name_of_ending(how: How) -> &'static str {
    match how {
        How::Answered => "answered",
        How::Disabled => "disabled",
        How::Deleted => "deleted",
        How::NoServer => "no_server",
        How::Cut => "cut",
        How::RequestLost => "request_lost",
        How::ReplyLost => "reply_lost",
        How::ServerGone => "server_gone",
        How::HandlerPanicked => "handler_panicked",
        How::Refused => "refused",
        How::Closed => "closed",
    }
}

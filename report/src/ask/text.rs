//! Answers as text for people and as JSON Lines for programs.

use std::fmt::Write;

use runfile::{Event, Kind, Role, State};
use serde::Serialize;

use super::answers::{Answer, Answers, Lasts};
use super::time::{duration, seconds};
use crate::changes;
use crate::phrase::Calls;
use crate::server::Look;

impl Answers<'_> {
    /// A line an answer, and how many there are. At most `limit` answers are shown.
    pub fn text(&self, limit: usize) -> String {
        let mut text = String::new();
        shown(self, limit, |answer, calls| {
            let event = &self.run.events[answer.event];
            let server = answer.server.map(|server| format!("server {server}")).unwrap_or_default();
            let cell = answer.look.map(|look| look.cell()).unwrap_or_default();
            let what = what(answer, &event.kind, calls);
            let lasts = match answer.lasts {
                None => String::new(),
                Some(Lasts::ToTheEnd) => "; to the end of the run".into(),
                Some(Lasts::Until(t)) => {
                    let time = duration(t.saturating_sub(event.t));
                    format!("; until {} s, for {time}", seconds(t))
                }
            };
            let (t, n) = (seconds(event.t), event.n);
            _ = writeln!(text, "{t:>11} s  {server:<9} {cell:<10}  {what}{lasts}  (event {n})");
        });
        let count = self.count();
        text.push_str(&match count {
            0 => "no answer\n".to_owned(),
            1 => "1 answer\n".to_owned(),
            _ if count > limit => {
                format!("{limit} of {count} answers; --limit {count} shows all\n")
            }
            _ => format!("{count} answers\n"),
        });
        text
    }

    /// The same as JSON Lines: an object an answer, and one with the number of answers.
    pub fn json(&self, limit: usize) -> String {
        let mut text = String::new();
        shown(self, limit, |answer, calls| {
            let event = &self.run.events[answer.event];
            let line = Line {
                n: event.n,
                t: event.t,
                server: answer.server,
                what: what(answer, &event.kind, calls),
                state: answer.look.as_ref().and_then(state),
                until: answer.lasts.map(|lasts| match lasts {
                    Lasts::Until(t) => Some(t),
                    Lasts::ToTheEnd => None,
                }),
                event,
            };
            _ = writeln!(text, "{}", encoded(&line));
        });
        let count = self.count();
        let left_out = count.saturating_sub(limit);
        let end = End { end: true, answers: count, left_out, notes: &self.notes };
        _ = writeln!(text, "{}", encoded(&end));
        text
    }
}

fn encoded(line: &impl Serialize) -> String {
    serde_json::to_string(line).expect("plain data has an encoding")
}

/// An answer.
#[derive(Serialize)]
struct Line<'a> {
    n: u64,
    t: u64,
    server: Option<usize>,
    what: String,
    state: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Option<u64>>,
    event: &'a Event,
}

/// The last line.
#[derive(Serialize)]
struct End<'a> {
    end: bool,
    answers: usize,
    left_out: usize,
    notes: &'a [String],
}

/// What a server shows, in the words of the language.
#[derive(Serialize)]
struct Shown {
    role: Role,
    term: u64,
    voted_for: Option<usize>,
    last_log_index: u64,
    last_log_term: u64,
    commit_index: u64,
    last_applied: u64,
    snapshot_index: u64,
    snapshot_term: u64,
}

/// Gives each answer that is shown to `show`, with the calls until then.
fn shown(answers: &Answers<'_>, limit: usize, mut show: impl FnMut(&Answer, &Calls)) {
    let mut calls = Calls::default();
    let mut next = 0;
    for answer in answers.answers.iter().take(limit) {
        // Several servers can have an answer at one event.
        let events = answers.run.events.get(next..=answer.event).unwrap_or_default();
        events.iter().for_each(|event| calls.take(&event.kind));
        next = next.max(answer.event + 1);
        show(answer, &calls);
    }
}

/// What happens, without the server in front if it is the one of the answer.
fn what(answer: &Answer, kind: &Kind, calls: &Calls) -> String {
    let what = calls.what(kind, of_state);
    let Some(server) = answer.server else { return what };
    let rest = what.strip_prefix(&format!("server {server}"));
    let rest = rest.and_then(|rest| rest.strip_prefix([' ', ':']));
    rest.map(|rest| rest.trim_start().to_owned()).unwrap_or(what)
}

/// Details only if nothing else changed: a leader changes them with each reply.
fn of_state(state: &State) -> String {
    let parts = [changes::of_state(state), changes::of_details(state)];
    let first = parts.into_iter().find(|part| !part.is_empty());
    first.unwrap_or_else(|| "shows less".into())
}

/// What a server shows; none if that is nothing.
fn state(look: &Look) -> Option<Shown> {
    Some(Shown {
        role: look.role.filter(|_| look.is_up)?,
        term: look.term,
        voted_for: look.voted_for,
        last_log_index: look.last_index,
        last_log_term: look.last_term,
        commit_index: look.commit,
        last_applied: look.applied,
        snapshot_index: look.snapshot.0,
        snapshot_term: look.snapshot.1,
    })
}

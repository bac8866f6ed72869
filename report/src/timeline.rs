//! A run as text: a column a server, a line a change.
//!
//! A server is shown in a few characters: its role (`F` follower, `C` candidate, `L` leader, `-`
//! down, `?` its state is not known), its term, and the last index of its log with the commit index
//! after a slash: `L3 7/5`. A `!` at the beginning of a line marks an event that shows the failure.

use std::fmt::Write;
use std::ops::RangeInclusive;

use runfile::{Event, Fact, Kind, RunFile, State};

use crate::changes;
use crate::phrase::{Calls, link, who};
use crate::plain;
use crate::server::{self, Server};

/// What to show.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Only these servers; empty for all.
    pub servers: Vec<usize>,
    /// Only these groups; empty for all but details, messages, saves and answers.
    pub groups: Vec<Group>,
    /// Only events at these times, in microseconds.
    pub times: RangeInclusive<u64>,
}

/// A group of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Group {
    /// Changes of role, term, vote, log and commit index
    State,
    /// Votes received, next and match index, election timer
    Details,
    /// Starts, crashes, cuts and other faults
    Faults,
    /// Commands: offered, accepted, applied
    Commands,
    /// Calls between servers
    Messages,
    /// Saves
    Saves,
    /// Lines that the code printed
    Output,
    /// The steps of the test
    Test,
    /// Answers to the test's questions
    Answers,
}

const COLUMN_CHARS: usize = 13;
const TEXT_CHARS_MAX: usize = 72;

impl Default for Filter {
    fn default() -> Filter {
        Filter { servers: Vec::new(), groups: Vec::new(), times: 0..=u64::MAX }
    }
}

/// What happened in some microseconds, a line a change, without the columns.
pub fn happenings(run: &RunFile, times: RangeInclusive<u64>) -> Vec<String> {
    let filter = Filter { times, ..Filter::default() };
    let mut screen = Screen::new(run.header.servers, &filter);
    let mut lines = Vec::new();
    for event in &run.events {
        screen.take(event);
        if filter.shows(event) {
            lines.push(format!(
                "{:>9.4} s  {}",
                seconds(event.t),
                screen.what(&event.kind, &filter)
            ));
        }
    }
    lines
}

/// The run as text, with a line break after each line.
pub fn timeline(run: &RunFile, filter: &Filter) -> String {
    let mut text = String::new();
    let mut screen = Screen::new(run.header.servers, filter);
    screen.heading(&mut text);
    let mut facts = run.end.failure.iter().flat_map(|failure| &failure.evidence).peekable();
    let mut events = run.events.iter().peekable();
    while let Some(event) = events.next() {
        // The event of a fact is left out of the file if it changed nothing.
        while let Some(fact) = facts.next_if(|fact| fact.n < event.n) {
            screen.fact(&mut text, fact, filter);
        }
        screen.take(event);
        let fact = facts.next_if(|fact| fact.n == event.n);
        let mut what = screen.what(&event.kind, filter);
        // A partition cuts many links at the same time.
        while let Some(next) = events.next_if(|next| is_same_verb(event, next)) {
            screen.take(next);
            _ = write!(what, ", {}", link(&next.kind));
        }
        if filter.shows(event) || (fact.is_some() && filter.times.contains(&event.t)) {
            screen.line(&mut text, event.t, &what, fact.map(|fact| &*fact.what));
        }
    }
    facts.for_each(|fact| screen.fact(&mut text, fact, filter));
    let verdict = match &run.end.failure {
        Some(failure) => format!("FAIL: {}", plain::line(&failure.sentence, 400)),
        None => "passed".to_owned(),
    };
    _ = writeln!(text, "{:>10.3}  {verdict}", seconds(run.end.t));
    text
}

impl Filter {
    fn shows(&self, event: &Event) -> bool {
        let is_wanted = match &event.kind {
            Kind::State(state) => {
                (self.wants(Group::State) && changes::is_of_state(state))
                    || (self.wants(Group::Details) && !changes::of_details(state).is_empty())
            }
            kind => self.wants(group(kind)),
        };
        let of = server::of(&event.kind);
        let is_here = self.servers.is_empty() || of.is_none_or(|of| self.servers.contains(&of));
        is_wanted && is_here && self.times.contains(&event.t)
    }

    fn wants(&self, group: Group) -> bool {
        match &self.groups[..] {
            [] => {
                !matches!(group, Group::Details | Group::Messages | Group::Saves | Group::Answers)
            }
            groups => groups.contains(&group),
        }
    }

    /// What a change of a server's state says to this reader.
    fn changes(&self, state: &State) -> String {
        let state_part = self.wants(Group::State).then(|| changes::of_state(state));
        let details = self.wants(Group::Details).then(|| changes::of_details(state));
        let parts = state_part.into_iter().chain(details).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(", ")
    }
}

fn group(kind: &Kind) -> Group {
    match kind {
        Kind::State(_) => Group::State,
        Kind::Started { .. } | Kind::Crashed { .. } | Kind::Fault { .. } | Kind::Link { .. } => {
            Group::Faults
        }
        Kind::Offered { .. }
        | Kind::Accepted { .. }
        | Kind::Refused { .. }
        | Kind::Applied { .. }
        | Kind::AppliedSnapshot { .. } => Group::Commands,
        Kind::Sent { .. }
        | Kind::Caught { .. }
        | Kind::Dispatched { .. }
        | Kind::Handled { .. }
        | Kind::Ended { .. }
        | Kind::Misused { .. } => Group::Messages,
        Kind::Saved { .. } => Group::Saves,
        Kind::Output { .. } => Group::Output,
        Kind::Cluster { .. } | Kind::Waiting { .. } => Group::Test,
        Kind::SaidState { .. } | Kind::SaidLeader { .. } => Group::Answers,
    }
}

/// The servers as they are at one moment, and the calls that have not ended.
struct Screen {
    servers: Vec<Server>,
    shown: Vec<usize>,
    calls: Calls,
}

impl Screen {
    fn new(servers: usize, filter: &Filter) -> Screen {
        let shown = |server: &usize| filter.servers.is_empty() || filter.servers.contains(server);
        Screen {
            servers: vec![Server::default(); servers],
            shown: (0..servers).filter(shown).collect(),
            calls: Calls::default(),
        }
    }

    fn heading(&self, text: &mut String) {
        _ = write!(text, "{:>10}  ", "time (s)");
        for server in &self.shown {
            _ = write!(text, "{:<COLUMN_CHARS$}", format!("server {server}"));
        }
        text.push_str("what\n");
    }

    fn take(&mut self, event: &Event) {
        self.calls.take(&event.kind);
        if let Kind::Cluster { .. } = event.kind {
            self.servers.iter_mut().for_each(|server| *server = Server::default());
        }
        if let Some(server) = server::of(&event.kind).and_then(|of| self.servers.get_mut(of)) {
            server.take(&event.kind);
        }
    }

    fn what(&self, kind: &Kind, filter: &Filter) -> String {
        self.calls.what(kind, |state| filter.changes(state))
    }

    fn line(&self, text: &mut String, t: u64, what: &str, fact: Option<&str>) {
        let mark = if fact.is_some() { '!' } else { ' ' };
        _ = write!(text, "{mark}{:>9.3}  ", seconds(t));
        for server in &self.shown {
            _ = write!(text, "{:<COLUMN_CHARS$}", self.servers[*server].look().cell());
        }
        text.push_str(what);
        if let Some(fact) = fact {
            _ = write!(text, "  <- {}", plain::line(fact, TEXT_CHARS_MAX));
        }
        text.push('\n');
    }

    fn fact(&self, text: &mut String, fact: &Fact, filter: &Filter) {
        if filter.times.contains(&fact.t) {
            let what = who(fact.server);
            self.line(text, fact.t, &what, Some(&fact.what));
        }
    }
}

/// Whether two events are the same fault of two links at the same time.
fn is_same_verb(event: &Event, next: &Event) -> bool {
    match (&event.kind, &next.kind) {
        (Kind::Link { verb, .. }, Kind::Link { verb: other, .. }) => {
            verb == other && event.t == next.t
        }
        _ => false,
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_line_shows_all_servers_and_what_changed() {
        insta::assert_snapshot!(timeline(&sample::run(), &Filter::default()));
    }

    #[test]
    fn a_filter_takes_servers_groups_and_times() {
        let filter = Filter {
            servers: vec![1],
            groups: vec![Group::State, Group::Messages],
            times: 2_000..=9_000,
        };
        insta::assert_snapshot!(timeline(&sample::run(), &filter));
    }

    #[test]
    fn details_are_shown_only_if_they_are_asked_for() {
        let mut run = sample::run();
        run.end.failure = None;
        let state = |state: State| Kind::State(State { server: 1, ..state });
        let votes = State { votes_received: Some(Some(vec![1])), ..State::default() };
        let due = State { term: Some(2), election_deadline: Some(Some(9_000)), ..State::default() };
        run.events.push(Event { n: 26, t: 26_000, kind: state(votes) });
        run.events.push(Event { n: 27, t: 27_000, kind: state(due) });
        let shown = |groups: &[Group]| {
            let (groups, times) = (groups.to_vec(), 26_000..=27_000);
            let text = timeline(&run, &Filter { servers: vec![1], groups, times });
            let lines = text.lines().filter_map(|line| line.get(25..)?.strip_prefix("server 1 "));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let votes = "has the vote of server 1";
        let timer = "election timer ends at 0.009 s";
        assert_eq!(shown(&[]), ["enters term 2"]);
        assert_eq!(shown(&[Group::Details]), [votes, timer]);
        let both = format!("enters term 2, {timer}");
        assert_eq!(shown(&[Group::State, Group::Details]), [votes, &both]);
    }
}

//! Whether a condition holds at a point of a run.

use std::collections::BTreeMap;

use runfile::{How, Kind, Role};

use super::meaning::{EventWord, StateWord};
use super::moments::{Moments, Point, Version};
use super::order::{Finder, Lasting};
use super::place::{Judge, Place};
use super::query::{Condition, Relation, Servers, Sum, Value, When};
use super::values::Val;
use crate::phrase;

/// Answers conditions. What is asked for again and again is searched once, and kept.
pub(super) struct Evaluator<'a> {
    moments: &'a Moments<'a>,
    finders: BTreeMap<usize, Finder<'a>>,
    lasting: BTreeMap<usize, Lasting>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator of this condition.
    pub(super) fn new(moments: &'a Moments<'a>, condition: &'a Condition) -> Evaluator<'a> {
        let mut evaluator =
            Evaluator { moments, finders: BTreeMap::new(), lasting: BTreeMap::new() };
        evaluator.prepare(condition);
        evaluator
    }

    /// Searches once what a condition asks for again and again, the innermost first.
    fn prepare(&mut self, condition: &'a Condition) {
        match condition {
            Condition::All(parts) | Condition::AnyOf(parts) => {
                parts.iter().for_each(|part| self.prepare(part));
            }
            Condition::Not(condition)
            | Condition::Turns { condition, .. }
            | Condition::Servers(Servers { condition, .. }) => self.prepare(condition),
            Condition::Compare(left, _, right) => {
                self.prepare_sum(left);
                self.prepare_sum(right);
            }
            Condition::Is(_) | Condition::Happens(..) | Condition::True(_) => {}
            Condition::Lasts { condition, id, .. } => {
                self.prepare(condition);
                self.lasting.insert(*id, Lasting::new(self, condition));
            }
            Condition::Ordered(ordered) => {
                self.prepare(&ordered.condition);
                ordered.bound.iter().for_each(|bound| self.prepare(bound));
                self.finders.insert(ordered.id, Finder::new(self, ordered));
            }
        }
    }

    fn prepare_sum(&mut self, sum: &'a Sum) {
        match sum {
            Sum::Value(Value::Count(condition)) => self.prepare(condition),
            Sum::Value(Value::TermAt(index)) => self.prepare_sum(index),
            Sum::Value(_) => {}
            Sum::Plus(left, right) | Sum::Minus(left, right) => {
                self.prepare_sum(left);
                self.prepare_sum(right);
            }
        }
    }
}

impl<'a> Judge<'a> for Evaluator<'a> {
    fn moments(&self) -> &'a Moments<'a> {
        self.moments
    }

    fn holds(&self, condition: &'a Condition, at: Place) -> bool {
        let here = at.here;
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.holds(part, at)),
            Condition::AnyOf(parts) => parts.iter().any(|part| self.holds(part, at)),
            Condition::Not(condition) => !self.holds(condition, at),
            Condition::Is(state) => self.is(*state, here),
            Condition::Happens(event, text) => {
                self.moments.is_there(here)
                    && self.happens(*event, here)
                    && text.as_ref().is_none_or(|text| self.has_text(*event, here, &text.text))
            }
            Condition::Compare(left, relation, right) => self.each(left, at, &mut |left| {
                self.each(right, at, &mut |right| relation.holds(&left, &right))
            }),
            Condition::True(value) => {
                self.each_of(value, at, &mut |value| value == Val::Truth(true))
            }
            Condition::Servers(servers) => self.of_servers(servers, here),
            Condition::Turns { on, condition } => {
                self.holds(condition, at) == *on && self.held_before(condition, at) != *on
            }
            Condition::Lasts { condition, micros, id } => {
                let asks = condition.asks_about_a_server();
                let server = if asks { here.server } else { self.moments.servers };
                let since = self.lasting[id].since(Point { server, ..here });
                let events = self.moments.events();
                since.is_some_and(|since| {
                    events[here.event].t.saturating_sub(events[since].t) >= *micros
                })
            }
            Condition::Ordered(ordered) => self.finders[&ordered.id].finds(self, ordered, here),
        }
    }

    fn each(&self, sum: &'a Sum, at: Place, is_it: &mut dyn FnMut(Val<'a>) -> bool) -> bool {
        match sum {
            Sum::Value(value) => self.each_of(value, at, is_it),
            Sum::Plus(left, right) => self.each(left, at, &mut |left| {
                self.each(right, at, &mut |right| left.plus(&right).is_some_and(&mut *is_it))
            }),
            Sum::Minus(left, right) => self.each(left, at, &mut |left| {
                self.each(right, at, &mut |right| left.minus(&right).is_some_and(&mut *is_it))
            }),
        }
    }
}

impl<'a> Evaluator<'a> {
    /// Before the first event nothing holds.
    fn held_before(&self, condition: &'a Condition, at: Place) -> bool {
        let before = at.here.event.checked_sub(1);
        before.is_some_and(|event| {
            self.holds(condition, Place { here: Point { event, ..at.here }, ..at })
        })
    }

    fn of_servers(&self, servers: &'a Servers, here: Point) -> bool {
        let all = 0..self.moments.servers;
        let mut others = all.filter(|server| !servers.others_only || *server != here.server);
        let mut holds = |server| {
            let at = Place { here: Point { server, ..here }, that: Some(here) };
            self.holds(&servers.condition, at)
        };
        if servers.every { others.all(holds) } else { others.any(&mut holds) }
    }

    fn is(&self, state: StateWord, at: Point) -> bool {
        let Some(version) = self.moments.version(at) else { return false };
        let look = &version.look;
        let has_role = |role: Role| look.is_up && look.role == Some(role);
        match state {
            StateWord::Follower => has_role(Role::Follower),
            StateWord::Candidate => has_role(Role::Candidate),
            StateWord::Leader => has_role(Role::Leader),
            StateWord::Up => look.is_up,
            StateWord::Down => look.incarnation > 0 && !look.is_up,
            StateWord::Paused => look.is_paused,
            StateWord::Connected => look.is_connected,
            StateWord::MajorityReachable => version.reaches_majority,
        }
    }

    fn happens(&self, event: EventWord, at: Point) -> bool {
        let kind = self.moments.kind(at.event);
        match event {
            EventWord::Call => matches!(kind, Kind::Sent { .. }),
            EventWord::Arrival => matches!(kind, Kind::Dispatched { .. }),
            EventWord::Handled => matches!(kind, Kind::Handled { .. }),
            EventWord::Answered => matches!(kind, Kind::Ended { how: How::Answered, .. }),
            EventWord::Unanswered => {
                matches!(kind, Kind::Ended { how, .. } if *how != How::Answered)
            }
            EventWord::Caught => matches!(kind, Kind::Caught { .. }),
            EventWord::Misused => matches!(kind, Kind::Misused { .. }),
            EventWord::State => matches!(kind, Kind::State(_)),
            EventWord::Vote => self.is_vote(kind, at),
            EventWord::Saved => matches!(kind, Kind::Saved { .. }),
            EventWord::Offered => matches!(kind, Kind::Offered { .. }),
            EventWord::Start => matches!(kind, Kind::Accepted { .. }),
            EventWord::Refused => matches!(kind, Kind::Refused { .. }),
            EventWord::Applied => matches!(kind, Kind::Applied { .. }),
            EventWord::AppliedSnapshot => matches!(kind, Kind::AppliedSnapshot { .. }),
            EventWord::SaidState => matches!(kind, Kind::SaidState { .. }),
            EventWord::SaidLeader => matches!(kind, Kind::SaidLeader { .. }),
            EventWord::Boot => matches!(kind, Kind::Started { .. }),
            EventWord::Restart => matches!(kind, Kind::Started { incarnation: 2.., .. }),
            EventWord::Crash => matches!(kind, Kind::Crashed { .. }),
            EventWord::Fault => matches!(kind, Kind::Fault { .. } | Kind::Link { .. }),
            EventWord::Named(name) => {
                matches!(kind, Kind::Fault { verb, .. } | Kind::Link { verb, .. } if verb == name)
            }
            EventWord::Cluster => matches!(kind, Kind::Cluster { .. }),
            EventWord::Waiting => matches!(kind, Kind::Waiting { .. }),
            EventWord::Output => matches!(kind, Kind::Output { .. }),
        }
    }

    /// A server votes when it shows a vote that it did not show in this term. Showing the old vote
    /// after a restart is none.
    fn is_vote(&self, kind: &Kind, at: Point) -> bool {
        let vote = |version: &Version| (version.look.term, version.look.voted_for);
        let Kind::State(_) = kind else { return false };
        let Some(now) = self.moments.shown(at).map(vote) else { return false };
        now.1.is_some() && self.moments.shown_before(at).map(vote) != Some(now)
    }

    fn has_text(&self, event: EventWord, at: Point, text: &str) -> bool {
        match (event, self.moments.kind(at.event)) {
            (_, Kind::Fault { verb, .. } | Kind::Link { verb, .. }) => verb == text,
            (_, Kind::Waiting { phrase }) => phrase.contains(text),
            (_, Kind::Output { text: line, .. }) => line.contains(text),
            _ => {
                let call = self.moments.call(at.event);
                call.is_some_and(|call| call.method == phrase::name(text))
            }
        }
    }

    /// The same for a value.
    fn each_of(&self, value: &'a Value, at: Place, is_it: &mut dyn FnMut(Val<'a>) -> bool) -> bool {
        match value {
            Value::Number(number) => is_it(Val::Number((*number).into())),
            Value::Time(micros) => is_it(Val::Time((*micros).into())),
            Value::Text(text) => is_it(Val::Text(text)),
            Value::Truth(truth) => is_it(Val::Truth(*truth)),
            Value::Nothing => is_it(Val::Nothing),
            Value::Field(When::Now, field) => self.moments.field(field, at.here, is_it),
            Value::Field(When::That, field) => {
                at.that.is_some_and(|that| self.moments.field(field, that, is_it))
            }
            Value::Field(When::Previous, field) => self.moments.previous(field, at.here, is_it),
            Value::Count(condition) => {
                let holds = |server: &usize| {
                    let here = Point { server: *server, ..at.here };
                    self.holds(condition, Place { here, that: Some(at.here) })
                };
                let count = (0..self.moments.servers).filter(holds).count();
                is_it(Val::Number(count as i128))
            }
            Value::TermAt(index) => self.each(index, at, &mut |index| {
                let Val::Number(index) = index else { return false };
                let term = u64::try_from(index).ok();
                let term = term.and_then(|index| self.moments.term_at(at.here, index));
                term.is_some_and(|term| is_it(Val::Number(term.into())))
            }),
        }
    }
}

impl Relation {
    fn holds(self, left: &Val<'_>, right: &Val<'_>) -> bool {
        match self {
            Relation::Equal => left.equals(right),
            Relation::Unequal => !left.equals(right),
            Relation::Less => left.order(right).is_some_and(std::cmp::Ordering::is_lt),
            Relation::AtMost => left.order(right).is_some_and(std::cmp::Ordering::is_le),
            Relation::Greater => left.order(right).is_some_and(std::cmp::Ordering::is_gt),
            Relation::AtLeast => left.order(right).is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

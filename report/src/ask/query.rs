//! A question as a tree.

use std::ops::Range;

use super::lexer::Step;
use super::meaning::{EventWord, FieldWord, Root, StateWord};

/// A condition. It holds or does not hold at a [`Point`](super::moments::Point).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    AnyOf(Vec<Condition>),
    Not(Box<Condition>),
    Is(StateWord),
    /// An event of this kind, and of this name or with this text.
    Happens(EventWord, Option<Text>),
    Compare(Sum, Relation, Sum),
    /// A value that is true or false.
    True(Value),
    Servers(Servers),
    /// It holds, and did not hold one event before; or the opposite.
    Turns {
        on: bool,
        condition: Box<Condition>,
    },
    /// It has held for this many microseconds.
    Lasts {
        condition: Box<Condition>,
        micros: u64,
        /// Counts these conditions of a question.
        id: usize,
    },
    Ordered(Box<Ordered>),
}

/// A condition of other servers at the same event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Servers {
    pub(super) every: bool,
    /// Without the server that is asked about.
    pub(super) others_only: bool,
    pub(super) condition: Box<Condition>,
}

/// A condition at an earlier or a later event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ordered {
    pub(super) is_past: bool,
    pub(super) condition: Condition,
    /// Not further away than this many microseconds.
    pub(super) within: Option<u64>,
    /// Only between here and the nearest event at which this holds.
    pub(super) bound: Option<Condition>,
    /// Counts these conditions of a question.
    pub(super) id: usize,
}

/// A text of the question that is compared with the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) place: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// A value, or a sum or difference.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sum {
    Value(Value),
    Plus(Box<Sum>, Box<Sum>),
    Minus(Box<Sum>, Box<Sum>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(u64),
    /// In microseconds.
    Time(u64),
    Text(String),
    Truth(bool),
    Nothing,
    Field(When, Field),
    /// The number of servers for which it holds.
    Count(Box<Condition>),
    /// The term of the entry at this index.
    TermAt(Box<Sum>),
}

/// Which event a field is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Now,
    /// The server's last state before this event.
    Previous,
    /// The event and the server of the condition around this one.
    That,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    Plain(FieldWord),
    /// A part of a message or of a list.
    Path(Root, Vec<Step>, Range<usize>),
}

impl Condition {
    /// Whether it happens at single events, rather than hold for a while.
    pub(super) fn happens(&self) -> bool {
        match self {
            Condition::All(parts) => parts.iter().any(Condition::happens),
            Condition::AnyOf(parts) => parts.iter().all(Condition::happens),
            Condition::Happens(..) | Condition::Turns { .. } => true,
            Condition::Compare(left, _, right) => left.is_of_event() || right.is_of_event(),
            Condition::True(value) => value.is_of_event(),
            Condition::Servers(servers) => servers.condition.happens(),
            Condition::Not(_)
            | Condition::Is(_)
            | Condition::Lasts { .. }
            | Condition::Ordered(_) => false,
        }
    }

    /// Whether it asks about a server: then it can hold for one and not for another.
    pub(super) fn asks_about_a_server(&self) -> bool {
        match self {
            Condition::All(parts) | Condition::AnyOf(parts) => {
                parts.iter().any(Condition::asks_about_a_server)
            }
            Condition::Is(_) | Condition::Happens(..) => true,
            Condition::Compare(left, _, right) => left.asks() || right.asks(),
            Condition::True(value) => value.asks(),
            Condition::Servers(Servers { others_only, condition, .. }) => {
                *others_only || condition.looks_out()
            }
            Condition::Not(condition)
            | Condition::Turns { condition, .. }
            | Condition::Lasts { condition, .. } => condition.asks_about_a_server(),
            Condition::Ordered(ordered) => ordered.looks_out(),
        }
    }

    /// Whether it uses a value of the condition around it.
    pub(super) fn looks_out(&self) -> bool {
        match self {
            Condition::All(parts) | Condition::AnyOf(parts) => {
                parts.iter().any(Condition::looks_out)
            }
            Condition::Compare(left, _, right) => left.looks_out() || right.looks_out(),
            Condition::True(value) => value.looks_out(),
            Condition::Not(condition)
            | Condition::Turns { condition, .. }
            | Condition::Lasts { condition, .. } => condition.looks_out(),
            // What is inside them looks at this condition.
            Condition::Is(_)
            | Condition::Happens(..)
            | Condition::Servers(_)
            | Condition::Ordered(_) => false,
        }
    }

    /// Whether it can hold only for the server that the event happens to.
    pub(super) fn is_of_the_events_server(&self) -> bool {
        match self {
            Condition::All(parts) => parts.iter().any(Condition::is_of_the_events_server),
            Condition::AnyOf(parts) => parts.iter().all(Condition::is_of_the_events_server),
            Condition::Happens(..) => true,
            Condition::Compare(left, _, right) => left.is_of_event() || right.is_of_event(),
            Condition::True(value) => value.is_of_event(),
            _ => false,
        }
    }
}

impl Ordered {
    /// Whether it uses a value of the event and the server at which it is asked.
    fn looks_out(&self) -> bool {
        self.condition.looks_out() || self.bound.as_ref().is_some_and(Condition::looks_out)
    }
}

impl Sum {
    fn any(&self, is_so: &impl Fn(&Value) -> bool) -> bool {
        match self {
            Sum::Value(value) => is_so(value),
            Sum::Plus(left, right) | Sum::Minus(left, right) => left.any(is_so) || right.any(is_so),
        }
    }

    fn asks(&self) -> bool {
        self.any(&Value::asks)
    }

    pub(super) fn looks_out(&self) -> bool {
        self.any(&Value::looks_out)
    }

    /// Whether it is the same at all events, if the one outside is given.
    pub(super) fn is_of_outside(&self) -> bool {
        !self.any(&|value| !value.is_of_outside())
    }

    fn is_of_event(&self) -> bool {
        self.any(&Value::is_of_event)
    }
}

impl Value {
    fn asks(&self) -> bool {
        match self {
            Value::Field(When::Now, Field::Plain(field)) => !field.is_of_the_moment(),
            Value::Field(When::Now | When::Previous, _) | Value::TermAt(_) => true,
            Value::Count(condition) => condition.looks_out(),
            _ => false,
        }
    }

    fn is_of_outside(&self) -> bool {
        match self {
            Value::Field(when, _) => *when == When::That,
            Value::Count(_) | Value::TermAt(_) => false,
            _ => true,
        }
    }

    fn looks_out(&self) -> bool {
        match self {
            Value::Field(when, _) => *when == When::That,
            Value::TermAt(index) => index.looks_out(),
            _ => false,
        }
    }

    fn is_of_event(&self) -> bool {
        match self {
            Value::Field(When::Now, field) => field.is_of_event(),
            Value::Field(When::Previous, _) => true,
            _ => false,
        }
    }
}

impl Field {
    /// Whether only an event has it, and not a server.
    pub(super) fn is_of_event(&self) -> bool {
        match self {
            Field::Plain(field) => field.is_of_event(),
            Field::Path(root, ..) => root.is_of_event(),
        }
    }
}

//! What a word of the language can mean.

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Grammar(Grammar),
    State(StateWord),
    Event(EventWord),
    Field(FieldWord),
    Root(Root),
    /// This many microseconds.
    Unit(u64),
}

/// Words that join others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    And,
    Or,
    Not,
    Becomes,
    Stops,
    For,
    Preceded,
    Followed,
    Within,
    Since,
    Before,
    Any,
    Every,
    Other,
    Same,
    That,
    Previous,
    Count,
    TermAt,
    True,
    False,
    Nothing,
}

/// States of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateWord {
    Follower,
    Candidate,
    Leader,
    Up,
    Down,
    Paused,
    Connected,
    MajorityReachable,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventWord {
    Call,
    Arrival,
    Handled,
    Answered,
    Unanswered,
    Caught,
    Misused,
    State,
    Vote,
    Saved,
    Offered,
    Start,
    Refused,
    Applied,
    AppliedSnapshot,
    SaidState,
    SaidLeader,
    Boot,
    Restart,
    Crash,
    Fault,
    /// A fault with a word of its own.
    Named(&'static str),
    Cluster,
    Waiting,
    Output,
}

/// Values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldWord {
    Time,
    Servers,
    Majority,
    Server,
    Role,
    Term,
    VotedFor,
    LastLogIndex,
    LastLogTerm,
    CommitIndex,
    LastApplied,
    SnapshotIndex,
    SnapshotTerm,
    Incarnation,
    VotesReceived,
    ElectionDeadline,
    Event,
    From,
    To,
    Method,
    CallId,
    Copy,
    How,
    Index,
    EntryTerm,
    Command,
    Bytes,
    Verb,
}

/// Values with parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Args,
    Reply,
    NextIndex,
    MatchIndex,
}

/// What can be compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Number,
    Time,
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    Truth,
    Nothing,
    /// A part of a message.
    Any,
}

pub(super) const ROLES: &[&str] = &["follower", "candidate", "leader"];

/// The ends of a call, as a run file names them.
pub(super) const ENDINGS: &[&str] = &[
    "answered",
    "disabled",
    "deleted",
    "no_server",
    "cut",
    "request_lost",
    "reply_lost",
    "server_gone",
    "handler_panicked",
    "refused",
    "closed",
];

impl EventWord {
    /// Whether a text can follow it, and what it is.
    pub(super) fn text(self) -> Option<&'static str> {
        match self {
            EventWord::Call
            | EventWord::Arrival
            | EventWord::Handled
            | EventWord::Answered
            | EventWord::Unanswered
            | EventWord::Caught => Some("a method"),
            EventWord::Fault => Some("a verb"),
            EventWord::Waiting | EventWord::Output => Some("a part of the text"),
            _ => None,
        }
    }
}

impl FieldWord {
    pub(super) fn sort(self) -> Sort {
        match self {
            FieldWord::Time | FieldWord::ElectionDeadline => Sort::Time,
            FieldWord::Method | FieldWord::Command | FieldWord::Verb => Sort::Text,
            FieldWord::Role => Sort::Choice(ROLES),
            FieldWord::How => Sort::Choice(ENDINGS),
            _ => Sort::Number,
        }
    }

    /// Whether it is the same for all servers.
    pub(super) fn is_of_the_moment(self) -> bool {
        matches!(self, FieldWord::Time | FieldWord::Servers | FieldWord::Majority)
    }

    /// Whether only an event has it, and not a server.
    pub(super) fn is_of_event(self) -> bool {
        matches!(
            self,
            FieldWord::Event
                | FieldWord::From
                | FieldWord::To
                | FieldWord::Method
                | FieldWord::CallId
                | FieldWord::Copy
                | FieldWord::How
                | FieldWord::Index
                | FieldWord::EntryTerm
                | FieldWord::Command
                | FieldWord::Bytes
                | FieldWord::Verb
        )
    }

    /// Whether it is of what a server shows of its state.
    pub(super) fn is_of_state(self) -> bool {
        !self.is_of_event() && !self.is_of_the_moment() && self != FieldWord::Server
    }
}

impl Root {
    /// Whether only an event has it, and not a server.
    pub(super) fn is_of_event(self) -> bool {
        matches!(self, Root::Args | Root::Reply)
    }
}

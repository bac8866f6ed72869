//! What can happen in a run: each kind of event, with its data.

use std::sync::Arc;
use std::time::Duration;

use raftapi::{ApplyMsg, Details, Inspect, Saved, Started};

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// When it happened.
    pub moment: Moment,
    /// What it was.
    pub what: What<'a>,
}

/// A place in the order of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The event's number, from 1. It alone decides what came first.
    pub event: u64,
    /// The time since the history began.
    pub at: Duration,
}

/// One incarnation of one server: its life between two crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Incarnation {
    /// The server's number.
    pub server: usize,
    /// Counts the server's starts, from 1.
    pub number: u32,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum What<'a> {
    /// A step of an RPC.
    Call(&'a labrpc::network::Event),
    /// Something happened to a server, whatever service it runs.
    Server(Incarnation, ServerEvent<'a>),
    /// A server's Raft did or said something.
    Raft(Incarnation, RaftEvent<'a>),
    /// A fault of a link began or ended.
    Link {
        /// The verb, such as `cut` or `heal`.
        verb: &'static str,
        /// The server that the link leads from.
        from: usize,
        /// The server that it leads to.
        to: usize,
    },
    /// The test has drawn a random command: letters and digits that cannot be guessed or
    /// compressed.
    Drawn(&'a [u8]),
    /// The test waits for something, given as a phrase such as `a leader`.
    Waiting(&'a str),
}

/// What happens to a server.
#[derive(Debug, Clone)]
pub enum ServerEvent<'a> {
    /// It is about to start from the content of its disk.
    Starting(&'a Saved),
    /// It crashed. Everything that it does from now on is ignored.
    Crashed,
    /// The network has removed its links; follows [`ServerEvent::Crashed`].
    Silenced,
    /// Another fault of this server began or ended: a verb such as `disconnect` or `crash_at_save`.
    Fault(&'static str),
    /// Its threads are paused.
    Paused,
    /// Its threads run again.
    Resumed,
    /// It has saved `new` over `old`.
    Saved {
        /// What was saved before.
        old: &'a Saved,
        /// What is saved now.
        new: &'a Saved,
    },
}

/// What a server's Raft does, and what it answers to the lab. An answer refers to the moment of its
/// question.
#[derive(Debug, Clone)]
pub enum RaftEvent<'a> {
    /// `start` is about to be called with this command. The server can know the command from now
    /// on, even if the call fails.
    Offered {
        /// The command.
        command: &'a [u8],
    },
    /// The lab is about to call one of its methods.
    Asked,
    /// `get_state` has answered.
    State {
        /// The moment of its [`RaftEvent::Asked`].
        asked: Moment,
        /// The term that it is in.
        term: u64,
    },
    /// `get_state` has answered that it leads `term`. A check that asks several servers judges
    /// their answers first, so this comes after the [`RaftEvent::State`] of all of them.
    Leads {
        /// The term that it leads.
        term: u64,
    },
    /// `start` has taken a command.
    Started {
        /// The moment of its [`RaftEvent::Asked`].
        asked: Moment,
        /// The index and term of the new entry.
        started: Started,
        /// The command.
        command: &'a [u8],
    },
    /// `start` has refused the command: the server says that it does not lead.
    Refused {
        /// The moment of its [`RaftEvent::Asked`].
        asked: Moment,
    },
    /// What the server shows beside its state. The answer of `inspect` that it belongs to follows.
    /// Only folds get it, and only if a reader [wants values](crate::History::want_values).
    Details {
        /// The details; never all empty.
        details: &'a Details,
        /// The election deadline, as the time since the run began.
        election_deadline: Option<Duration>,
    },
    /// `inspect` has answered for the first time in this incarnation, before the server is on the
    /// network.
    Restored {
        /// The moment of its [`RaftEvent::Asked`].
        asked: Moment,
        /// Its state.
        state: Arc<Inspect>,
        /// Whether it had read its saved Raft state by then. If not, this state is not the restored
        /// one.
        has_read: bool,
        /// The last index that its saved snapshot covers; 0 without a snapshot.
        covers: u64,
    },
    /// `inspect` has answered.
    Sampled {
        /// The moment of its [`RaftEvent::Asked`].
        asked: Moment,
        /// Its state; none if it does not implement `inspect`.
        state: Option<Arc<Inspect>>,
    },
    /// The lab has received a message from its apply channel.
    Applied(&'a ApplyMsg),
}

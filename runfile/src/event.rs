//! What a run file tells: each kind of line, with its fields.

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The number of the event in the history of the run.
    pub n: u64,
    /// When it happened, in microseconds since the run began.
    pub t: u64,
    /// What it was.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What happened.
///
/// A call has one `sent` and one `ended`, and a `dispatched` and a `handled` for each time that it
/// reached a handler: once, or more often if the network duplicated it. Those of a copy can come
/// after `ended`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// The network took a call from its caller.
    Sent {
        /// The call's number.
        call: u64,
        /// The caller; none if it is no server.
        from: Option<usize>,
        /// The server that is called; none if the caller is not connected to one.
        to: Option<usize>,
        /// Such as `Raft.RequestVote`.
        method: String,
        /// The size of the encoded arguments.
        bytes: usize,
        /// The arguments by the names of their fields; none if they were not recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        args: Option<Value>,
    },
    /// The test caught the request or the reply of a call. It delivers or drops it later.
    Caught {
        /// The call's number.
        call: u64,
        /// It was the reply.
        reply: bool,
    },
    /// A request reached its server, and its handler starts.
    Dispatched {
        /// The call's number.
        call: u64,
        /// 0 for the request itself, else the number of the copy.
        copy: u32,
    },
    /// A handler returned.
    Handled {
        /// The call's number.
        call: u64,
        /// As for `dispatched`.
        copy: u32,
        /// The size of the encoded reply; none if the handler panicked or refused the call.
        bytes: Option<usize>,
        /// The reply by the names of its fields; none if it was not recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<Value>,
    },
    /// The caller has its reply, or knows that there is none.
    Ended {
        /// The call's number.
        call: u64,
        /// How it ended.
        how: How,
    },
    /// A call used an unknown method or the wrong types, or was too large.
    Misused {
        /// The call's number.
        call: u64,
        /// What was wrong.
        text: String,
    },
    /// The test makes a cluster. A run may make several, one after another: each begins anew, and
    /// the servers of the one before are gone.
    Cluster {
        /// The number of servers.
        servers: usize,
    },
    /// A server starts.
    Started {
        /// The server.
        server: usize,
        /// Counts the server's starts, from 1.
        incarnation: u32,
    },
    /// A server crashed. Nothing that it does from now on counts.
    Crashed {
        /// The server.
        server: usize,
    },
    /// A fault of a server began or ended, such as `disconnect` or `pause`.
    Fault {
        /// The server.
        server: usize,
        /// The verb.
        verb: String,
    },
    /// A fault of the link between two servers began or ended, such as `cut` or `heal`.
    Link {
        /// The verb.
        verb: String,
        /// The server that the link leads from.
        from: usize,
        /// The server that it leads to.
        to: usize,
    },
    /// A server saved its state.
    Saved {
        /// The server.
        server: usize,
        /// The size of the saved Raft state.
        bytes: usize,
        /// The size of the saved snapshot.
        snapshot_bytes: usize,
    },
    /// What a server shows of its state has changed.
    State(State),
    /// The lab asks a server to take a command.
    Offered {
        /// The server.
        server: usize,
        /// The command, in the lab's words.
        command: String,
    },
    /// A server has taken a command.
    Accepted {
        /// The server.
        server: usize,
        /// The index of the new entry.
        index: u64,
        /// The term of the new entry.
        term: u64,
        /// The command, in the lab's words.
        command: String,
    },
    /// A server has taken no command: it says that it does not lead.
    Refused {
        /// The server.
        server: usize,
    },
    /// A server has answered `get_state`.
    SaidState {
        /// The server.
        server: usize,
        /// Its term.
        term: u64,
    },
    /// The answer was that it leads; follows `said_state`.
    SaidLeader {
        /// The server.
        server: usize,
        /// The term that it leads.
        term: u64,
    },
    /// A server has applied an entry.
    Applied {
        /// The server.
        server: usize,
        /// The index of the entry.
        index: u64,
        /// The command, in the lab's words.
        command: String,
    },
    /// A server has handed a snapshot to its service.
    AppliedSnapshot {
        /// The server.
        server: usize,
        /// The last index that the snapshot covers.
        index: u64,
        /// The term of that entry.
        term: u64,
        /// Its size.
        bytes: usize,
    },
    /// The test waits for something.
    Waiting {
        /// A phrase such as `a leader`.
        phrase: String,
    },
    /// A line of output.
    Output {
        /// The server whose thread printed it, if it is one's.
        server: Option<usize>,
        /// The thread.
        thread: String,
        /// The line.
        text: String,
    },
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The caller got a reply.
    Answered,
    /// The caller is disconnected.
    Disabled,
    /// The caller's end is deleted.
    Deleted,
    /// The server is down.
    NoServer,
    /// A link is cut.
    Cut,
    /// The request was lost.
    RequestLost,
    /// The handler ran, but its reply was lost.
    ReplyLost,
    /// Caller or server went away while the handler ran.
    ServerGone,
    /// The handler panicked.
    HandlerPanicked,
    /// The handler or the network refused the call.
    Refused,
    /// The network was closed at the end of the test.
    Closed,
}

/// A change of what a server shows with `inspect`: only the fields that changed.
///
/// The first change after a start has the role, the term, the vote, and the commit and applied
/// index. Anything else that is missing there is empty, or not shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The server.
    pub server: usize,
    /// Its role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Its current term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
    /// The candidate that has its vote: a number, or `null` for no vote. The field is missing if
    /// that did not change.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub voted_for: Option<Option<usize>>,
    /// Its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogChange>,
    /// Its commit index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<u64>,
    /// The highest index that it applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<u64>,
    /// The last index and term that its snapshot covers. Entries up to that index leave the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<(u64, u64)>,
    /// The servers that have given it their vote in its current term, itself included, in
    /// ascending order; `null` if it no longer shows any. This and the next three fields are there
    /// only if the implementation shows them. No rule judges them.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub votes_received: Option<Option<Vec<usize>>>,
    /// The index of the next entry that it sends to each server, by server number; `null` if it no
    /// longer shows any. Its own entry is whatever the implementation keeps there. The list can
    /// have fewer entries than the cluster has servers.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub next_index: Option<Option<Vec<u64>>>,
    /// The highest index that it knows to be in the log of each server; otherwise as `next_index`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub match_index: Option<Option<Vec<u64>>>,
    /// When its election timer ends: in microseconds since the run began, as the times of events.
    /// It can be earlier than the event. `null` if it no longer shows any. If the clock of the
    /// server is fast or slow, this is the time by the clock of the run.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub election_deadline: Option<Option<u64>>,
}

/// A change of a log: everything from `from` on is replaced by `terms`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogChange {
    /// The first index that changed, or the one after the end if entries only left.
    pub from: u64,
    /// The terms of the entries from there on.
    pub terms: Vec<u64>,
}

/// The role of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It answers leaders and candidates.
    Follower,
    /// It asks for votes.
    Candidate,
    /// It leads its term.
    Leader,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Such as `safety` or `deadlock`.
    pub class: String,
    /// The rule that was broken, if it was one.
    pub rule: Option<Rule>,
    /// What happened.
    pub sentence: String,
    /// Where to look for the cause in an implementation.
    pub look: Option<String>,
    /// Further lines, such as where threads wait.
    pub notes: Vec<String>,
    /// The events that show it, in order.
    pub evidence: Vec<Fact>,
}

/// A rule of Raft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Such as `S2`.
    pub id: String,
    /// The rule in a few words.
    pub title: String,
    /// Its place in the paper.
    pub section: String,
}

/// An event that shows a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The event's number. The event itself may not be in the file.
    pub n: u64,
    /// When it happened.
    pub t: u64,
    /// The server that it happened to; none if it is not about one.
    pub server: Option<usize>,
    /// A phrase such as `has voted for server 2`.
    pub what: String,
}

/// Reads a field that is there, so that `null` differs from a missing field.
fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

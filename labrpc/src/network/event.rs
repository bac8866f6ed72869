//! What can happen to a call.

use std::sync::Arc;
use std::time::Duration;

use crate::value::Value;

/// One step in the life of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it happened, counted from the start of the network.
    pub at: Duration,
    /// The call's number, from 1. No two calls of a network share one.
    pub call: u64,
    /// The number of the server that owns the calling end. None if the end was made without an
    /// owner, or if the owner's name is no number.
    pub from: Option<usize>,
    /// The number of the server that the end is connected to. None if it is not connected, or if
    /// that server's name is no number.
    pub to: Option<usize>,
    /// The whole name of the method, such as `Raft.RequestVote`.
    pub method: Arc<str>,
    /// What happened.
    pub step: CallStep,
}

impl Event {
    /// The last part of the method's name: `RequestVote` for `Raft.RequestVote`.
    pub fn kind(&self) -> &str {
        kind_of(&self.method)
    }
}

/// The kind of a call: the last part of its method's name.
pub(crate) fn kind_of(method: &str) -> &str {
    method.rsplit('.').next().unwrap_or(method)
}

/// What can happen to a call.
///
/// A call has one `Sent` and one `Ended`. It has a `Dispatched` and a `Handled` for each time that
/// it reached a handler; those of a copy can come after `Ended`. On a closed network a call has
/// only `Ended(Closed)`, and through a deleted end only `Ended(Deleted)`.
#[derive(Debug, Clone, PartialEq)]
pub enum CallStep {
    /// What the request or the reply says. It comes before the step of the message itself, and only
    /// if the network [records values](super::Network::describe_values).
    Described {
        /// It is the reply.
        is_reply: bool,
        /// As for [`CallStep::Dispatched`].
        copy: u32,
        /// The arguments, or the reply.
        value: Value,
    },
    /// The network took the call from its caller.
    Sent {
        /// The size of the encoded arguments.
        bytes: usize,
    },
    /// An interceptor caught the request or the reply. It waits for the test.
    Intercepted {
        /// It was the reply.
        is_reply: bool,
    },
    /// The request reached the server; its handler starts.
    Dispatched {
        /// 0 for the request itself. Each copy of a request has a number of its own.
        copy: u32,
    },
    /// The handler returned.
    Handled {
        /// The size of the encoded reply; none if the handler panicked or refused the call.
        bytes: Option<usize>,
        /// As for [`CallStep::Dispatched`].
        copy: u32,
    },
    /// The caller has its reply, or knows that there is none.
    Ended(Ending),
    /// The call broke the rules of the network: an unknown method, or bytes of the wrong type. The
    /// text is that of the caller's [`CallError`](crate::CallError).
    Misused(String),
    /// The sender of the request or of the reply had more than
    /// [`UNDER_WAY_BYTES_MAX`](super::UNDER_WAY_BYTES_MAX) under way.
    Overloaded {
        /// It was the reply.
        by_reply: bool,
    },
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The caller got a reply.
    Answered {
        /// The size of the encoded reply.
        bytes: usize,
    },
    /// The end is switched off, or not connected.
    Disabled,
    /// The end was deleted before the call.
    Deleted,
    /// No server of that name exists.
    NoServer,
    /// The link to the server, or the link back, is cut.
    Cut,
    /// The request was lost; the handler never ran.
    RequestLost,
    /// The handler ran, but its reply was lost.
    ReplyLost,
    /// While the handler ran, the end was switched off or deleted, or the server was deleted or
    /// replaced. Or there was no server when an intercepted request was delivered.
    ServerGone,
    /// The handler panicked.
    HandlerPanicked,
    /// The handler refused the call, or the network did; see [`CallStep::Misused`] and
    /// [`CallStep::Overloaded`].
    Refused,
    /// The network was closed.
    Closed,
}

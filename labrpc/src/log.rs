//! The one log of what happened on a network; counters, checks and reports all read it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::name::Name;

/// One step in the life of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened, counted from the making of the network.
    pub at: Duration,
    /// The call's number, from 1; no two calls of a network share one.
    pub call: u64,
    /// The server that owns the calling end, if the end was made with an owner.
    pub from: Option<Name>,
    /// The server that the end is connected to, if it is.
    pub to: Option<Name>,
    /// The whole name of the method, such as `Raft.RequestVote`.
    pub method: Arc<str>,
    /// What happened.
    pub step: Step,
}

impl Event {
    /// The last part of the method's name: `RequestVote` for `Raft.RequestVote`.
    pub fn kind(&self) -> &str {
        self.method.rsplit('.').next().unwrap_or(&self.method)
    }
}

/// What can happen to a call. A call leaves one `Sent` and one `Ended`, and a `Dispatched` and a
/// `Handled` for each time that it reached a handler. After a `cleanup` a call leaves only
/// `Ended(Closed)`, and through a deleted end only `Ended(Deleted)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The network took the call from its caller.
    Sent {
        /// The size of the encoded arguments.
        bytes: usize,
    },
    /// The request reached the server; its handler starts.
    Dispatched {
        /// This is the second arrival of a duplicated request.
        duplicate: bool,
    },
    /// The handler returned.
    Handled {
        /// The size of the encoded reply; none if the handler panicked or refused the call.
        bytes: Option<usize>,
        /// This was the second arrival of a duplicated request.
        duplicate: bool,
    },
    /// The caller has its reply, or was told that there is none.
    Ended(Ending),
    /// The call broke the rules of the network: an unknown method, or bytes of the wrong type. The
    /// text is that of the [`CallError`](crate::CallError) that the caller got.
    Misused(String),
    /// The caller had more than [`UNDER_WAY_BYTES_MAX`](crate::UNDER_WAY_BYTES_MAX) under way, or
    /// with its reply the server that was called.
    Overloaded {
        /// It was the reply.
        by_reply: bool,
    },
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The caller got a reply of so many bytes.
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
    /// The way there, or the way back, is cut.
    Cut,
    /// The request was lost; the handler never ran.
    RequestLost,
    /// The handler ran, but its reply was lost.
    ReplyLost,
    /// While the handler ran, the end was switched off or deleted, or the server was deleted or
    /// replaced.
    ServerGone,
    /// The handler panicked.
    HandlerPanicked,
    /// The handler refused the call, or the network did; see [`Step::Misused`] and
    /// [`Step::Overloaded`].
    Refused,
    /// The network was cleaned up.
    Closed,
}

type Subscriber = Arc<dyn Fn(&Event) + Send + Sync>;

/// The log itself: a list that only grows.
pub(crate) struct Log {
    start: Duration,
    events: Mutex<Vec<Event>>,
    tally: Mutex<Tally>,
    subscribers: Mutex<Vec<Subscriber>>,
}

/// The counters of the whole network: a fold over its events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    /// Every accepted request counts with its bytes, even if it is lost later; a reply counts only
    /// when it reaches its caller.
    fn add(&mut self, step: &Step) {
        match step {
            Step::Sent { bytes } => {
                self.calls += 1;
                self.bytes += *bytes as u64;
            }
            Step::Ended(Ending::Answered { bytes }) => self.bytes += *bytes as u64,
            _ => {}
        }
    }
}

impl Log {
    pub(crate) fn new() -> Log {
        Log {
            start: sim::now(),
            events: Mutex::default(),
            tally: Mutex::default(),
            subscribers: Mutex::default(),
        }
    }

    /// By the run's own clock, since that of a server may run at another rate. It is read under
    /// locks, where a thread must not be stopped: this is no scheduling point.
    pub(crate) fn now(&self) -> Duration {
        sim::now().saturating_sub(self.start)
    }

    /// Subscribers run on the appending thread, after the event is in the log, with no lock held.
    pub(crate) fn append(&self, event: Event) {
        self.tally.lock().add(&event.step);
        let subscribers = self.subscribers.lock().clone();
        if subscribers.is_empty() {
            self.events.lock().push(event);
            return;
        }
        self.events.lock().push(event.clone());
        for subscriber in subscribers {
            subscriber(&event);
        }
    }

    pub(crate) fn subscribe(&self, subscriber: Subscriber) {
        self.subscribers.lock().push(subscriber);
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().clone()
    }

    pub(crate) fn tally(&self) -> Tally {
        *self.tally.lock()
    }
}

//! Caller, server and method of a call: the part that all its events share.

use std::sync::Arc;

use super::address::Address;
use super::event::{self, CallStep, Event};
use super::log::Log;

/// What identifies a call, without its arguments.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) call: u64,
    /// The server that owns the end, if one does.
    pub(crate) from: Option<Arc<Address>>,
    /// Where the end is connected to, if it is.
    pub(crate) to: Option<Arc<Address>>,
    pub(crate) method: Arc<str>,
}

/// Which of the two messages of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leg {
    /// From the caller to the server.
    Request,
    /// From the server back to the caller.
    Reply,
}

impl Request {
    pub(crate) fn kind(&self) -> &str {
        event::kind_of(&self.method)
    }

    /// The sender and the receiver of one of its messages.
    pub(crate) fn endpoints(&self, leg: Leg) -> (Option<&Address>, Option<&Address>) {
        let (from, to) = (self.from.as_deref(), self.to.as_deref());
        match leg {
            Leg::Request => (from, to),
            Leg::Reply => (to, from),
        }
    }

    pub(crate) fn log(&self, log: &Log, step: CallStep) {
        log.append(Event {
            at: log.now(),
            call: self.call,
            from: number(self.from.as_deref()),
            to: number(self.to.as_deref()),
            method: Arc::clone(&self.method),
            step,
        });
    }
}

/// A server's number, if it has one.
pub(crate) fn number(address: Option<&Address>) -> Option<usize> {
    address.and_then(|address| address.name.number())
}

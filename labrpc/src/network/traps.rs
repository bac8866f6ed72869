//! The network's side of interceptors: which messages to catch, and which calls wait for a
//! decision.
//!
//! A caught message goes to the test through one channel, and the test's decision comes back
//! through another. Sending wakes a thread, and a thread that wakes another can be paused just
//! then. So nothing here sends while the network's lock is held.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use super::address::Address;
use super::request::{Leg, Request};

/// All interceptors of a network, and the calls whose messages they hold.
#[derive(Default)]
pub(crate) struct Traps {
    all: Vec<Trap>,
    made: u64,
    waiting: Vec<(u64, Sender<Decision>)>,
}

/// The network's side of one interceptor.
pub(crate) struct Trap {
    number: u64,
    filter: Filter,
    catch: Sender<Caught>,
}

/// Which messages an interceptor catches; none matches any.
pub(crate) struct Filter {
    pub(crate) leg: Leg,
    pub(crate) kind: Option<String>,
    pub(crate) whose_kind: Option<fn(&str) -> bool>,
    pub(crate) from: Option<Arc<Address>>,
    pub(crate) to: Option<Arc<Address>>,
}

/// A message that was caught. It is delivered if it is dropped undecided.
pub(crate) struct Caught {
    pub(crate) request: Request,
    pub(crate) leg: Leg,
    pub(crate) bytes: Arc<[u8]>,
    decide: Sender<Decision>,
    is_decided: AtomicBool,
}

/// What happens to a message that was caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Deliver,
    Lose,
    /// The network was closed.
    Close,
}

/// A message that an interceptor is about to get.
pub(crate) struct Catch {
    catch: Sender<Caught>,
    decide: Sender<Decision>,
    decided: Receiver<Decision>,
}

impl Traps {
    pub(crate) fn add(&mut self, filter: Filter, catch: Sender<Caught>) -> u64 {
        self.made += 1;
        self.all.push(Trap { number: self.made, filter, catch });
        self.made
    }

    /// The trap must be dropped without the network's lock.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Trap> {
        let at = self.all.iter().position(|trap| trap.number == number)?;
        Some(self.all.remove(at))
    }

    /// The first trap that matches this message, if any does.
    pub(crate) fn catch(&mut self, request: &Request, leg: Leg) -> Option<Catch> {
        let trap = self.all.iter().find(|trap| trap.filter.matches(request, leg))?;
        let catch = trap.catch.clone();
        let (decide, decided) = mpsc::channel();
        self.waiting.push((request.call, decide.clone()));
        Some(Catch { catch, decide, decided })
    }

    /// The message of this call is not held any more.
    pub(crate) fn forget(&mut self, call: u64) {
        self.waiting.retain(|(waiting, _)| *waiting != call);
    }

    /// Ends every interception. The network's lock must not be held.
    pub(crate) fn close(self) {
        for (_, decide) in self.waiting {
            let _ = decide.send(Decision::Close);
        }
    }
}

impl Filter {
    fn matches(&self, request: &Request, leg: Leg) -> bool {
        let (from, to) = request.endpoints(leg);
        let fits = |wanted: &Option<Arc<Address>>, is: Option<&Address>| {
            wanted.as_ref().is_none_or(|wanted| Some(wanted.index) == is.map(|is| is.index))
        };
        self.leg == leg
            && self.kind.as_ref().is_none_or(|kind| kind == request.kind())
            && self.whose_kind.is_none_or(|fits| fits(request.kind()))
            && fits(&self.from, from)
            && fits(&self.to, to)
    }
}

impl Catch {
    /// Hands the message to the test, and waits until the test decides its fate. The network's lock
    /// must not be held.
    pub(crate) fn wait(self, request: &Request, leg: Leg, bytes: &[u8]) -> Decision {
        let Catch { catch, decide, decided } = self;
        let is_decided = AtomicBool::new(false);
        let caught =
            Caught { request: request.clone(), leg, bytes: bytes.into(), decide, is_decided };
        // If the interceptor is gone by now, the message comes back and is delivered.
        drop(catch.send(caught));
        decided.recv().unwrap_or(Decision::Deliver)
    }
}

impl Caught {
    /// False if it was decided before.
    pub(crate) fn decide(&self, decision: Decision) -> bool {
        let was_decided = self.is_decided.swap(true, Ordering::Relaxed);
        if !was_decided {
            // The receiver is gone once the network is closed.
            let _ = self.decide.send(decision);
        }
        !was_decided
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        self.decide(Decision::Deliver);
    }
}

//! All mutable state of a network but its log, guarded by one mutex.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use choice::{Choices, Stream};
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::address::{Address, Addresses};
use super::link::Links;
use super::load::UnderWay;
use super::log::Log;
use super::name::Name;
use super::request::{self, Request};
use super::server::Server;
use super::traps::Traps;

/// What all handles of one network share.
pub(crate) struct Shared {
    pub(crate) log: Log,
    pub(crate) state: Mutex<State>,
    /// A held link was released, or the network was closed.
    pub(crate) released: Condvar,
    /// What is under way from ends without an owner.
    pub(crate) unowned: UnderWay,
    copies_made: AtomicU32,
    /// The messages to some server outlive it, or did. While this is false, a copy finds its server
    /// without the lock.
    pub(crate) any_outlives: AtomicBool,
    /// The values of arguments and replies are recorded.
    pub(crate) describes: AtomicBool,
}

pub(crate) struct State {
    seed: u64,
    calls_made: u64,
    pub(crate) unreliable: bool,
    pub(crate) long_delays: bool,
    pub(crate) long_reordering: bool,
    pub(crate) closed: bool,
    pub(crate) choices: Choices,
    /// Every end that was ever made, by number, also those that were deleted.
    ends: Vec<End>,
    /// The ends that were not deleted.
    end_numbers: BTreeMap<Name, usize>,
    pub(crate) addresses: Addresses,
    /// By the index of the address.
    servers: BTreeMap<usize, Server>,
    /// The servers whose messages outlive them, by the index of the address.
    pub(crate) outlived: BTreeSet<usize>,
    pub(crate) links: Links,
    /// How many messages wait for the release of their link.
    pub(crate) held: usize,
    pub(crate) traps: Traps,
    pub(crate) methods: BTreeMap<String, Arc<str>>,
    pub(crate) pending: BTreeMap<u64, Pending>,
}

/// What the network knows of one end.
pub(crate) struct End {
    pub(crate) owner: Option<Arc<Address>>,
    pub(crate) destination: Option<Arc<Address>>,
    pub(crate) enabled: bool,
    /// A call through a deleted end fails differently from one through an end that is switched off.
    pub(crate) deleted: bool,
    pub(crate) rng: Stream,
}

/// A call that has not ended yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The call's number, as in the log.
    pub call: u64,
    /// When it was sent, counted from the start of the network.
    pub sent_at: Duration,
    /// The number of the server that owns the calling end, as in [`Event`](super::Event).
    pub from: Option<usize>,
    /// The number of the server that the end is connected to, as in [`Event`](super::Event).
    pub to: Option<usize>,
    /// The whole name of the method.
    pub method: Arc<str>,
    /// The handler has started and not returned.
    pub in_handler: bool,
}

impl Shared {
    pub(crate) fn new(seed: u64, choices: Choices) -> Shared {
        let describes = AtomicBool::new(choices.are_named());
        let state = State {
            seed,
            choices,
            calls_made: 0,
            unreliable: false,
            long_delays: false,
            long_reordering: false,
            closed: false,
            ends: Vec::new(),
            end_numbers: BTreeMap::new(),
            addresses: Addresses::default(),
            servers: BTreeMap::new(),
            outlived: BTreeSet::new(),
            links: Links::default(),
            held: 0,
            traps: Traps::default(),
            methods: BTreeMap::new(),
            pending: BTreeMap::new(),
        };
        Shared {
            log: Log::new(),
            state: Mutex::new(state),
            released: Condvar::new(),
            unowned: UnderWay::default(),
            copies_made: AtomicU32::new(0),
            any_outlives: AtomicBool::new(false),
            describes,
        }
    }

    /// The number of the next copy of any request, from 1.
    pub(crate) fn next_copy(&self) -> u32 {
        self.copies_made.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The server that gets a message that was sent to `sent_to` and arrives now; none if the
    /// message is lost.
    pub(crate) fn receiver(&self, request: &Request, sent_to: Server) -> Option<Server> {
        if !self.any_outlives.load(Ordering::Relaxed) {
            return Some(sent_to);
        }
        self.state.lock().receiver(request, sent_to)
    }
}

/// Releases the lock for a moment if held messages may be waiting for it.
///
/// When a link is released, the callers of all messages that it held wake together and wait for
/// this lock. Code that takes several decisions under one lock lets them in after each decision. So
/// the order in which the callers continue, and with it the run of a seed, does not depend on how
/// many decisions one lock covers.
pub(crate) fn let_held_in(state: &mut MutexGuard<'_, State>) {
    if state.held > 0 {
        MutexGuard::unlocked(state, || ());
    }
}

impl State {
    /// Makes an end and returns its number.
    ///
    /// # Panics
    /// If an end of that name exists.
    pub(crate) fn add_end(&mut self, name: &Name, owner: Option<Arc<Address>>) -> usize {
        let number = self.ends.len();
        let rng = self.choices.stream(self.seed, number as u64);
        let end = End { owner, destination: None, enabled: false, deleted: false, rng };
        let old = self.end_numbers.insert(name.clone(), number);
        assert!(old.is_none(), "an end named {name} already exists");
        self.ends.push(end);
        number
    }

    /// # Panics
    /// If there is no such end.
    pub(crate) fn delete_end(&mut self, name: &Name) {
        let end = self.end_named(name);
        (end.deleted, end.enabled) = (true, false);
        self.end_numbers.remove(name);
    }

    /// # Panics
    /// If there is no such end.
    pub(crate) fn end_named(&mut self, name: &Name) -> &mut End {
        match self.end_numbers.get(name) {
            Some(number) => &mut self.ends[*number],
            None => panic!("there is no end named {name}"),
        }
    }

    /// An end by its number, also one that was deleted.
    pub(crate) fn end(&mut self, number: usize) -> &mut End {
        &mut self.ends[number]
    }

    /// Returns the server that was there.
    pub(crate) fn set_server(&mut self, at: &Address, server: Option<Server>) -> Option<Server> {
        match server {
            Some(server) => self.servers.insert(at.index, server),
            None => self.servers.remove(&at.index),
        }
    }

    pub(crate) fn server(&self, at: Option<&Address>) -> Option<&Server> {
        self.servers.get(&at?.index)
    }

    /// As [`Shared::receiver`].
    pub(crate) fn receiver(&self, request: &Request, sent_to: Server) -> Option<Server> {
        let to = request.to.as_deref();
        let outlives = to.is_some_and(|to| self.outlived.contains(&to.index));
        if outlives { self.server(to).cloned() } else { Some(sent_to) }
    }

    /// A new call through an end.
    pub(crate) fn request(&mut self, end: usize, method: &str) -> Request {
        self.calls_made += 1;
        self.request_of(self.calls_made, end, method)
    }

    /// A call with its number.
    pub(crate) fn request_of(&mut self, call: u64, end: usize, method: &str) -> Request {
        let method = match self.methods.get(method) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = method.into();
                self.methods.insert(method.to_owned(), Arc::clone(&new));
                new
            }
        };
        let end = &self.ends[end];
        Request { call, from: end.owner.clone(), to: end.destination.clone(), method }
    }

    pub(crate) fn add_pending(&mut self, request: &Request, sent_at: Duration) {
        let pending = Pending {
            call: request.call,
            sent_at,
            from: request::number(request.from.as_deref()),
            to: request::number(request.to.as_deref()),
            method: Arc::clone(&request.method),
            in_handler: false,
        };
        self.pending.insert(request.call, pending);
    }

    /// Whether the handler of a call runs.
    pub(crate) fn set_in_handler(&mut self, call: u64, runs: bool) {
        if let Some(pending) = self.pending.get_mut(&call) {
            pending.in_handler = runs;
        }
    }
}

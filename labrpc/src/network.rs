//! The network: who exists, who is connected to whom, what is switched off, what goes wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::end::ClientEnd;
use crate::fate::{self, Disturbance};
use crate::intercept::Interceptions;
use crate::load::Loads;
use crate::log::{Event, Log};
use crate::name::Name;
use crate::server::Server;

/// A network in this process. Clones are the same network.
///
/// It starts reliable: no loss and no delay at all. All that is drawn comes from the seed, a stream
/// for each end, so that what one end draws does not depend on what others do.
#[derive(Clone)]
pub struct Network {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) log: Log,
    pub(crate) loads: Loads,
    pub(crate) state: Mutex<State>,
    /// A held way was released, or the network was closed.
    pub(crate) released: Condvar,
}

pub(crate) struct State {
    seed: u64,
    pub(crate) calls_made: u64,
    pub(crate) unreliable: bool,
    pub(crate) long_delays: bool,
    pub(crate) long_reordering: bool,
    pub(crate) closed: bool,
    /// Every end that was ever made, by number, also those that were deleted. A call looks its end
    /// up several times, so that is no search.
    ends: Vec<End>,
    end_numbers: BTreeMap<Name, usize>,
    pub(crate) servers: BTreeMap<Name, Server>,
    links: BTreeMap<(Name, Name), Link>,
    pub(crate) interceptions: Interceptions,
    pub(crate) methods: BTreeMap<String, Arc<str>>,
    pub(crate) pending: BTreeMap<u64, Pending>,
}

/// What the network knows of one end.
pub(crate) struct End {
    pub(crate) owner: Option<Name>,
    pub(crate) destination: Option<Name>,
    pub(crate) enabled: bool,
    /// Who still calls through it is told apart from a caller whose end is only switched off.
    pub(crate) deleted: bool,
    pub(crate) rng: ChaCha8Rng,
}

/// The way from one server to another.
#[derive(Clone, Default)]
pub(crate) struct Link {
    pub(crate) cut: bool,
    pub(crate) hold: Option<Hold>,
    pub(crate) disturbance: Disturbance,
}

/// Messages on a way are held back.
#[derive(Clone, Default)]
pub(crate) struct Hold {
    /// Those of these kinds of calls; of all, if none is said.
    only: Option<Vec<String>>,
    /// Those that come now pass by those that are held.
    is_passed: bool,
}

impl Link {
    /// Whether a message that comes now is to be held.
    pub(crate) fn holds(&self, kind: &str) -> bool {
        let hold = self.hold.as_ref();
        hold.is_some_and(|hold| !hold.is_passed && fate::concerns(hold.only.as_deref(), kind))
    }
}

/// A call that has not ended yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The call's number, as in the log.
    pub call: u64,
    /// When it was sent, counted from the making of the network.
    pub sent_at: Duration,
    /// The server that owns the calling end.
    pub from: Option<Name>,
    /// The server that the end is connected to.
    pub to: Option<Name>,
    /// The whole name of the method.
    pub method: Arc<str>,
    /// The handler has started and not returned.
    pub in_handler: bool,
}

impl Network {
    /// A reliable network without ends or servers.
    pub fn new(seed: u64) -> Network {
        let state = State {
            seed,
            calls_made: 0,
            unreliable: false,
            long_delays: false,
            long_reordering: false,
            closed: false,
            ends: Vec::new(),
            end_numbers: BTreeMap::new(),
            servers: BTreeMap::new(),
            links: BTreeMap::new(),
            interceptions: Interceptions::default(),
            methods: BTreeMap::new(),
            pending: BTreeMap::new(),
        };
        let shared = Shared {
            log: Log::new(),
            loads: Loads::default(),
            state: Mutex::new(state),
            released: Condvar::new(),
        };
        Network { shared: Arc::new(shared) }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Makes an end that belongs to no server, disabled and not connected.
    ///
    /// # Panics
    /// If an end of that name exists.
    pub fn make_end(&self, name: impl Into<Name>) -> ClientEnd {
        self.insert_end(name.into(), None)
    }

    /// Makes an end through which the server `owner` calls, so that faults between two servers and
    /// the log's `from` apply to it.
    ///
    /// # Panics
    /// If an end of that name exists.
    pub fn make_end_of(&self, owner: impl Into<Name>, name: impl Into<Name>) -> ClientEnd {
        self.insert_end(name.into(), Some(owner.into()))
    }

    fn insert_end(&self, name: Name, owner: Option<Name>) -> ClientEnd {
        let mut state = self.shared.state.lock();
        let mut rng = ChaCha8Rng::seed_from_u64(state.seed);
        let number = state.ends.len();
        rng.set_stream(number as u64);
        let end = End { owner, destination: None, enabled: false, deleted: false, rng };
        let old = state.end_numbers.insert(name.clone(), number);
        assert!(old.is_none(), "an end named {name} exists already");
        state.ends.push(end);
        ClientEnd::new(Arc::clone(&self.shared), name, number)
    }

    /// Deletes an end, and its name is free again. Calls through it get no answer from now on, each
    /// after [`fate::GONE_DELAY`], and are not counted. One that is in a handler gets none either.
    ///
    /// # Panics
    /// If there is no such end.
    pub fn delete_end(&self, name: impl Into<Name>) {
        let name = name.into();
        let mut state = self.shared.state.lock();
        match state.end_numbers.remove(&name) {
            Some(number) => {
                let end = state.end(number);
                (end.deleted, end.enabled) = (true, false);
            }
            None => panic!("there is no end named {name}"),
        }
    }

    /// Sets the destination of an end; the server need not exist yet.
    ///
    /// # Panics
    /// If there is no such end.
    pub fn connect(&self, end: impl Into<Name>, server: impl Into<Name>) {
        let server = server.into();
        self.with_end(&end.into(), |end| end.destination = Some(server));
    }

    /// Switches an end on or off. A call through a disabled end never reaches the server, not even
    /// when the end is enabled while the caller still waits.
    ///
    /// # Panics
    /// If there is no such end.
    pub fn enable(&self, end: impl Into<Name>, enabled: bool) {
        self.with_end(&end.into(), |end| end.enabled = enabled);
    }

    fn with_end(&self, name: &Name, change: impl FnOnce(&mut End)) {
        let mut state = self.shared.state.lock();
        match state.end_numbers.get(name).copied() {
            Some(number) => change(state.end(number)),
            None => panic!("there is no end named {name}"),
        }
    }

    /// Puts a server under a name; one that was there is replaced, and calls in it get no answer.
    pub fn add_server(&self, name: impl Into<Name>, server: Server) {
        let old = self.shared.state.lock().servers.insert(name.into(), server);
        // Its workers are told to end, which takes a lock: not under ours.
        drop(old);
    }

    /// Takes the server of that name away, if there is one; calls in it get no answer.
    pub fn delete_server(&self, name: impl Into<Name>) {
        let old = self.shared.state.lock().servers.remove(&name.into());
        drop(old);
    }

    /// Reliable or not, for calls that arrive from now on.
    pub fn reliable(&self, yes: bool) {
        self.shared.state.lock().unreliable = !yes;
    }

    /// Delays replies at random, for calls that arrive from now on.
    pub fn long_reordering(&self, yes: bool) {
        self.shared.state.lock().long_reordering = yes;
    }

    /// Makes calls to unreachable servers take up to seven seconds instead of a tenth of one.
    pub fn long_delays(&self, yes: bool) {
        self.shared.state.lock().long_delays = yes;
    }

    /// Whether the network is reliable.
    pub fn is_reliable(&self) -> bool {
        !self.shared.state.lock().unreliable
    }

    /// Whether calls to unreachable servers take long.
    pub fn is_long_delays(&self) -> bool {
        self.shared.state.lock().long_delays
    }

    /// Cuts the way from one server to another. Requests that way never arrive and replies that way
    /// are lost though the handler ran; the caller waits in vain as for a disabled end. The other
    /// direction stays as it is.
    pub fn cut(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.with_link(from.into(), to.into(), |link| link.cut = true);
    }

    /// Ends [`Network::cut`].
    pub fn mend(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.with_link(from.into(), to.into(), |link| link.cut = false);
    }

    /// Holds back every message on the way from one server to another; none is lost.
    pub fn hold(&self, from: impl Into<Name>, to: impl Into<Name>) {
        let hold = Hold::default();
        self.with_link(from.into(), to.into(), |link| link.hold = Some(hold));
    }

    /// The same for calls of some kinds, by the last part of the method's name; of no others.
    pub fn hold_only(&self, from: impl Into<Name>, to: impl Into<Name>, kinds: &[String]) {
        let hold = Hold { only: Some(kinds.to_vec()), is_passed: false };
        self.with_link(from.into(), to.into(), |link| link.hold = Some(hold));
    }

    /// From now on messages pass by those that are held, so that newer ones arrive before them.
    pub fn pass(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.with_link(from.into(), to.into(), |link| {
            link.hold.iter_mut().for_each(|hold| hold.is_passed = true);
        });
    }

    /// Ends [`Network::hold`] and [`Network::pass`]: what was held arrives now.
    pub fn release(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.with_link(from.into(), to.into(), |link| link.hold = None);
        self.shared.released.notify_all();
    }

    /// Loses, delays or duplicates messages on the way from one server to another, for calls that
    /// arrive from now on.
    pub fn disturb(&self, from: impl Into<Name>, to: impl Into<Name>, by: Disturbance) {
        self.with_link(from.into(), to.into(), |link| link.disturbance = by);
    }

    /// Ends [`Network::disturb`].
    pub fn calm(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.disturb(from, to, Disturbance::default());
    }

    fn with_link(&self, from: Name, to: Name, change: impl FnOnce(&mut Link)) {
        change(self.shared.state.lock().links.entry((from, to)).or_default());
    }

    /// The whole names of all methods that were ever called, in order.
    pub fn methods(&self) -> Vec<Arc<str>> {
        self.shared.state.lock().methods.values().cloned().collect()
    }

    /// The number of calls that reached the server object which now has that name; none if there is
    /// no such server.
    pub fn get_count(&self, server: impl Into<Name>) -> Option<u64> {
        self.shared.state.lock().servers.get(&server.into()).map(Server::count)
    }

    /// The number of calls that the network took, including those that were lost or went nowhere.
    pub fn get_total_count(&self) -> u64 {
        self.shared.log.tally().calls
    }

    /// The bytes of all requests that the network took, even if lost later, and of all replies that
    /// reached their callers.
    pub fn get_total_bytes(&self) -> u64 {
        self.shared.log.tally().bytes
    }

    /// Closes the network: calls get no answer from now on, each after
    /// [`fate::GONE_DELAY`]. Calls that were taken before still wait for theirs.
    pub fn cleanup(&self) {
        let interceptions = {
            let mut state = self.shared.state.lock();
            state.closed = true;
            std::mem::take(&mut state.interceptions)
        };
        self.shared.released.notify_all();
        interceptions.close();
    }

    /// The time since the network was made, on the clock of the log.
    pub fn now(&self) -> Duration {
        self.shared.log.now()
    }

    /// All events so far, in the order in which they happened.
    pub fn events(&self) -> Vec<Event> {
        self.shared.log.events()
    }

    /// Calls `reader` with every later event, on the thread that caused it, with no lock of the
    /// network held.
    pub fn subscribe(&self, reader: impl Fn(&Event) + Send + Sync + 'static) {
        self.shared.log.subscribe(Arc::new(reader));
    }

    /// The calls that have not ended, oldest first.
    pub fn pending(&self) -> Vec<Pending> {
        self.shared.state.lock().pending.values().cloned().collect()
    }
}

impl State {
    /// An end by its number, also one that was deleted.
    pub(crate) fn end(&mut self, number: usize) -> &mut End {
        &mut self.ends[number]
    }

    /// The way between two servers; undisturbed if either is unknown.
    pub(crate) fn link(&self, from: Option<&Name>, to: Option<&Name>) -> Link {
        // Most runs never touch a link, and this is on the path of every call.
        if self.links.is_empty() {
            return Link::default();
        }
        let (Some(from), Some(to)) = (from, to) else { return Link::default() };
        self.links.get(&(from.clone(), to.clone())).cloned().unwrap_or_default()
    }
}

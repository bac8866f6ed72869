//! Messages that a test catches, and whose fate it decides: a scenario staged by message.
//!
//! A message is caught where it would arrive: after the loss and the delay that were drawn for it,
//! and after a hold of its link. After that nothing is drawn for it any more.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::codec::{self, CodecError};

use super::handlers;
use super::name::Name;
use super::request::{self, Leg};
use super::state::Shared;
use super::topology::Network;
use super::traps::{Caught, Decision, Filter};

/// Which messages an [`Interceptor`] catches. A criterion that is not set matches any message.
#[derive(Debug, Clone)]
pub struct Messages {
    leg: Leg,
    kind: Option<String>,
    whose_kind: Option<fn(&str) -> bool>,
    from: Option<Name>,
    to: Option<Name>,
}

impl Messages {
    /// All requests.
    pub fn requests() -> Messages {
        Messages { leg: Leg::Request, kind: None, whose_kind: None, from: None, to: None }
    }

    /// All replies.
    pub fn replies() -> Messages {
        Messages { leg: Leg::Reply, ..Messages::requests() }
    }

    /// Only those of calls of one kind: the last part of the method's name.
    #[must_use]
    pub fn of(self, kind: &str) -> Messages {
        Messages { kind: Some(kind.into()), ..self }
    }

    /// Only those of calls whose kind fits, also of a kind that was never called before.
    #[must_use]
    pub fn whose_kind(self, fits: fn(&str) -> bool) -> Messages {
        Messages { whose_kind: Some(fits), ..self }
    }

    /// Only those that this server sends. The sender of a reply is the server that was called.
    #[must_use]
    pub fn from(self, server: impl Into<Name>) -> Messages {
        Messages { from: Some(server.into()), ..self }
    }

    /// Only those that go to this server. A reply goes to the server that called.
    #[must_use]
    pub fn to(self, server: impl Into<Name>) -> Messages {
        Messages { to: Some(server.into()), ..self }
    }
}

/// Catches messages of a network until it is dropped; made by [`Network::intercept`].
///
/// A dropped interceptor catches nothing more and delivers what it has caught and not handed out.
/// What it has handed out stays held.
pub struct Interceptor {
    caught: Receiver<Caught>,
    network: Arc<Shared>,
    /// None if it was made after the end of the network.
    trap: Option<u64>,
}

impl Interceptor {
    /// The next message, in the order in which they arrive. It waits for one up to `timeout`. None
    /// if no message came, or once the network is closed.
    pub fn next(&self, timeout: Duration) -> Option<Held> {
        self.caught.recv_timeout(timeout).ok().map(|caught| self.hand_out(caught))
    }

    /// A message that was caught already, if there is one.
    pub fn try_next(&self) -> Option<Held> {
        self.caught.try_recv().ok().map(|caught| self.hand_out(caught))
    }

    fn hand_out(&self, caught: Caught) -> Held {
        let (from, to) = caught.request.endpoints(caught.leg);
        Held {
            call: caught.request.call,
            from: request::number(from),
            to: request::number(to),
            method: Arc::clone(&caught.request.method),
            bytes: Arc::clone(&caught.bytes),
            caught,
            network: Arc::clone(&self.network),
        }
    }
}

impl Drop for Interceptor {
    fn drop(&mut self) {
        let Some(number) = self.trap else { return };
        let trap = self.network.state.lock().traps.remove(number);
        drop(trap);
    }
}

/// A message that was caught. Its caller waits until its fate is decided.
///
/// It is decided once, by [`Held::deliver`] or [`Held::lose`]. A message that is dropped undecided
/// is delivered. If the network is closed, its call ends.
pub struct Held {
    /// The call's number, as in the log.
    pub call: u64,
    /// The server that sent the message, if the network knows it.
    pub from: Option<usize>,
    /// The server that it goes to, if the network knows it.
    pub to: Option<usize>,
    /// The whole name of the method, such as `Raft.RequestVote`.
    pub method: Arc<str>,
    /// The encoded arguments, or the encoded reply.
    pub bytes: Arc<[u8]>,
    caught: Caught,
    network: Arc<Shared>,
}

impl Held {
    /// The arguments or the reply as a value.
    ///
    /// # Errors
    /// If the bytes are not a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, CodecError> {
        codec::decode(&self.bytes)
    }

    /// Lets the message arrive now.
    ///
    /// A request arrives at the server that has the name now, which can be another than when it was
    /// sent: a restarted server gets messages that were sent to its earlier incarnation. If there
    /// is none, the caller gets no answer.
    ///
    /// # Panics
    /// If the message's fate was decided before.
    pub fn deliver(&self) {
        self.decide(Decision::Deliver);
    }

    /// Loses the message. Its call ends immediately, without an answer.
    ///
    /// # Panics
    /// If the message's fate was decided before.
    pub fn lose(&self) {
        self.decide(Decision::Lose);
    }

    /// Lets a copy of a request arrive now: the handler runs once more with the same bytes, and its
    /// reply is lost. The message's own fate does not change, and the copy can come before it or
    /// any time after it. It goes to the server that has the name now; false if there is none, or
    /// if the network is closed.
    ///
    /// # Panics
    /// If the message is a reply.
    pub fn deliver_again(&self) -> bool {
        let Caught { request, leg, bytes, .. } = &self.caught;
        assert_eq!(*leg, Leg::Request, "only a request can be delivered again");
        let server = {
            let state = self.network.state.lock();
            let server = state.server(request.to.as_deref()).cloned();
            server.filter(|_| !state.closed)
        };
        let Some(server) = server else { return false };
        handlers::dispatch_copy(&self.network, request, &server, Arc::clone(bytes), Duration::ZERO);
        true
    }

    fn decide(&self, decision: Decision) {
        let is_first = self.caught.decide(decision);
        assert!(is_first, "the fate of this {} was decided before", self.method);
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Held { call, from, to, method, bytes, .. } = self;
        write!(f, "{method} (call {call}, {from:?} to {to:?}, {} bytes)", bytes.len())
    }
}

impl Network {
    /// Catches the messages that match, from now on, until the interceptor is dropped. Each waits
    /// for the test to decide its fate, and its caller waits with it.
    ///
    /// A message is caught where it would arrive. The loss and the delay that were drawn for its
    /// call apply before, as does a [`Network::hold`]. So a message that was lost is not caught,
    /// and neither is one that a cut link or a disabled end stops. If several interceptors match a
    /// message, the one that was made first gets it. A message that is delivered arrives even if
    /// its link has been cut meanwhile.
    ///
    /// ```
    /// use std::thread;
    /// use std::time::Duration;
    /// use labrpc::Service;
    /// use labrpc::network::{Messages, Network, Server};
    ///
    /// # let report = sim::run(sim::Options::new(), || {
    /// let network = Network::new(1);
    /// let service = Service::new("Log").method("Append", |entry: String| entry.len());
    /// network.add_server(1, Server::from(service));
    /// let end = network.make_end_of(0, "end");
    /// network.connect("end", 1);
    /// network.enable("end", true);
    ///
    /// let appends = network.intercept(Messages::requests().of("Append").from(0).to(1));
    /// let caller = thread::spawn(move || end.call::<_, usize>("Log.Append", "entry"));
    /// let append = appends.next(Duration::from_secs(1)).expect("the call was made");
    /// assert_eq!(append.decode::<String>().unwrap(), "entry");
    ///
    /// // The handler has not run yet, and the caller waits.
    /// assert_eq!(network.get_count(1), Some(0));
    /// append.deliver();
    /// assert_eq!(caller.join().unwrap(), Ok(5));
    ///
    /// // A copy of the request comes later; its reply is lost.
    /// assert!(append.deliver_again());
    /// thread::sleep(Duration::from_millis(1));
    /// assert_eq!(network.get_count(1), Some(2));
    /// # });
    /// # assert_eq!(report.halt, sim::Halt::Finished);
    /// ```
    pub fn intercept(&self, messages: Messages) -> Interceptor {
        let Messages { leg, kind, whose_kind, from, to } = messages;
        let (catch, caught) = mpsc::channel();
        let network = Arc::clone(&self.shared);
        let trap = {
            let mut state = network.state.lock();
            let from = from.map(|name| state.addresses.resolve(&name));
            let to = to.map(|name| state.addresses.resolve(&name));
            let filter = Filter { leg, kind, whose_kind, from, to };
            (!state.closed).then(|| state.traps.add(filter, catch))
        };
        Interceptor { caught, network, trap }
    }
}

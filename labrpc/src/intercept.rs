//! Messages that a test catches, and whose fate it decides: a scenario staged by message.
//!
//! A message is caught where it would arrive: after the loss and the delay that were drawn for it,
//! and after a hold of its link. From there on nothing is drawn any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::call::{self, Request};
use crate::codec::{self, CodecError};
use crate::name::Name;
use crate::network::{Network, Shared};

/// Which of the two messages of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    /// From the caller to the server.
    Request,
    /// From the server back to the caller.
    Reply,
}

/// Which messages an [`Interceptor`] catches. Whatever is not set matches any.
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

    /// Only those of calls whose kind fits, also of kinds of which no call was made yet.
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

    fn include(&self, message: &Message) -> bool {
        let (from, to) = message.endpoints();
        let fits = |wanted: &Option<Name>, is: Option<&Name>| {
            wanted.as_ref().is_none_or(|wanted| Some(wanted) == is)
        };
        self.leg == message.leg
            && self.kind.as_ref().is_none_or(|kind| kind == message.request.kind())
            && self.whose_kind.is_none_or(|fits| fits(message.request.kind()))
            && fits(&self.from, from)
            && fits(&self.to, to)
    }
}

/// Catches messages of a network until it is dropped; made by [`Network::intercept`].
///
/// A dropped interceptor catches nothing more and delivers what it has caught and not handed out.
/// What it has handed out stays held.
pub struct Interceptor {
    caught: Receiver<Held>,
    network: Arc<Shared>,
    /// None if it was made after the end of the network.
    trap: Option<u64>,
}

impl Interceptor {
    /// The next message, in the order in which they arrive. It waits for one up to `timeout`. None
    /// if no message came, or once the network is closed.
    pub fn next(&self, timeout: Duration) -> Option<Held> {
        self.caught.recv_timeout(timeout).ok()
    }

    /// A message that was caught already, if there is one.
    pub fn try_next(&self) -> Option<Held> {
        self.caught.try_recv().ok()
    }
}

impl Drop for Interceptor {
    fn drop(&mut self) {
        let Some(number) = self.trap else { return };
        let trap = self.network.state.lock().interceptions.remove(number);
        drop(trap);
    }
}

/// A message that was caught. Its caller waits until its fate is decided.
///
/// It is decided once, by [`Held::deliver`] or [`Held::lose`]. A message that is dropped undecided
/// is delivered. The end of the network ends its call.
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
    message: Message,
    network: Arc<Shared>,
    decide: Sender<Decision>,
    is_decided: AtomicBool,
}

impl Held {
    /// The arguments or the reply as a value.
    ///
    /// # Errors
    /// If the bytes are no `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, CodecError> {
        codec::decode(&self.bytes)
    }

    /// Lets the message arrive now.
    ///
    /// A request arrives at the server that has the name now, which can be another than when it was
    /// sent: a restarted server gets what was sent to the incarnation before. If there is none, the
    /// caller gets no answer.
    ///
    /// # Panics
    /// If the message's fate was decided before.
    pub fn deliver(&self) {
        self.decide(Decision::Deliver);
    }

    /// Loses the message. The caller gets no answer, at once.
    ///
    /// # Panics
    /// If the message's fate was decided before.
    pub fn lose(&self) {
        self.decide(Decision::Lose);
    }

    /// Lets a copy of a request arrive now: the handler runs once more with the same bytes, and its
    /// reply is lost. The message's own fate does not change, and the copy may come before it or
    /// any time after it. It goes to the server that has the name now; false if there is none, or
    /// if the network is closed.
    ///
    /// # Panics
    /// If the message is a reply.
    pub fn deliver_again(&self) -> bool {
        assert_eq!(self.message.leg, Leg::Request, "only a request can be delivered again");
        call::dispatch_copy(&self.network, &self.message.request, &self.bytes)
    }

    fn decide(&self, decision: Decision) {
        let was_decided = self.is_decided.swap(true, Ordering::Relaxed);
        assert!(!was_decided, "the fate of this {} was decided before", self.method);
        // Nobody listens once the network is closed.
        let _ = self.decide.send(decision);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !*self.is_decided.get_mut() {
            self.deliver();
        }
    }
}

impl Network {
    /// Catches the messages that are meant, from now on, until the interceptor is dropped. Each
    /// waits for the test to decide its fate, and its caller with it.
    ///
    /// A message is caught where it would arrive. The loss and the delay that were drawn for its
    /// call apply before, as does a [`Network::hold`]; so a message that was lost is not caught, nor
    /// is one that a cut or a disabled end keeps from its way. If several interceptors mean a
    /// message, the one that was made first gets it.
    ///
    /// ```
    /// use std::thread;
    /// use std::time::Duration;
    /// use labrpc::{Messages, Network, Server, Service};
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
        let (catch, caught) = mpsc::channel();
        let network = Arc::clone(self.shared());
        let trap = {
            let mut state = network.state.lock();
            (!state.closed).then(|| state.interceptions.add(messages, catch))
        };
        Interceptor { caught, network, trap }
    }
}

/// All interceptors of a network, and the calls whose messages they hold.
#[derive(Default)]
pub(crate) struct Interceptions {
    traps: Vec<Trap>,
    traps_made: u64,
    waiting: Vec<(u64, Sender<Decision>)>,
}

/// The network's side of an interceptor.
struct Trap {
    number: u64,
    messages: Messages,
    catch: Sender<Held>,
}

/// What becomes of a message that was caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Deliver,
    Lose,
    /// The network was closed.
    Close,
}

/// One of the two messages of a call.
pub(crate) struct Message {
    pub(crate) request: Request,
    pub(crate) leg: Leg,
}

impl Message {
    /// Who sends it, and who is to get it.
    fn endpoints(&self) -> (Option<&Name>, Option<&Name>) {
        let Request { from, to, .. } = &self.request;
        match self.leg {
            Leg::Request => (from.as_ref(), to.as_ref()),
            Leg::Reply => (to.as_ref(), from.as_ref()),
        }
    }
}

/// A message that was caught, on its way to the test.
pub(crate) struct Catch {
    message: Message,
    catch: Sender<Held>,
    decide: Sender<Decision>,
    decided: Receiver<Decision>,
}

impl Catch {
    /// Hands the message to the test, and waits until the test has decided its fate.
    ///
    /// The network's lock must not be held: whoever wakes a thread can be paused by that.
    pub(crate) fn wait(self, network: &Arc<Shared>, bytes: &[u8]) -> Decision {
        let Catch { message, catch, decide, decided } = self;
        let number = |name: Option<&Name>| name.and_then(Name::number);
        let (from, to) = message.endpoints();
        let held = Held {
            call: message.request.call,
            from: number(from),
            to: number(to),
            method: Arc::clone(&message.request.method),
            bytes: bytes.into(),
            message,
            network: Arc::clone(network),
            decide,
            is_decided: AtomicBool::new(false),
        };
        // If the interceptor is gone by now, the message comes back, and is delivered.
        drop(catch.send(held));
        decided.recv().unwrap_or(Decision::Deliver)
    }
}

impl Interceptions {
    fn add(&mut self, messages: Messages, catch: Sender<Held>) -> u64 {
        self.traps_made += 1;
        self.traps.push(Trap { number: self.traps_made, messages, catch });
        self.traps_made
    }

    /// The trap is to be dropped without the network's lock, since that wakes a thread.
    fn remove(&mut self, number: u64) -> Option<Trap> {
        let at = self.traps.iter().position(|trap| trap.number == number)?;
        Some(self.traps.remove(at))
    }

    /// The message as a catch, if an interceptor means it.
    pub(crate) fn catch(&mut self, request: &Request, leg: Leg) -> Option<Catch> {
        if self.traps.is_empty() {
            return None;
        }
        let message = Message { request: request.clone(), leg };
        let trap = self.traps.iter().find(|trap| trap.messages.include(&message))?;
        let catch = trap.catch.clone();
        let (decide, decided) = mpsc::channel();
        self.waiting.push((request.call, decide.clone()));
        Some(Catch { message, catch, decide, decided })
    }

    /// The fate of the message of this call is decided.
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

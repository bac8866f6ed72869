//! Raft as a service: calls a [`RaftPeer`] by method names and bytes.
//!
//! Between the lab and an implementation, only this module and the grader's `remote/raft.rs` know
//! Raft. A peer sends its state as an [`InspectChange`], in a recorded run together with
//! [`ShownDetails`], and each message that it applies as an [`ApplyMsg`](raftapi::ApplyMsg).

mod details;
mod inspect;

use std::sync::{Arc, OnceLock};

use labrpc::{CallError, codec};
use parking_lot::Mutex;
use raftapi::{Inspect, Make, PeerContext, RaftPeer};
use serde_bytes::ByteBuf;
use verdict::label::{self, Label};

use crate::host;
use crate::service::{self, Context, Hosted, Observation};

pub use details::ShownDetails;
pub use inspect::InspectChange;

/// [`RaftPeer::start`]: takes the command as a [`ByteBuf`], returns `Option<Started>`.
pub const START: &str = "start";
/// [`RaftPeer::get_state`]: takes `()`, returns the term and whether the peer leads.
pub const GET_STATE: &str = "get_state";
/// [`RaftPeer::snapshot`]: takes the index, and the snapshot as a [`ByteBuf`]; returns `()`.
pub const SNAPSHOT: &str = "snapshot";

/// The whole `main` of a peer's program. It makes copies of itself, and each copy hosts one server
/// until the grader ends it.
///
/// Its standard input must be a connection with the grader.
pub fn main(make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static) -> ! {
    host::main(move |context| Arc::new(Raft::new(context, Arc::new(make))))
}

struct Raft {
    me: usize,
    make: Make,
    /// The argument of `make`, until `make` is called.
    context: Mutex<Option<PeerContext>>,
    peer: OnceLock<Arc<dyn RaftPeer>>,
    /// The state at the last observation, and the details if they are shown.
    observed: Mutex<(Inspect, Option<ShownDetails>)>,
}

impl Raft {
    fn new(context: Context, make: Make) -> Raft {
        let Context { me, ends, persister, deliveries } = context;
        let apply = deliveries.channel();
        let context = Mutex::new(Some(PeerContext { ends, me, persister, apply }));
        Raft { me, make, context, peer: OnceLock::new(), observed: Mutex::default() }
    }

    fn peer(&self) -> Arc<dyn RaftPeer> {
        Arc::clone(self.peer.get().expect("the grader asks for `make` first"))
    }
}

impl Hosted for Raft {
    fn make(&self) {
        // Not within the next line, because then the lock would be held while `make` runs.
        let context = self.context.lock().take();
        if let Some(context) = context {
            let made = (self.make)(context);
            assert!(self.peer.set(made).is_ok(), "`make` is called once");
        }
    }

    fn handlers(&self) -> Vec<labrpc::Service> {
        vec![self.peer().service()]
    }

    fn methods(&self) -> &'static [&'static str] {
        &[START, GET_STATE, SNAPSHOT]
    }

    fn call(&self, method: &'static str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        let peer = self.peer();
        match method {
            START => {
                service::answer(method, args, |command: ByteBuf| peer.start(command.into_vec()))
            }
            GET_STATE => service::answer(method, args, |()| peer.get_state()),
            _ => service::answer(method, args, |(index, snapshot): (u64, ByteBuf)| {
                peer.snapshot(index, snapshot.into_vec());
            }),
        }
    }

    fn observe(&self, with_details: bool) -> Observation {
        let Some(peer) = self.peer.get() else { return Observation::NotYet };
        let label = Label::Server(self.me);
        let answer = {
            let _label = label::enter(label, "inspect");
            peer.inspect_with_details()
        };
        let Some((state, details)) = answer else { return Observation::Never };
        let details = with_details.then(|| ShownDetails::new(&details, |at| label.time_of(at)));
        let new = (state, details);
        let mut observed = self.observed.lock();
        if *observed == new {
            return Observation::Same;
        }
        let change = InspectChange::between(&observed.0, &new.0);
        let change = match &new.1 {
            Some(details) => codec::encode(&(change, details)),
            None => codec::encode(&change),
        };
        *observed = new;
        Observation::Change(change.expect("failed to encode a state"))
    }
}

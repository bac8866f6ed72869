//! The handle that the lab has of a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use crossbeam_channel as apply_channel;
use labrpc::Service;
use parking_lot::Mutex;
use raftapi::{ApplyMsg, Inspect, PeerContext, RaftPeer, Started};
use tokio::sync::mpsc::unbounded_channel;

use crate::network::{self, Ends};
use crate::server::{self, Inbox, Input};
use crate::storage;
use crate::store::{Numbering, Store};

/// One server of the cluster.
pub(crate) struct Peer {
    inbox: Inbox,
    store: Arc<Mutex<Store>>,
    killed: Arc<AtomicBool>,
}

impl Peer {
    /// Starts the two threads that live as long as the server: the runtime's thread and the
    /// applier.
    pub(crate) fn start(context: PeerContext, numbering: Numbering) -> Arc<Peer> {
        let PeerContext { ends, me, persister, apply } = context;
        let (me, servers) = (me as u64, ends.len() as u64);
        let store = Store::restored(me, numbering, servers, persister);
        let store = Arc::new(Mutex::new(store));
        let (inbox, inputs) = unbounded_channel();
        let (to_apply, messages) = mpsc::channel();
        let service = storage::Service { store: Arc::clone(&store), to_apply };
        let killed = Arc::new(AtomicBool::new(false));
        {
            let store = Arc::clone(&store);
            let ends = Ends(ends);
            spawn(me, "runtime", move || server::run(me, ends, &store, service, inputs));
        }
        {
            let (store, killed) = (Arc::clone(&store), Arc::clone(&killed));
            spawn(me, "applier", move || hand_over(messages, &apply, &store, &killed));
        }
        Arc::new(Peer { inbox: Inbox(inbox), store, killed })
    }
}

impl RaftPeer for Peer {
    fn service(self: Arc<Self>) -> Service {
        network::service(self.inbox.clone())
    }

    fn start(&self, command: Vec<u8>) -> Option<Started> {
        let (_, leads) = self.get_state();
        // On a server that does not lead, openraft would only say where the leader is.
        if leads { self.inbox.start(command) } else { None }
    }

    fn get_state(&self) -> (u64, bool) {
        self.store.lock().state()
    }

    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        self.store.lock().compact(index, snapshot);
        let _ = self.inbox.0.send(Input::Compacted);
    }

    fn inspect(&self) -> Option<Inspect> {
        self.store.lock().inspect()
    }

    fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        // The runtime is gone if this is the second kill.
        let _ = self.inbox.0.send(Input::Kill);
    }
}

/// Starts a thread of this server, named so that a stack dump says whose it is.
fn spawn(me: u64, what: &str, work: impl FnOnce() + Send + 'static) {
    thread::Builder::new()
        .name(format!("server {me} {what}"))
        .spawn(work)
        .expect("failed to start a thread");
}

/// The applier: hands over committed entries, one message at a time. openraft goes on meanwhile.
fn hand_over(
    messages: mpsc::Receiver<ApplyMsg>,
    channel: &apply_channel::Sender<ApplyMsg>,
    store: &Mutex<Store>,
    killed: &AtomicBool,
) {
    for message in messages {
        let (ApplyMsg::Command { index, .. } | ApplyMsg::Snapshot { index, .. }) = &message;
        store.lock().last_applied = *index;
        if killed.load(Ordering::SeqCst) || channel.send(message).is_err() {
            return;
        }
    }
}

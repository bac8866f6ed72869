//! One server: its threads, the only access to its node, and the lab's methods.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crossbeam_channel::Sender;
use labrpc::{ClientEnd, Service};
use parking_lot::{Condvar, Mutex, MutexGuard};
use raft::eraftpb::Message;
use raftapi::{ApplyMsg, Inspect, PeerContext, RaftPeer, Started};

use crate::node::{Node, TICK_MS, server_of};
use crate::storage::Numbering;
use crate::wire::{self, Reply, Request};

/// One server of the cluster.
pub(crate) struct Peer {
    /// For the threads that make its calls.
    this: Weak<Peer>,
    me: usize,
    ends: Vec<ClientEnd>,
    node: Mutex<Node>,
    /// Wakes the applier: there is something to apply.
    committed: Condvar,
}

impl Peer {
    pub(crate) fn start(context: PeerContext, numbering: Numbering) -> Arc<Peer> {
        let PeerContext { ends, me, persister, apply } = context;
        let node = Node::restored(numbering, me, ends.len(), persister);
        let peer = Arc::new_cyclic(|this| Peer {
            this: Weak::clone(this),
            me,
            ends,
            node: Mutex::new(node),
            committed: Condvar::new(),
        });
        let (ticking, applying) = (Arc::clone(&peer), Arc::clone(&peer));
        peer.spawn("ticker", move || ticking.tick());
        peer.spawn("applier", move || applying.apply(&apply));
        peer
    }

    /// The only access to the node: runs `work` on it, carries out what TiKV wants to do then, and
    /// sends its requests. Returns the answers, too. After `kill` it does nothing.
    fn with_node<T>(&self, work: impl FnOnce(&mut Node) -> T) -> Option<(T, Vec<Message>)> {
        let mut node = self.node.lock();
        if node.killed {
            return None;
        }
        let result = work(&mut node);
        let messages = node.settle();
        if node.has_something_to_apply() {
            self.committed.notify_one();
        }
        drop(node);
        let (requests, answers) =
            messages.into_iter().partition(|message| wire::method_for(message).is_some());
        self.send(requests);
        Some((result, answers))
    }

    /// Each call has a thread of its own: a call to a server that is cut off can take seven
    /// seconds.
    fn send(&self, requests: Vec<Message>) {
        for request in requests {
            let Some(calling) = self.this.upgrade() else { return };
            self.spawn("call", move || calling.call(&request));
        }
    }

    fn call(&self, request: &Message) {
        let Some(method) = wire::method_for(request) else { return };
        let end = &self.ends[server_of(request.to)];
        let reply = end.call::<_, Reply>(method, &Request::new(request)).unwrap_or_default();
        self.with_node(|node| {
            if reply.is_empty() {
                node.lost(request);
            }
            for answer in reply.messages() {
                node.step(answer);
            }
        });
    }

    fn answer(&self, request: &Request) -> Reply {
        let message = request.message();
        match self.with_node(|node| node.step(message)) {
            Some(((), answers)) => Reply::new(&answers),
            None => Reply::default(),
        }
    }

    /// The ticker: TiKV's clock, until `kill`.
    fn tick(&self) {
        while self.with_node(Node::tick).is_some() {
            thread::sleep(Duration::from_millis(TICK_MS));
        }
    }

    /// The applier: hands over committed entries, and holds no lock meanwhile.
    fn apply(&self, channel: &Sender<ApplyMsg>) {
        let mut node = self.node.lock();
        while !node.killed {
            let Some(message) = node.next_to_apply() else {
                self.committed.wait(&mut node);
                continue;
            };
            if MutexGuard::unlocked(&mut node, || channel.send(message)).is_err() {
                return; // The service is gone.
            }
        }
    }

    /// Starts a thread of this server, named so that a stack dump says whose it is.
    fn spawn(&self, what: &str, work: impl FnOnce() + Send + 'static) {
        thread::Builder::new()
            .name(format!("server {} {what}", self.me))
            .spawn(work)
            .expect("failed to start a thread");
    }
}

impl RaftPeer for Peer {
    fn service(self: Arc<Self>) -> Service {
        wire::service(move |request: Request| self.answer(&request))
    }

    fn start(&self, command: Vec<u8>) -> Option<Started> {
        self.with_node(|node| node.propose(command))?.0
    }

    fn get_state(&self) -> (u64, bool) {
        self.node.lock().state()
    }

    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        self.with_node(|node| node.compact(index, snapshot));
    }

    fn inspect(&self) -> Option<Inspect> {
        self.node.lock().inspect()
    }

    fn kill(&self) {
        self.node.lock().killed = true;
        self.committed.notify_all();
    }
}

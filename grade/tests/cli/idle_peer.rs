//! A peer that does nothing. The tests change a line of it.

use std::sync::Arc;

use raftapi::{PeerContext, RaftPeer, Started};
use labrpc::{ClientEnd, Service};
use parking_lot::Mutex;

pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    let peer = Arc::new(Peer { me: context.me, ends: context.ends, state: Mutex::new(0) });
    // make
    peer
}

pub struct Peer {
    pub me: usize,
    pub ends: Vec<ClientEnd>,
    pub state: Mutex<u64>,
}

impl RaftPeer for Peer {
    fn service(self: Arc<Self>) -> Service {
        Service::new("Raft").method("RequestVote", move |term: u64| *self.state.lock() + term)
    }

    fn start(&self, _command: Vec<u8>) -> Option<Started> {
        None
    }

    fn get_state(&self) -> (u64, bool) {
        // get_state
        (*self.state.lock(), false)
    }

    fn kill(&self) {}
}

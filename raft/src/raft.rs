//! One server: its state, its threads, and what the lab asks of it.

use std::sync::Arc;
use std::thread;

use config::{PeerContext, Persister, RaftPeer, Started};
use labrpc::{ClientEnd, Service};
use parking_lot::{Condvar, Mutex};

use crate::state::State;
use crate::{election, heartbeat};

/// One server of the cluster.
pub(crate) struct Raft {
    pub(crate) me: usize,
    pub(crate) ends: Vec<ClientEnd>,
    pub(crate) persister: Arc<Persister>,
    pub(crate) state: Mutex<State>,
    /// The ticker has to look again: there is something to send at once, or this server was killed.
    /// A deadline that moves to later needs no word.
    pub(crate) changed: Condvar,
}

impl Raft {
    /// A follower with what was saved before the last crash (section 5.2: servers start up as
    /// followers).
    pub(crate) fn start(context: PeerContext) -> Arc<Raft> {
        let PeerContext { ends, me, persister, apply: _ } = context;
        let state = State::restored_from(&persister.read_raft_state());
        let raft = Raft { me, ends, persister, state: Mutex::new(state), changed: Condvar::new() };
        let raft = Arc::new(raft);
        let ticking = Arc::clone(&raft);
        raft.spawn("ticker", move || ticking.tick());
        raft
    }

    /// Sleeps until there is something to do, does it, and so on until the server is killed.
    fn tick(self: &Arc<Self>) {
        let mut state = self.state.lock();
        while !state.killed {
            let deadline = state.deadline();
            if std::time::Instant::now() < deadline {
                self.changed.wait_until(&mut state, deadline);
            } else if state.is_leader() {
                self.send_heartbeats(&mut state);
            } else {
                self.stand_for_election(&mut state);
            }
        }
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = usize> + use<> {
        let me = self.me;
        (0..self.ends.len()).filter(move |server| *server != me)
    }

    pub(crate) fn majority(&self) -> usize {
        self.ends.len() / 2 + 1
    }

    /// A thread of this server, named so that a stack dump says whose it is.
    pub(crate) fn spawn(&self, what: &str, work: impl FnOnce() + Send + 'static) {
        thread::Builder::new()
            .name(format!("server {} {what}", self.me))
            .spawn(work)
            .expect("failed to start a thread");
    }
}

impl RaftPeer for Raft {
    fn service(self: Arc<Self>) -> Service {
        let (voter, follower) = (Arc::clone(&self), self);
        Service::new("Raft")
            .method(election::REQUEST_VOTE, move |args| voter.request_vote(&args))
            .method(heartbeat::APPEND_ENTRIES, move |args| follower.append_entries(&args))
    }

    fn start(&self, _command: Vec<u8>) -> Option<Started> {
        // Log replication (section 5.3) is part B: until then no server takes a command.
        None
    }

    fn get_state(&self) -> (u64, bool) {
        let state = self.state.lock();
        (state.current_term, state.is_leader())
    }

    fn kill(&self) {
        self.state.lock().killed = true;
        self.changed.notify_all();
    }
}

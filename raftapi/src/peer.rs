//! The Raft object: what it is made from, what it must do, and what it hands to the service.

use std::sync::Arc;

use crossbeam_channel::Sender;
use labrpc::{ClientEnd, Service};
use serde::{Deserialize, Serialize};

use crate::inspect::{Details, Inspect};
use crate::persister::Persister;

/// What a server is made from: the arguments of 6.824's `Make`.
pub struct PeerContext {
    /// One end for each server of the cluster, indexed by server number. The end at `me` leads to
    /// this server itself.
    pub ends: Vec<ClientEnd>,
    /// This server's number, from 0.
    pub me: usize,
    /// Holds what this server saved before it crashed; empty at its first start. Each incarnation
    /// has a persister of its own: an old one can no longer save to it.
    pub persister: Arc<Persister>,
    /// Takes committed entries and snapshots, in order: 6.824's `applyCh`. The channel has no
    /// capacity: `send` blocks until the lab has received the message. Do not hold a lock across
    /// it: the thread that receives also calls `snapshot`, and it can be slow with each message.
    ///
    /// After `kill` the lab still receives messages and ignores them, so `send` does not fail then.
    /// After each message, check whether the server was killed; if so, end.
    pub apply: Sender<ApplyMsg>,
}

/// A constructor of peers: 6.824's `Make`. It returns within 1 s of virtual time (5 s of real
/// time). Long work belongs in threads that it starts.
///
/// It restores the state that was saved before it returns: the lab inspects the server then, before
/// it is on the network. `Arc::new(make)` turns a function into a `Make`.
pub type Make = Arc<dyn Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync>;

/// One server's Raft: what 6.824's tests call on `*Raft`.
///
/// The lab calls these methods from its own threads, several at the same time. No method needs to
/// wait. If one does not return within 10 s (of virtual time, where time is virtual), the test
/// fails with a timeout or a deadlock. An `inspect` that takes longer than 1 s is reported as a
/// held lock.
pub trait RaftPeer: Send + Sync + 'static {
    /// The RPC handlers, by method name. The names are free, but some tests tell votes, entries and
    /// snapshots apart by them. So use `Raft.RequestVote`, `Raft.AppendEntries` and, for part 3D,
    /// `Raft.InstallSnapshot`.
    ///
    /// Called once, after the peer was made; `inspect` may be called before it. The handlers run on
    /// threads of the network, several at the same time, also after `kill`. A request can arrive
    /// after later requests, twice, after its caller has given up or crashed, and at a later
    /// incarnation than the one that it was sent to. The network has only calls: a Raft with
    /// one-way messages has to answer a request within its handler.
    fn service(self: Arc<Self>) -> Service;

    /// Starts agreement on a command: 6.824's `Start`.
    ///
    /// A leader appends the command to its log and immediately returns the index and term of the
    /// new entry. The first index is 1, and each command takes one: an entry that a Raft appends
    /// itself, such as a blank one at an election, must not shift the indices that the lab sees.
    /// There is no promise that the entry will be committed. A server that does not lead returns
    /// `None`.
    fn start(&self, command: Vec<u8>) -> Option<Started>;

    /// The current term, and whether this server believes that it is the leader of that term:
    /// 6.824's `GetState`. Read both under one lock.
    fn get_state(&self) -> (u64, bool);

    /// The service has made a snapshot of its state after the entry at `index`: 6.824's `Snapshot`
    /// (part 3D; section 7 of the paper).
    ///
    /// The log drops all entries up to and including `index`, and the snapshot is saved with the
    /// rest of the state. Its bytes must not change: the lab reads them when the server restarts.
    /// Ignore an index that a newer snapshot covers already. The lab calls this while it handles
    /// the message for `index`, so a thread of the Raft may still be blocked in
    /// [`PeerContext::apply`], or may not have run again since its `send`: count a message as
    /// applied before you send it.
    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        let _ = (index, snapshot);
    }

    /// A copy of this server's state, made while the peer's lock is held; `None` if the
    /// implementation does not show its state. 6.824 has no such method.
    ///
    /// With it the lab checks the rules of Raft after each action of the server and every 10 ms,
    /// and reports the first rule that is broken. Without it most broken rules show only in their
    /// consequences.
    fn inspect(&self) -> Option<Inspect> {
        None
    }

    /// The same as [`RaftPeer::inspect`], with details that only a recorded run shows, such as the
    /// votes of a candidate. Both are copied while the lock is held once.
    ///
    /// The lab calls this method alone. By default it calls `inspect` and has no details, so you
    /// need it only for those.
    fn inspect_with_details(&self) -> Option<(Inspect, Details)> {
        Some((self.inspect()?, Details::default()))
    }

    /// The lab is done with this server: 6.824's `Kill`. Returns immediately, and does not wait for
    /// threads. Every thread of the peer has to end within 10 s. Other methods and handlers may
    /// still be running, or be called: they must not wait for a thread that has ended. From now on
    /// calls through the ends get no answer, and what is saved or applied is ignored. A crash is a
    /// `kill` too: the next server starts with what was saved.
    fn kill(&self);
}

/// Where [`RaftPeer::start`] has put a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The index at which the command will appear if it is ever committed; at least 1.
    pub index: u64,
    /// The term of the leader that took it; at least 1.
    pub term: u64,
}

/// A message to the service: 6.824's `ApplyMsg`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplyMsg {
    /// A committed entry. From each start on, a server sends every index once, without gaps: from
    /// 1, or from the index after its saved snapshot.
    Command {
        /// The entry's index in the log; the first is 1.
        index: u64,
        /// The bytes that were given to [`RaftPeer::start`].
        command: Vec<u8>,
    },
    /// A snapshot that the leader has sent (part 3D, section 7). The next entry has the index after
    /// it. It never ends before the last index that was applied since the start. A restart needs no
    /// such message: the lab reads the saved snapshot itself. A server may still send it first.
    Snapshot {
        /// The last index that the snapshot covers.
        index: u64,
        /// The term of the entry at that index.
        term: u64,
        /// The bytes that were given to [`RaftPeer::snapshot`] on some server.
        snapshot: Vec<u8>,
    },
}

//! The Raft object: what it is made from, what it must do, and what it hands to the service.

use std::sync::Arc;

use crossbeam_channel::Sender;
use labrpc::{ClientEnd, Service};
use serde::{Deserialize, Serialize};

use crate::inspect::Inspect;
use crate::persister::Persister;

/// What a server is made from: the arguments of 6.824's `Make`.
pub struct PeerContext {
    /// One end for each server of the cluster, indexed by server number. The end at `me` leads to
    /// this server itself.
    pub ends: Vec<ClientEnd>,
    /// This server's number, from 0.
    pub me: usize,
    /// Holds what this server saved before it crashed; empty at its first start.
    pub persister: Arc<Persister>,
    /// Takes committed entries and snapshots, in order: 6.824's `applyCh`. The channel has no
    /// capacity: `send` blocks until the lab has received the message. Do not hold a lock across
    /// it, because the lab may call `start`, `get_state` or `snapshot` before it receives.
    ///
    /// `send` fails after the end of the test. The sending thread should then end.
    pub apply: Sender<ApplyMsg>,
}

/// A constructor of peers: 6.824's `Make`. It returns within 1 s of virtual time (5 s of real
/// time). Long work belongs in threads that it starts.
pub type Make = Arc<dyn Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync>;

/// One server's Raft: what 6.824's tests call on `*Raft`.
///
/// The lab calls these methods from its own threads, several at once. Each returns within 10 s; a
/// test in which one does not return fails with a timeout or a deadlock.
pub trait RaftPeer: Send + Sync + 'static {
    /// The RPC handlers, by method name. By convention the methods are `Raft.RequestVote`,
    /// `Raft.AppendEntries` and, for part 3D, `Raft.InstallSnapshot`.
    ///
    /// Called once, after the peer was made. The handlers run on threads of the network, several at
    /// once.
    fn service(self: Arc<Self>) -> Service;

    /// Starts agreement on a command: 6.824's `Start`.
    ///
    /// A leader appends the command to its log and returns at once, with the index and term of the
    /// new entry. The first index is 1. There is no promise that the entry will be committed. A
    /// server that does not lead returns `None`.
    fn start(&self, command: Vec<u8>) -> Option<Started>;

    /// The current term, and whether this server believes that it is the leader of that term:
    /// 6.824's `GetState`.
    fn get_state(&self) -> (u64, bool);

    /// The service has made a snapshot of its state after the entry at `index`: 6.824's `Snapshot`
    /// (part 3D; section 7 of the paper).
    ///
    /// The log can drop all entries up to and including `index`. The lab calls this while it
    /// handles the message for `index`, so a thread of the Raft may be blocked in
    /// [`PeerContext::apply`] at that time.
    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        let _ = (index, snapshot);
    }

    /// A copy of this server's state, made while the peer's lock is held; `None` if the
    /// implementation does not show its state. 6.824 has no such method.
    ///
    /// With it the lab watches the rules of Raft at every step, and reports the first rule that is
    /// broken. Without it most broken rules are seen only by what they lead to.
    fn inspect(&self) -> Option<Inspect> {
        None
    }

    /// The lab is done with this server: 6.824's `Kill`. Returns at once; every thread of the peer
    /// has to end soon after. Messages that it still sends or applies are ignored.
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
    /// A committed entry. Each server sends every index once, without gaps, from 1 on or from the
    /// index after its snapshot.
    Command {
        /// The entry's index in the log; the first is 1.
        index: u64,
        /// The bytes that were given to [`RaftPeer::start`].
        command: Vec<u8>,
    },
    /// A snapshot that the leader has sent (part 3D, section 7). The next entry has the index after
    /// it.
    Snapshot {
        /// The last index that the snapshot covers.
        index: u64,
        /// The term of the entry at that index.
        term: u64,
        /// The bytes that were given to [`RaftPeer::snapshot`] on some server.
        snapshot: Vec<u8>,
    },
}

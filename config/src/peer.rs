//! What an implementation of Raft offers to the lab, and what the lab gives it.

use std::sync::Arc;

use crossbeam_channel::Sender;
use labrpc::{ClientEnd, Service};
use serde::{Deserialize, Serialize};

use crate::persister::Persister;

/// All that a peer gets when it is made: the arguments of 6.824's `Make`.
pub struct PeerContext {
    /// An end to every server of the cluster, by number, this one included.
    pub ends: Vec<ClientEnd>,
    /// This server's number, from 0.
    pub me: usize,
    /// Where this server keeps what must survive a crash; it holds what was saved before the last.
    pub persister: Arc<Persister>,
    /// Where committed entries and snapshots go, in order. The channel has no capacity: a send
    /// waits until the lab has taken the message, so no lock may be held across it.
    pub apply: Sender<ApplyMsg>,
}

/// One server's Raft.
///
/// The lab calls these methods from threads of its own, several at once.
pub trait RaftPeer: Send + Sync + 'static {
    /// The RPC handlers, by name: `Raft.RequestVote` and `Raft.AppendEntries` by convention.
    fn service(self: Arc<Self>) -> Service;

    /// Asks for agreement on a command: 6.824's `Start`. If this peer leads it appends the command
    /// to its log and returns at once; there is no promise that the command will ever be committed.
    /// The first index is 1. A peer that does not lead returns `None`.
    fn start(&self, command: Vec<u8>) -> Option<Started>;

    /// The current term, and whether this peer believes that it leads it: 6.824's `GetState`.
    fn get_state(&self) -> (u64, bool);

    /// The lab has a snapshot of everything up to and including `index`: the log may forget it
    /// (part D, section 7).
    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        let _ = (index, snapshot);
    }

    /// This peer's state, if it shows it: `Some` of a copy that was made under the peer's lock, or
    /// `None`.
    ///
    /// The lab watches the rules of Raft by it, and says which one was broken first, and when.
    /// Without it most rules can only be seen broken by what they lead to.
    fn inspect(&self) -> Option<Inspect> {
        None
    }

    /// The lab is done with this peer: every thread of it has to end soon. Returns at once.
    fn kill(&self);
}

/// Figure 2's state of one server, at one instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspect {
    /// What the server is.
    pub role: Role,
    /// The latest term it has seen.
    pub current_term: u64,
    /// The candidate that got its vote in the current term.
    pub voted_for: Option<usize>,
    /// The terms of the entries in its log, from `last_included_index + 1` on.
    pub log_terms: Vec<u64>,
    /// The highest entry that it knows to be committed.
    pub commit_index: u64,
    /// The last entry that it has handed over.
    pub last_applied: u64,
    /// The last entry that its snapshot stands for; 0 without one (section 7).
    pub last_included_index: u64,
    /// The term of that entry; 0 without one.
    pub last_included_term: u64,
}

/// What a server is (Figure 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// It answers the others.
    #[default]
    Follower,
    /// It stands for election in the current term, with its own vote.
    Candidate,
    /// It leads the current term.
    Leader,
}

impl Inspect {
    /// The index of the last entry; 0 if there never was one.
    pub fn last_index(&self) -> u64 {
        self.last_included_index + self.log_terms.len() as u64
    }

    /// The term of the last entry; 0 if there never was one.
    pub fn last_term(&self) -> u64 {
        self.log_terms.last().copied().unwrap_or(self.last_included_term)
    }

    /// The term of the entry at `index`: 0 at index 0, none where there is no entry, or none any
    /// more.
    pub fn term_at(&self, index: u64) -> Option<u64> {
        let behind = index.checked_sub(self.last_included_index)?;
        match usize::try_from(behind).ok()?.checked_sub(1) {
            None => Some(self.last_included_term),
            Some(position) => self.log_terms.get(position).copied(),
        }
    }
}

/// Where a command was put by [`RaftPeer::start`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The index that the command will have if it is ever committed.
    pub index: u64,
    /// The term of the leader that took it.
    pub term: u64,
}

/// What a peer hands to the lab, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplyMsg {
    /// The committed entry at `index`.
    Command {
        /// Its index in the log; the first is 1.
        index: u64,
        /// The command as it was given to `start`.
        command: Vec<u8>,
    },
    /// A snapshot that came from the leader (part D, section 7).
    Snapshot {
        /// The last index that the snapshot covers.
        index: u64,
        /// The term of the entry at that index.
        term: u64,
        /// The bytes that some server's `snapshot` was given.
        snapshot: Vec<u8>,
    },
}

/// A constructor of peers: 6.824's `Make`. It must return soon, so long work belongs in threads.
pub type Make = Arc<dyn Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync>;

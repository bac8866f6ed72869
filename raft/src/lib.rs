//! The reference Raft: ordinary threads, one mutex, and the rules apart from both.
//!
//! It follows "In Search of an Understandable Consensus Algorithm (Extended Version)" by Ongaro and
//! Ousterhout; a file a section. All of Figure 2 and section 7 are here; changes of membership
//! (section 6) are not.
//!
//! **The rules** are methods of `State`, which is Figure 2's state of one server. They are
//! plain functions: a message and the time go in, an answer or messages come out. Nothing in them
//! sends, waits or locks, so each can be tested by itself, and read beside the paper.
//!
//! | file | rules |
//! |---|---|
//! | `state` | the roles, and what every server does about terms (5.1) |
//! | `election` | RequestVote (5.2), and who may win (5.4.1) |
//! | `replication` | AppendEntries (5.3); a heartbeat is its empty case |
//! | `commit` | when an entry is committed (5.3, 5.4.2) |
//! | `apply` | what the service gets, in order (5.3) |
//! | `snapshot` | InstallSnapshot, and the log that forgets its beginning (7) |
//! | `log` | the entries by index, and the only place that knows where they lie in memory |
//! | `persist` | what survives a crash |
//!
//! **The threads** only carry messages. Each goes through the one door to the state,
//! `Raft::with_state`, which saves what a rule changed before anybody can hear of it.
//! - The ticker sleeps until the next deadline, and takes from the rules what is to be sent then.
//! - The senders make the calls. The answer to a call may take seven seconds or
//!   never come, so each call has a thread of its own while it lasts.
//! - The applier hands over what is committed, and holds no lock meanwhile.
//! - The threads of the network run the handlers, and the threads of the service `start` and
//!   `snapshot`; none of them ever waits.

mod rules;
mod server;

use rules::{election, log, persistent as persist, replication, snapshot, state};
use server as raft;
use server::senders;

use std::sync::Arc;

use raftapi::{PeerContext, RaftPeer};

/// Makes one server's Raft: 6.824's `Make`.
pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    raft::Raft::start(context)
}

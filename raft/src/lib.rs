//! The reference Raft: ordinary threads, one mutex, one condition variable.
//!
//! It follows "In Search of an Understandable Consensus Algorithm (Extended Version)"; a file a
//! section. So far it elects leaders and keeps them (sections 5.1, 5.2 and 5.4.1); it takes no
//! commands yet.
//!
//! How it runs: all state lies in [`state::State`] behind one mutex. One thread, the ticker, sleeps
//! until the next deadline: to stand for election, or to send heartbeats. Every RPC is made on a
//! thread of its own, since the answer may take seven seconds or never come, and the lock is never
//! held across one. What a reply means is judged when it arrives, by the state of that moment.

mod raft;
mod state;
mod log;
mod election;
mod heartbeat;
mod persist;

use std::sync::Arc;

use config::{PeerContext, RaftPeer};

/// Makes one server's Raft: 6.824's `Make`.
pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    raft::Raft::start(context)
}

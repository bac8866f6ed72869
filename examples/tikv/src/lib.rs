//! TiKV's Raft, the crate `raft`, behind the lab's `RaftPeer`: a Raft that the lab's authors did
//! not write, put through the lab's tests.
//!
//! That crate has the algorithm and nothing else: messages go in, and a `Ready` comes out that says
//! what to save, to send and to apply. What is here is the rest.
//!
//! | file | what |
//! |---|---|
//! | `peer` | one server: its threads, the one door to its node, and what the lab asks of it |
//! | `node` | TiKV's state machine, and how each `Ready` of it is carried out |
//! | `storage` | the log, as TiKV wants to read it and as the lab counts |
//! | `saved` | what survives a crash, as bytes |
//! | `wire` | TiKV's messages as the requests and replies of the lab's RPCs |
//!
//! `examples/README.md` says in general how a Raft is put behind [`RaftPeer`].

mod peer;
mod node;
mod storage;
mod saved;
mod wire;

use std::sync::Arc;

use raftapi::{PeerContext, RaftPeer};

use crate::storage::Numbering;

/// Makes one server: 6.824's `Make`. It shows no `inspect`: the lab counts commands, and TiKV's log
/// has empty entries between them.
pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    peer::Peer::start(context, Numbering::Commands)
}

/// The same, but indices are TiKV's own, and empty entries are applied as empty commands. So
/// `inspect` is exact, and every rule can be watched; tests that count commands fail.
pub fn make_inspected(context: PeerContext) -> Arc<dyn RaftPeer> {
    peer::Peer::start(context, Numbering::Entries)
}

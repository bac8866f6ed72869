//! TiKV's Raft, the crate `raft`, behind the lab's `RaftPeer`: a Raft that the lab's authors did
//! not write, put through the lab's tests.
//!
//! That crate has only the algorithm: messages go in, and a `Ready` comes out that says what to
//! save, to send and to apply. This crate has the rest.
//!
//! | file | what |
//! |---|---|
//! | `peer` | one server: its threads, the only access to its node, and the lab's methods |
//! | `node` | TiKV's state machine, and how each of its `Ready`s is carried out |
//! | `storage` | the log with TiKV's indices and the lab's |
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

/// Makes one server: 6.824's `Make`. It has no `inspect`: the lab counts commands, and TiKV's log
/// has empty entries between them.
pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    peer::Peer::start(context, Numbering::Commands)
}

/// The same with TiKV's own indices, and empty entries are applied as empty commands. So `inspect`
/// is exact, and every rule can be checked; tests that count commands fail.
pub fn make_inspected(context: PeerContext) -> Arc<dyn RaftPeer> {
    peer::Peer::start(context, Numbering::Entries)
}

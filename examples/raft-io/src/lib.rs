//! The crate `raft-io` in the lab: a Raft that the lab's authors did not write, as an actor of
//! ordinary threads.
//!
//! The crate has the algorithm: an event goes in, and the actions to take come out. It reads and
//! writes its log through a trait. Here one thread owns it, and every other thread sends that one a
//! message and waits for the answer; no lock is needed.
//!
//! | file | what |
//! |---|---|
//! | `peer` | the handle that the lab has: it turns each call into a message |
//! | `node` | the thread that owns the state machine, and carries out what it wants |
//! | `log` | the log, as raft-io and as the lab count it, and what is saved of it |
//! | `wire` | raft-io's messages as the requests and replies of the lab's RPCs |
//!
//! `examples/README.md` says in general how a Raft is put behind [`RaftPeer`].

mod peer;
mod node;
mod log;
mod wire;

use std::sync::Arc;

use raftapi::{PeerContext, RaftPeer};

use crate::log::Numbering;

/// Makes one server: 6.824's `Make`. It shows no `inspect`: the lab counts commands, and raft-io's
/// log has entries of its own between them.
pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    peer::Peer::start(context, Numbering::Commands)
}

/// The same, but indices are raft-io's, and its own entries are applied as empty commands. So
/// `inspect` is exact, and every rule can be watched; tests that count commands fail.
pub fn make_inspected(context: PeerContext) -> Arc<dyn RaftPeer> {
    peer::Peer::start(context, Numbering::Entries)
}

//! The crate `raft-io` in the lab: a Raft that the lab's authors did not write, as an actor of
//! ordinary threads.
//!
//! The crate has the algorithm: an event goes in, and the actions to take come out. It reads and
//! writes its log through a trait. Here one thread owns it. Every other thread sends that thread a
//! message and waits for the answer, so no lock is needed.
//!
//! | file | what |
//! |---|---|
//! | `peer` | the handle that the lab has: it turns each call into a message |
//! | `node` | the thread that owns the state machine, and carries out its actions |
//! | `log` | the log with raft-io's indices and the lab's, and how it is saved |
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

/// Makes one server: 6.824's `Make`. It has no `inspect`: the lab counts commands, and raft-io adds
/// entries of its own between them.
pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    peer::Peer::start(context, Numbering::Commands)
}

/// The same with raft-io's indices, and its own entries are applied as empty commands. So `inspect`
/// is exact, and every rule can be checked; tests that count commands fail.
pub fn make_inspected(context: PeerContext) -> Arc<dyn RaftPeer> {
    peer::Peer::start(context, Numbering::Entries)
}

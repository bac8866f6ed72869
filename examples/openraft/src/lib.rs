//! The crate `openraft` in the lab: an asynchronous Raft that the lab's authors did not write.
//!
//! openraft runs as tasks of an executor. Here each server has a tokio runtime of its own, on one
//! thread, with tokio's timers and without its driver for I/O: such a runtime waits with the
//! standard library, so it runs in virtual time without changes.
//!
//! | file | what |
//! |---|---|
//! | `peer` | the handle that the lab has of a server |
//! | `server` | the runtime: openraft's tasks, and the requests of the lab and other servers |
//! | `network` | openraft's calls as calls through the lab's ends |
//! | `storage` | openraft's traits for its log and its state machine |
//! | `store` | the state that a server saves, with openraft's indices and the lab's |
//! | `types` | the types with which openraft is instantiated |
//!
//! `examples/README.md` says in general how a Raft is put behind [`RaftPeer`].

mod peer;
mod server;
mod network;
mod storage;
mod store;
mod types;

use std::sync::Arc;

use raftapi::{PeerContext, RaftPeer};

use crate::store::Numbering;

/// Makes one server: 6.824's `Make`. It has no `inspect`: the lab counts commands, and openraft's
/// log has blank entries between them.
pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    peer::Peer::start(context, Numbering::Commands)
}

/// The same with openraft's own indices, and blank entries are applied as empty commands. So
/// `inspect` is exact, and every rule can be checked; tests that count commands fail.
pub fn make_inspected(context: PeerContext) -> Arc<dyn RaftPeer> {
    peer::Peer::start(context, Numbering::Entries)
}

//! The contract between a Raft and the lab, after the `raftapi` package of MIT 6.5840.
//!
//! An implementation offers one type with the methods of [`RaftPeer`] and one function that makes
//! it from a [`PeerContext`]: 6.824's `Make`. It calls other servers through the
//! [`ClientEnd`](labrpc::ClientEnd)s of the context, keeps what must survive a crash in the
//! [`Persister`], and sends committed entries to the `apply` channel as [`ApplyMsg`]s. The crates
//! `raftapi` and `labrpc` are all that it needs from the kit.
//!
//! An *incarnation* is the life of a server between two crashes. After a crash the lab makes the
//! server again, from what it had saved, with new ends and a new channel. The old object is killed.
//! What its threads still save, send or apply is ignored.
//!
//! Use ordinary threads, locks, sleeps, `Instant` and `rand`: the lab runs them unchanged in
//! virtual time. A thread that has nothing to do must wait, not spin. An asynchronous executor
//! works as well if it waits in these ways: tokio's `new_current_thread` with `enable_time` does,
//! its driver for I/O does not.
//!
//! Give each server its own threads: in `cargo test` all servers are in one process, and a thread
//! belongs to the server whose thread started it. If servers share a pool in a static, the lab
//! reports that once. It then cannot pause a single server, and cannot say whose panic it is when a
//! thread of the pool panics. When a submission is graded, each server is a process, and has its
//! own statics.
//!
//! If you have a Raft already, the kit's `examples/README.md` shows how to put it behind
//! [`RaftPeer`], with three Rafts from crates.io as examples.
//!
//! ```
//! use std::sync::Arc;
//! use labrpc::Service;
//! use raftapi::{PeerContext, RaftPeer, Started};
//!
//! /// Compiles, and fails every test: it never leads.
//! struct Raft {}
//!
//! impl RaftPeer for Raft {
//!     fn service(self: Arc<Self>) -> Service { Service::new("Raft") }
//!     fn start(&self, _command: Vec<u8>) -> Option<Started> { None }
//!     fn get_state(&self) -> (u64, bool) { (0, false) }
//!     fn kill(&self) {}
//! }
//!
//! pub fn make(_context: PeerContext) -> Arc<dyn RaftPeer> { Arc::new(Raft {}) }
//! ```

mod peer;
mod inspect;
mod persister;

pub use inspect::{Details, Inspect, Role};
pub use peer::{ApplyMsg, Make, PeerContext, RaftPeer, Started};
pub use persister::{Persister, Saved, Storage};

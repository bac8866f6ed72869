//! The rules of Raft: what a message or a timeout does to a server's state.
//!
//! Rules are plain functions. They start no thread, take no lock, and do not wait, so you can test
//! each by itself and read it next to the paper. `server.rs` calls them with the lock held.

pub mod messages;
pub mod state;
pub mod election;
pub mod replication;
pub mod persistent;

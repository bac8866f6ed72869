//! The rules of Raft: functions of a server's state, a message and a [`clock::Clock`].
//!
//! No rule starts a thread, takes a lock, waits, sends, reads a clock or draws a random number. So
//! each can be tested by itself, and read next to the paper. The state's fields are private to this
//! folder: the server's threads can do with it only what its `pub(crate)` methods allow.

pub(crate) mod clock;
mod log;
pub(crate) mod messages;
mod progress;
mod persistent;
pub(crate) mod state;
mod election;
mod replication;
mod commit;
mod snapshot;
mod apply;
mod deadline;
mod details;

#[cfg(test)]
mod tests;

//! A Raft to be written: the lab makes each server of a cluster with [`make`].
//!
//! "The paper" in the comments is "In Search of an Understandable Consensus Algorithm (Extended
//! Version)" by Ongaro and Ousterhout.

pub mod rules;
pub mod server;

pub use server::make;

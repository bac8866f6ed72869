//! One server's Raft in a process of its own, stepped by the grader.
//!
//! The newest edition of the original runs every server as a process and kills it with SIGKILL; so
//! does the grader, in virtual time. A peer's process holds nothing but an implementation and the
//! host that runs it. The grader owns the network, the persisters, the tests and the
//! verdict, and sends and gets [frames] over two private pipes: a step of virtual time with
//! what comes in, then all that came out of it, in one order.

pub mod bounds;
pub mod frames;
pub mod delta;
pub mod slots;
pub mod template;
mod host;
mod server;
mod outlet;
mod calls;
mod saves;
mod applied;
mod looks;

pub use host::{EXIT_MISUSED, UNSEALED, main};

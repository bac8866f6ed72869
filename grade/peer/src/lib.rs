//! One server in a process of its own, which the grader lets advance in virtual time.
//!
//! The newest edition of the original runs every server as a process and kills it with SIGKILL; so
//! does the grader, in virtual time. A peer's process holds nothing but an implementation and the
//! host that runs it. The grader owns the network, the persisters, the tests and the
//! verdict, and exchanges [frames] with the peer over two private pipes: how far virtual time may
//! advance and what comes in, then everything that came out of it, in one order.
//!
//! The frames and the [host] serve any [service](service::Hosted). [`raft`] is the one that there
//! is; another is one more such module, and one on the grader's side.

pub mod bounds;
pub mod delta;
pub mod frames;
pub mod slots;
pub mod template;
pub mod host;
pub mod service;
mod server;
mod deliveries;
mod observer;
mod outlet;
mod requests;
mod saves;
pub mod raft;

pub use deliveries::Deliveries;
pub use host::{EXIT_MISUSED, UNSEALED};
pub use raft::main;

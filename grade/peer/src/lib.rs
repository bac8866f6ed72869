//! One server in a process of its own, which advances in virtual time when the grader says so.
//!
//! The newest edition of the original runs every server as a process and kills it with SIGKILL. The
//! grader does the same, in virtual time. A peer's process contains only an implementation and the
//! host that runs it. The grader owns the network, the persisters, the tests and the verdict. It
//! exchanges [frames] with the peer over two private pipes. A frame of the grader says how far
//! virtual time can advance, and has the inputs. The answer has all outputs, in one order.
//!
//! The frames and the [host] serve any [service](service::Hosted). [`raft`] is the only one so far.
//! Another service needs one more such module here, and one on the grader's side.

pub mod bounds;
pub mod delta;
pub mod description;
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

//! A cluster of servers of any service, after the `tester1` package of MIT 6.5840.
//!
//! A [`Cluster`] gives each server its ends of the [network](labrpc::network) and its [disk](Disk).
//! It starts, crashes and restarts servers, connects and disconnects them, and offers further
//! [`Faults`]. A [`Service`] says what the servers do: how one is made, which RPC handlers it has
//! and how it is killed. Everything that happens to a server is recorded in the run's
//! [history](history::History).

mod limits;
mod fuse;
mod sharing;
mod disk;
mod calls;
mod service;
mod servers;
mod misuse;
mod cluster;
mod faults;

pub use calls::{Calls, Panicked, Waiting, hung_handlers, took_too_long};
pub use cluster::Cluster;
pub use disk::{Disk, SAVED_BYTES_MAX};
pub use faults::Faults;
pub use limits::{CALL_LIMIT, Method, TEST_LIMIT, make_limit};
pub use service::{Service, Start};

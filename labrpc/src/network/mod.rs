//! The network itself, its servers and its faults: what a test harness needs, and a Raft does not.
//!
//! A [`Network`] connects [`ClientEnd`](crate::ClientEnd)s to [`Server`]s. It can lose, delay,
//! reorder and duplicate calls, and ends, servers and links between servers can be switched off at
//! any time. What happens to a call is drawn from a seed ([`fate`]). A test can also catch a
//! message and decide its fate ([`Network::intercept`]). Every call leaves its steps in one log
//! ([`Event`]).
//!
//! ```
//! use labrpc::network::{Network, Server};
//! use labrpc::{CallError, Service};
//!
//! let network = Network::new(1);
//! let service = Service::new("Arith").method("Double", |n: u64| 2 * n);
//! network.add_server("server", Server::from(service));
//!
//! let end = network.make_end("end");
//! network.connect("end", "server");
//! assert_eq!(end.call::<u64, u64>("Arith.Double", &21), Err(CallError::NoAnswer));
//!
//! network.enable("end", true);
//! assert_eq!(end.call("Arith.Double", &21_u64), Ok(42_u64));
//! ```
//!
//! The network knows nothing of Raft, only method names and bytes. By convention the kind of a call
//! is the last part of its method's name.

mod name;
pub mod fate;
mod event;
mod log;
mod load;
mod address;
mod request;
mod workers;
mod server;
mod link;
mod traps;
mod state;
mod admission;
mod handlers;
mod call;
mod topology;
mod faults;
mod intercept;

pub use crate::end::Carrier;
pub use crate::value::Value;
pub use event::{CallStep, Ending, Event};
pub use fate::{Delay, Disturbance};
pub use intercept::{Held, Interceptor, Messages};
pub use load::UNDER_WAY_BYTES_MAX;
pub use name::Name;
pub use server::Server;
pub use state::Pending;
pub use topology::Network;

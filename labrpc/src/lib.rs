//! A lossy RPC network in one process, after the labrpc of MIT 6.824.
//!
//! A [`Network`] joins [`ClientEnd`]s to [`Server`]s. Arguments and replies are really encoded, so
//! that servers share no memory; calls can be lost, delayed, reordered, duplicated, and ends,
//! servers and ways between servers can be switched off at any time. What it does to a call is
//! drawn from a seed ([`fate`]), and every call leaves its steps in one log ([`Event`]).
//!
//! ```
//! use labrpc::{CallError, Network, Server, Service};
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
//! The network knows nothing of Raft: method names and bytes. By convention the kind of a call is
//! the last part of its method's name.

mod name;
mod error;
pub mod codec;
pub mod fate;
mod log;
mod load;
mod workers;
mod server;
mod network;
mod call;
mod intercept;
mod end;

pub use end::{Carrier, ClientEnd};
pub use error::CallError;
pub use fate::{Delay, Disturbance};
pub use intercept::{Held, Interceptor, Leg, Messages};
pub use load::UNDER_WAY_BYTES_MAX;
pub use log::{Ending, Event, Step};
pub use name::Name;
pub use network::{Network, Pending};
pub use server::{Server, Service};

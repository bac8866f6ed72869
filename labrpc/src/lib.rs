//! Remote procedure calls over a network that can lose, delay, reorder and repeat them, after the
//! `labrpc` of MIT 6.824.
//!
//! A server calls others through its [`ClientEnd`]s and answers calls with a [`Service`]. A
//! [`CallError`] says why a call has no reply. Arguments and replies are encoded, so two servers
//! share no memory. These three types are all that a Raft needs.
//!
//! ```
//! use labrpc::{CallError, Service};
//! # use labrpc::network::Network;
//!
//! let service = Service::new("Arith").method("Double", |n: u64| 2 * n);
//! # let network = Network::new(1);
//! # network.add_server("server", service.into());
//! # let end = network.make_end("end");
//! # network.connect("end", "server");
//! # network.enable("end", true);
//!
//! // On another server, with an `end` whose destination is this one:
//! match end.call::<u64, u64>("Arith.Double", &21) {
//!     Ok(reply) => assert_eq!(reply, 42),
//!     Err(CallError::NoAnswer) => println!("lost, or the server is gone: perhaps try again"),
//!     Err(bug) => panic!("{bug}"),
//! }
//! # assert_eq!(end.call::<u64, u64>("Arith.Double", &21), Ok(42));
//! ```
//!
//! | 6.824 | here |
//! |---|---|
//! | `ok := end.Call("Raft.AppendEntries", &args, &reply)` | [`ClientEnd::call`] |
//! | `labrpc.MakeService(rf)` | [`Service::new`] and [`Service::method`] |
//! | `labgob` | [`codec`], for what is saved; calls encode on their own |
//! | `labrpc.Network`, `labrpc.Server` | [`network`], for tests only |

mod error;
mod value;
mod describe;
mod service;
mod end;
pub mod codec;
pub mod network;

pub use end::ClientEnd;
pub use error::CallError;
pub use service::Service;

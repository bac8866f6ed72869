//! The cluster under test, after the config of MIT 6.824.
//!
//! An implementation of Raft offers a [`RaftPeer`] and a function that makes one from a
//! [`PeerContext`]. A [`Config`] makes a cluster of such peers on a [`labrpc::Network`], crashes,
//! restarts, connects and disconnects them, consumes what they apply, and checks what it sees. What
//! is wrong first goes to a [`Referee`] as a [`Failure`].
//!
//! A test reads like the original:
//!
//! ```no_run
//! # use config::{Config, Make, Referee, Setup};
//! fn new_leader_after_disconnect(make: &Make, referee: &Referee) {
//!     let cfg = Config::new(make, Setup::reliable(3), 1, referee);
//!     let leader = cfg.check_one_leader();
//!     cfg.disconnect(leader);
//!     cfg.check_one_leader();
//! }
//! ```

mod peer;
mod persister;
mod config;
mod checks;
mod agreement;
mod faults;
mod fuse;
mod applier;
mod applied;
mod calls;
pub mod command;
mod lives;
pub mod label;
pub mod panics;
pub mod threads;
pub mod crowd;
pub mod virtual_time;
mod invariants;
mod hygiene;
mod failure;
mod referee;

pub use calls::{CALL_LIMIT, make_limit};
pub use config::{Config, RAFT_ELECTION_TIMEOUT, Setup, TEST_LIMIT, misuse};
pub use failure::{Class, Failure, NOTE_BYTES_MAX, NOTES_MAX, SENTENCE_BYTES_MAX};
pub use faults::Kind;
pub use hygiene::Habit;
pub use invariants::{NOT_INSPECTED, Rule};
pub use peer::{ApplyMsg, Inspect, Make, PeerContext, RaftPeer, Role, Started};
pub use persister::{Persister, SAVED_BYTES_MAX, Saved};
pub use referee::{FINDINGS_MAX, Figures, Referee, Stopped};

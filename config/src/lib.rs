//! The cluster under test, after the config of MIT 6.824.
//!
//! A [`Config`] makes a cluster of [`RaftPeer`](raftapi::RaftPeer)s on a [`labrpc::Network`]. It
//! crashes, restarts, connects and disconnects them, consumes what they apply, and checks what it
//! sees. The first [`Failure`] is reported to the [`Referee`], and is the verdict.
//!
//! A test reads like the original:
//!
//! ```no_run
//! # use config::{Config, Referee, Setup};
//! # use raftapi::Make;
//! fn new_leader_after_disconnect(make: &Make, referee: &Referee) {
//!     let cfg = Config::new(make, Setup::reliable(3), 1, referee);
//!     let leader = cfg.check_one_leader();
//!     cfg.disconnect(leader);
//!     cfg.check_one_leader();
//! }
//! ```

mod config;
mod checks;
mod agreement;
mod faults;
mod disk;
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
pub use disk::SAVED_BYTES_MAX;
pub use failure::{Class, Failure, NOTE_BYTES_MAX, NOTES_MAX, SENTENCE_BYTES_MAX};
pub use faults::Kind;
pub use hygiene::Habit;
pub use invariants::{NOT_INSPECTED, Rule};
pub use referee::{FINDINGS_MAX, Figures, Referee, Stopped};

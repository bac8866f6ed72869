//! The cluster under test, after the config of MIT 6.824.
//!
//! A [`Config`] makes a cluster of [`RaftPeer`](raftapi::RaftPeer)s on a
//! [network](labrpc::network). It crashes, restarts, connects and disconnects them, receives what
//! they apply, and checks their answers. The first [`Failure`] that is reported to the [`Referee`]
//! is the verdict.
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
mod kind;
mod raft;
mod applier;
mod applied;
mod observer;
mod judge;
mod findings;
mod progress;

pub use applier::{SNAPSHOT_INTERVAL, next_snapshot};
pub use cluster::{CALL_LIMIT, Cluster, Faults, SAVED_BYTES_MAX, TEST_LIMIT, make_limit};
pub use config::{Config, RAFT_ELECTION_TIMEOUT, Setup};
pub use findings::NOT_INSPECTED;
pub use history::{Rule, command};
pub use kind::Kind;
pub use raft::Raft;
pub use verdict::{
    Class, FINDINGS_MAX, Failure, Figures, FindingKind, NOTE_BYTES_MAX, NOTES_MAX, Referee,
    SENTENCE_BYTES_MAX, Stopped,
};

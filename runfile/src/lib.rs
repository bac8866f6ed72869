//! The file of a recorded run: everything that happened, for pictures, scripts and questions.
//!
//! It is JSON Lines: one JSON object a line. The first line is the [`Header`], the last one the
//! [`End`], and each line between them an [`Event`], in the order of the run. A reader needs no
//! other part of the kit.
//!
//! ```text
//! {"run_file":1,"test":"3A re-election","seed":7,"servers":3,..}
//! {"n":1,"t":0,"kind":"started","server":0,"incarnation":1}
//! {"n":9,"t":130000,"kind":"sent","call":1,"from":0,"to":1,"method":"Raft.RequestVote","bytes":4,
//!  "args":{"term":1,"candidate_id":0,"last_log_index":0,"last_log_term":0}}
//! {"end":true,"events":812,"failure":null,..}
//! ```
//!
//! Times are microseconds since the run began. Servers are numbers from 0. `n` is the number of an
//! event in the history of the run; some numbers are left out, since only changes are recorded.
//!
//! A `state` line has what changed of what a server shows: see [`State`]. Beside the state of
//! Figure 2 it can have four details, if the implementation shows them:
//!
//! ```text
//! {"n":8,"t":129800,"kind":"state","server":0,"election_deadline":270131}
//! {"n":31,"t":141000,"kind":"state","server":0,"votes_received":[0,2]}
//! {"n":34,"t":141300,"kind":"state","server":0,"role":"leader","votes_received":null,
//!  "next_index":[1,1,1],"match_index":[0,0,0],"election_deadline":null}
//! ```
//!
//! The format has a [`VERSION`]. A change that an older reader would misread raises it; a reader
//! ignores fields that it does not know.

mod value;
mod event;
mod error;
mod read;
mod write;

pub use crate::error::Error;
pub use crate::event::{Event, Fact, Failure, How, Kind, LogChange, Role, Rule, State};
pub use crate::read::read;
pub use crate::value::Value;
pub use crate::write::write;

use serde::{Deserialize, Serialize};

/// The version of the format.
pub const VERSION: u32 = 1;

/// A recorded run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// Which run it is.
    pub header: Header,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What came of it.
    pub end: End,
}

/// Which run it is: the first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub run_file: u32,
    /// The part and the name of the test, such as `3A re-election`.
    pub test: String,
    /// What the test claims, in a sentence.
    pub purpose: String,
    /// The seed.
    pub seed: u64,
    /// The number of servers; 0 if the test never made a cluster.
    pub servers: usize,
    /// `fiber`, `kernel` or `real`.
    pub clock: String,
    /// The rules of Raft were checked.
    pub rules_checked: bool,
}

/// What came of a run: the last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Always true: it tells this line from an event.
    pub end: bool,
    /// The number of events in the file.
    pub events: usize,
    /// When the run ended.
    pub t: u64,
    /// The hash over all steps of the simulation, in hexadecimal digits; none in real time.
    pub hash: Option<String>,
    /// Why the run failed; none if it passed.
    pub failure: Option<Failure>,
    /// What is worth reporting but no failure.
    pub findings: Vec<String>,
    /// The command that runs this run again.
    pub replay: String,
    /// How likely the failure was at some moments; empty if nobody asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odds: Vec<Odds>,
}

/// How likely the failure was at one moment: the run was made again up to there, and went on in
/// many ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Odds {
    /// The moment.
    pub t: u64,
    /// The number of futures that failed in the same way.
    pub failed: u32,
    /// The number of futures that were tried.
    pub futures: u32,
}

//! States that no Raft can be in, whatever happened before. They break the contract of `inspect`,
//! not a rule.

use history::{Moment, Rule};

use crate::breach::fact::Fact;
use crate::breach::family::Family;

/// What is impossible about a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeBreach {
    /// A vote for a server that does not exist.
    VoteForUnknownServer {
        /// The number of that server.
        candidate: usize,
        /// The number of servers.
        servers: usize,
        /// When it was seen.
        seen: Moment,
    },
    /// A snapshot index that no run can reach.
    ImpossibleSnapshot {
        /// The index.
        index: u64,
        /// When it was seen.
        seen: Moment,
    },
}

impl Family for ShapeBreach {
    fn rule(&self) -> Option<Rule> {
        None
    }

    fn look(&self) -> Option<&'static str> {
        Some(match self {
            ShapeBreach::VoteForUnknownServer { .. } => {
                "inspect; voted_for is None or the number of a server, counted from 0"
            }
            ShapeBreach::ImpossibleSnapshot { .. } => {
                "inspect; last_included_index is the index of an entry, and 0 without a snapshot"
            }
        })
    }

    fn sentence(&self, server: usize) -> String {
        match self {
            ShapeBreach::VoteForUnknownServer { candidate, servers, .. } => {
                format!("server {server} shows a vote for server {candidate}, of {servers} servers")
            }
            ShapeBreach::ImpossibleSnapshot { index, .. } => {
                format!("server {server} shows a snapshot up to index {index}")
            }
        }
    }

    fn evidence(&self, server: usize) -> Vec<Fact> {
        let (seen, what) = match self {
            ShapeBreach::VoteForUnknownServer { candidate, seen, .. } => {
                (seen, format!("shows a vote for server {candidate}"))
            }
            ShapeBreach::ImpossibleSnapshot { index, seen } => {
                (seen, format!("shows a snapshot up to index {index}"))
            }
        };
        vec![Fact::new(*seen, server, what)]
    }
}

//! What servers send each other.
//!
//! The network encodes these, so servers share no memory. Use numbers, vectors, options and the
//! like; both sides must agree on the type.

use serde::{Deserialize, Serialize};

/// What a candidate sends to gather votes: Figure 2, "RequestVote RPC".
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestVoteArgs {
    // Your fields here (3A: the term and who asks; 3B: how far the candidate's log goes).
}

/// What a server answers to a candidate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestVoteReply {
    // Your fields here (3A).
}

/// What a leader sends to copy its log, and with no entries as a heartbeat: Figure 2,
/// "AppendEntries RPC".
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppendEntriesArgs {
    // Your fields here (3A: the term and who leads; 3B: the entries, what comes before them, and
    // how much is committed).
}

/// What a server answers to a leader.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppendEntriesReply {
    // Your fields here (3A; 3C: what helps the leader to back up faster, end of section 5.3).
}

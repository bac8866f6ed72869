//! What the servers send each other: the RPCs of Figures 2 and 13.

use serde::{Deserialize, Serialize};

use super::log::Entry;

/// What one server sends to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Vote(RequestVoteArgs),
    Append(AppendEntriesArgs),
    Install(InstallSnapshotArgs),
}

/// Invoked by candidates to gather votes (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestVoteArgs {
    /// The candidate's term.
    pub(crate) term: u64,
    pub(crate) candidate_id: usize,
    /// The index and the term of the candidate's last log entry.
    pub(crate) last_log_index: u64,
    pub(crate) last_log_term: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestVoteReply {
    /// The voter's term, for the candidate to update itself.
    pub(crate) term: u64,
    pub(crate) vote_granted: bool,
}

/// Invoked by a leader to replicate log entries; also used as heartbeat (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppendEntriesArgs {
    /// The leader's term.
    pub(crate) term: u64,
    pub(crate) leader_id: usize,
    /// The index and the term of the entry just before the new ones.
    pub(crate) prev_log_index: u64,
    pub(crate) prev_log_term: u64,
    /// The entries to store; empty for a heartbeat.
    pub(crate) entries: Vec<Entry>,
    pub(crate) leader_commit: u64,
}

impl AppendEntriesArgs {
    /// The index of the last new entry, or the one just before if there are none.
    pub(super) fn last_new_index(&self) -> u64 {
        self.prev_log_index + self.entries.len() as u64
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppendEntriesReply {
    /// The follower's term, for the leader to update itself.
    pub(crate) term: u64,
    /// The follower had the entry just before the new ones, and now it has those, too.
    pub(crate) success: bool,
    /// Where its log differs, if that is why it refused.
    pub(crate) conflict: Option<Conflict>,
}

/// Why a follower refused entries: the information that lets a leader skip all conflicting entries
/// of a term at once (the end of section 5.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conflict {
    /// The term of the follower's entry just before the new ones; none if its log is too short.
    pub(crate) term: Option<u64>,
    /// The follower's first index of that term; if its log is too short, the index after its last.
    pub(crate) first_index: u64,
}

/// Invoked by a leader to send a snapshot to a follower that needs entries which the leader has
/// discarded (Figure 13). As in the lab the snapshot is sent in one message, without chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstallSnapshotArgs {
    /// The leader's term.
    pub(crate) term: u64,
    pub(crate) leader_id: usize,
    /// The snapshot replaces all entries up to and including this one.
    pub(crate) last_included_index: u64,
    /// The term of that entry.
    pub(crate) last_included_term: u64,
    #[serde(with = "serde_bytes")]
    pub(crate) snapshot: Vec<u8>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstallSnapshotReply {
    /// The follower's term, for the leader to update itself.
    pub(crate) term: u64,
}

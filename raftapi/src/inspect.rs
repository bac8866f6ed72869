//! The state that a Raft can show to the lab: Figure 2 of the paper.

use std::time::Instant;

use serde::{Deserialize, Serialize};

/// The state of one server at one instant, in the terms of Figure 2.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspect {
    /// Follower, candidate or leader.
    pub role: Role,
    /// The latest term that the server has seen; 0 at first.
    pub current_term: u64,
    /// The candidate that got this server's vote in the current term. A candidate or leader has
    /// voted for itself.
    pub voted_for: Option<usize>,
    /// The terms of the log's entries, from index `last_included_index + 1` on.
    pub log_terms: Vec<u64>,
    /// The highest index that is known to be committed; 0 at first. At least the index of every
    /// command that was sent to `apply`.
    pub commit_index: u64,
    /// The highest index that was sent to the service; 0 at first.
    pub last_applied: u64,
    /// The last index that the snapshot covers; 0 without one (section 7).
    pub last_included_index: u64,
    /// The term of the entry at `last_included_index`; 0 without a snapshot.
    pub last_included_term: u64,
}

/// More of a server's state, to be shown with a recorded run. No rule judges it.
///
/// Each part is `None` where a server has no such thing, or does not show it. Give the fields as
/// they are: the lab sorts them, and leaves out what makes no sense.
///
/// ```
/// use raftapi::Details;
///
/// let details = Details { votes_received: Some(vec![2, 0]), ..Details::default() };
/// assert_eq!(details.next_index, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// The servers that gave a candidate their vote in its current term, itself included, in any
    /// order.
    pub votes_received: Option<Vec<usize>>,
    /// The index of the next entry that a leader sends to each server, by server number. Its own
    /// place can have any number.
    pub next_index: Option<Vec<u64>>,
    /// The highest index that a leader knows to be in the log of each server, by server number. Its
    /// own place can have any number.
    pub match_index: Option<Vec<u64>>,
    /// When the server stands for election unless it hears from a leader or a candidate before. An
    /// instant that lies in the past is fine.
    pub election_deadline: Option<Instant>,
}

/// The role of a server (Figure 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Answers the requests of leaders and candidates.
    #[default]
    Follower,
    /// Asks for votes in the current term, and has voted for itself.
    Candidate,
    /// Leads the current term.
    Leader,
}

impl Inspect {
    /// The index of the last entry, also if only the snapshot has it; 0 if there never was one.
    pub fn last_index(&self) -> u64 {
        self.last_included_index + self.log_terms.len() as u64
    }

    /// The term of the last entry; 0 if there never was one.
    pub fn last_term(&self) -> u64 {
        self.log_terms.last().copied().unwrap_or(self.last_included_term)
    }

    /// The term of the entry at `index`: 0 at index 0, `None` where the log has no entry or has
    /// dropped it.
    pub fn term_at(&self, index: u64) -> Option<u64> {
        let after_snapshot = index.checked_sub(self.last_included_index)?;
        match usize::try_from(after_snapshot).ok()?.checked_sub(1) {
            None => Some(self.last_included_term),
            Some(position) => self.log_terms.get(position).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_term_at_an_index_is_known_from_the_snapshot_to_the_last_entry() {
        let state = Inspect {
            log_terms: vec![2, 3],
            last_included_index: 4,
            last_included_term: 1,
            ..Inspect::default()
        };
        let terms: Vec<_> = (3..=7).map(|index| state.term_at(index)).collect();
        assert_eq!(terms, [None, Some(1), Some(2), Some(3), None]);
        assert_eq!((state.last_index(), state.last_term()), (6, 3));
        assert_eq!(Inspect::default().term_at(0), Some(0));
    }
}

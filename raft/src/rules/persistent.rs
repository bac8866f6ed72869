//! The state that survives a crash (Figure 2, persistent state on all servers), and how it is
//! saved.
//!
//! Only the methods below can change it, and each of them notes the change. So a rule cannot forget
//! to save: after every rule the server calls [`Persistent::save_to`], before any reply or request
//! can reveal what the rule changed.

use labrpc::codec;
use raftapi::Persister;
use serde::{Deserialize, Serialize};

use super::log::{Entry, Log};

/// The persistent state. What is saved is the encoding of these fields; the snapshot is saved next
/// to it.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Persistent {
    /// The latest term this server has seen.
    current_term: u64,
    /// The candidate that got this server's vote in the current term.
    voted_for: Option<usize>,
    log: Log,
    /// The state of the service after the entries that the log has discarded; empty if it has
    /// discarded none (section 7).
    #[serde(skip)]
    snapshot: Vec<u8>,
    /// Something has changed since the last save.
    #[serde(skip)]
    must_save: bool,
}

/// Saving and restoring.
impl Persistent {
    /// Saves everything if anything has changed. State and snapshot are saved together: each is
    /// useless with an older version of the other.
    pub(super) fn save_to(&mut self, persister: &Persister) {
        if !self.must_save {
            return;
        }
        let raft_state = codec::encode(self).expect("plain data has an encoding");
        persister.save(raft_state, self.snapshot.clone());
        self.must_save = false;
    }

    /// What was saved last; the state of a new server if nothing was.
    pub(super) fn restored_from(persister: &Persister) -> Persistent {
        let raft_state = persister.read_raft_state();
        let mut restored = if raft_state.is_empty() {
            Persistent::default() // It never ran before.
        } else {
            codec::decode(&raft_state).expect("what was saved can be read")
        };
        restored.snapshot = persister.read_snapshot();
        restored
    }
}

/// Reading.
impl Persistent {
    pub(super) fn current_term(&self) -> u64 {
        self.current_term
    }

    pub(super) fn voted_for(&self) -> Option<usize> {
        self.voted_for
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    pub(super) fn snapshot(&self) -> &[u8] {
        &self.snapshot
    }

    #[cfg(test)]
    pub(super) fn must_save(&self) -> bool {
        self.must_save
    }
}

/// Changing.
impl Persistent {
    /// Enters a later term, in which this server has not voted yet.
    pub(super) fn adopt_term(&mut self, term: u64) {
        assert!(term > self.current_term, "a term never falls");
        self.current_term = term;
        self.voted_for = None;
        self.must_save = true;
    }

    /// Enters the next term with a vote for this server itself.
    pub(super) fn start_term(&mut self, me: usize) {
        self.current_term += 1;
        self.voted_for = Some(me);
        self.must_save = true;
    }

    /// Gives this server's vote in the current term.
    pub(super) fn vote_for(&mut self, candidate_id: usize) {
        self.voted_for = Some(candidate_id);
        // A vote that a crash forgets could be given twice.
        self.must_save = true;
    }

    /// Appends an entry, and returns its index.
    pub(super) fn append(&mut self, entry: Entry) -> u64 {
        self.must_save = true;
        self.log.append(entry)
    }

    /// Takes over the leader's entries after `prev_index`: see [`Log::merge`].
    pub(super) fn merge(&mut self, prev_index: u64, entries: Vec<Entry>) {
        self.must_save |= self.log.merge(prev_index, entries);
    }

    /// Replaces the entries up to `index` by a snapshot (section 7).
    pub(super) fn compact(&mut self, index: u64, snapshot: Vec<u8>) {
        self.log.forget_up_to(index);
        self.snapshot = snapshot;
        self.must_save = true;
    }

    /// Replaces the whole log by a snapshot that ends with this index and term (section 7).
    pub(super) fn start_over(&mut self, index: u64, term: u64, snapshot: Vec<u8>) {
        self.log.start_over(index, term);
        self.snapshot = snapshot;
        self.must_save = true;
    }
}

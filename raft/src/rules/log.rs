//! The log (section 5.3), whose beginning a snapshot may have replaced (section 7).
//!
//! This is the only file that knows where an entry lies in memory. Everywhere else an index is an
//! index of the paper: it counts from 1, including the entries that are no longer there.

use serde::{Deserialize, Serialize};

/// A command, with the term in which a leader received it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) term: u64,
    // Without this, serde encodes the bytes as a generic sequence.
    #[serde(with = "serde_bytes")]
    pub(crate) command: Vec<u8>,
}

/// The entries of one server. The first entry ever has index 1; those up to `last_included_index`
/// are forgotten, and the snapshot stands for them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Log {
    last_included_index: u64,
    last_included_term: u64,
    /// The entries from `last_included_index + 1` on.
    entries: Vec<Entry>,
}

impl Log {
    /// The index of the last entry that the snapshot stands for; 0 if there is none.
    pub(super) fn last_included_index(&self) -> u64 {
        self.last_included_index
    }

    /// The term of that entry; 0 if there is none.
    pub(super) fn last_included_term(&self) -> u64 {
        self.last_included_term
    }

    /// The index of the last entry; 0 if there never was one.
    pub(super) fn last_index(&self) -> u64 {
        self.last_included_index + self.entries.len() as u64
    }

    /// The term of the last entry; 0 if there never was one.
    pub(super) fn last_term(&self) -> u64 {
        self.entries.last().map_or(self.last_included_term, |entry| entry.term)
    }

    /// The entry at `index`, if it is there and not forgotten.
    pub(super) fn get(&self, index: u64) -> Option<&Entry> {
        self.entries.get(self.position(index)?)
    }

    /// The term of the entry at `index`. It is still known for the last entry of the snapshot, and
    /// it is 0 for index 0, where every log begins.
    pub(super) fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.last_included_index {
            return Some(self.last_included_term);
        }
        self.get(index).map(|entry| entry.term)
    }

    /// The terms of all entries that are not forgotten.
    pub(super) fn terms(&self) -> Vec<u64> {
        self.entries.iter().map(|entry| entry.term).collect()
    }

    /// Copies of the entries from `index` on, which is not forgotten: at most `bytes_max` bytes of
    /// commands, but at least one entry if there is one.
    pub(super) fn entries_from(&self, index: u64, bytes_max: usize) -> Vec<Entry> {
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            let is_first = bytes == 0;
            bytes += entry.command.len().max(1);
            is_first || bytes <= bytes_max
        };
        let start = self.position(index).expect("an entry that is not forgotten");
        self.entries[start..].iter().take_while(fits).cloned().collect()
    }

    /// Whether a log that ends with this index and term is at least as up to date as this one: the
    /// later last term wins, or the longer log if the last terms are equal (section 5.4.1).
    pub(super) fn is_no_newer_than(&self, last_index: u64, last_term: u64) -> bool {
        (last_term, last_index) >= (self.last_term(), self.last_index())
    }

    /// The first index of the run of entries that ends at `index` and has the same term throughout.
    /// Terms never fall along a log, so all entries of a term are adjacent.
    pub(super) fn first_index_of_term_at(&self, index: u64) -> u64 {
        let term = self.term_at(index);
        let mut first = index;
        while first > self.last_included_index + 1 && self.term_at(first - 1) == term {
            first -= 1;
        }
        first
    }

    /// The last index up to `index` with an entry of `term`.
    pub(super) fn last_index_of_term(&self, term: u64, index: u64) -> Option<u64> {
        let indices = (self.last_included_index..=index.min(self.last_index())).rev();
        let mut not_later = indices.skip_while(|index| self.term_at(*index) > Some(term));
        not_later.next().filter(|index| self.term_at(*index) == Some(term))
    }

    /// Appends an entry, and returns its index.
    pub(super) fn append(&mut self, entry: Entry) -> u64 {
        self.entries.push(entry);
        self.last_index()
    }

    /// Takes over entries that follow the one at `prev_index`, which is the same here as in the
    /// leader's log. Only an entry that conflicts with a new one is removed, with all that follow
    /// it: the message may be an old one, and this log rightly longer by now (section 5.3). Entries
    /// that the snapshot stands for are committed, so they are the same. True if the log changed.
    pub(super) fn merge(&mut self, prev_index: u64, entries: Vec<Entry>) -> bool {
        let indexed = (prev_index + 1..).zip(entries);
        let mut new = indexed.skip_while(|(index, entry)| {
            *index <= self.last_included_index || self.term_at(*index) == Some(entry.term)
        });
        let Some((index, first)) = new.next() else { return false };
        let rest: Vec<Entry> = new.map(|(_, entry)| entry).collect();
        self.entries.truncate(self.position(index).expect("an entry after the snapshot"));
        self.entries.push(first);
        self.entries.extend(rest);
        true
    }

    /// Forgets the entries up to `index`: from now on a snapshot stands for them (section 7).
    pub(super) fn forget_up_to(&mut self, index: u64) {
        let term = self.term_at(index).expect("an entry that is there");
        // A copy of the rest, so that the memory of the forgotten entries is released.
        self.entries = self.entries.split_off(self.position(index + 1).expect("after the index"));
        (self.last_included_index, self.last_included_term) = (index, term);
    }

    /// Forgets everything: a snapshot that ends with this index and term takes its place
    /// (section 7).
    pub(super) fn start_over(&mut self, last_included_index: u64, last_included_term: u64) {
        *self = Log { last_included_index, last_included_term, entries: Vec::new() };
    }

    /// Where `entries` has the entry with this index, or will have it; none if it is forgotten.
    fn position(&self, index: u64) -> Option<usize> {
        let position = index.checked_sub(self.last_included_index + 1)?;
        Some(usize::try_from(position).expect("a log fits into memory"))
    }
}

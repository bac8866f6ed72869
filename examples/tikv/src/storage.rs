//! The log with TiKV's indices and the lab's.
//!
//! TiKV's leaders begin their term with an empty entry, which has an index like any other. The lab
//! counts commands: its first index is that of the first command. So each entry here has the number
//! of commands up to it, itself included: that is its index for the lab. Where two logs agree on an
//! entry they agree on all before it (section 5.3), so all servers get the same numbers. A snapshot
//! carries the number of the commands that it covers.

use std::ops::Range;

use raft::eraftpb::{ConfState, Entry, HardState, Snapshot};
use raft::{GetEntriesContext, RaftState, Result, Storage, StorageError, util};

/// The context of an entry, which marks it as a command. TiKV's own entries have none.
pub(crate) const COMMAND: &[u8] = b"c";

/// Which entries have an index of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// The commands: indices are 1, 2, 3, whichever server leads.
    Commands,
    /// All, and the index is TiKV's: an empty entry is an empty command.
    Entries,
}

/// Everything that a server saves.
pub(crate) struct Log {
    numbering: Numbering,
    voters: ConfState,
    pub(crate) hard_state: HardState,
    pub(crate) start: Start,
    /// The service's state at `start`; empty if no entry is forgotten.
    pub(crate) snapshot: Vec<u8>,
    slots: Vec<Slot>,
    /// Something has changed since the last save.
    pub(crate) must_save: bool,
}

/// The last entry that the snapshot covers: the log begins after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) index: u64,
    pub(crate) term: u64,
    /// Its index for the lab, or that of the last entry before it that has one.
    pub(crate) lab_index: u64,
}

struct Slot {
    entry: Entry,
    /// Its index for the lab, or that of the last entry before it that has one.
    lab_index: u64,
}

impl Log {
    pub(crate) fn new(
        numbering: Numbering,
        servers: usize,
        hard_state: HardState,
        start: Start,
        snapshot: Vec<u8>,
        entries: Vec<Entry>,
    ) -> Log {
        let voters = ConfState::from(((1..=servers as u64).collect::<Vec<_>>(), Vec::new()));
        let slots = Vec::new();
        let mut log =
            Log { numbering, voters, hard_state, start, snapshot, slots, must_save: false };
        log.append(entries);
        log.must_save = false;
        log
    }

    /// The lab's index of the last entry that has one; 0 if there never was one.
    pub(crate) fn last_lab_index(&self) -> u64 {
        self.slots.last().map_or(self.start.lab_index, |slot| slot.lab_index)
    }

    /// The lab's index of the entry at `index`, if it has one.
    pub(crate) fn lab_index(&self, index: u64) -> Option<u64> {
        let slot = self.slots.get(self.position(index)?)?;
        self.counts(&slot.entry).then_some(slot.lab_index)
    }

    pub(crate) fn numbering(&self) -> Numbering {
        self.numbering
    }

    pub(crate) fn entries_in_memory(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().map(|slot| &slot.entry)
    }

    /// Takes TiKV's term, vote and commit index. A new commit index alone is not saved: a server
    /// that has forgotten it learns it again.
    pub(crate) fn set_hard_state(&mut self, new: HardState) {
        let old = &self.hard_state;
        self.must_save |= (old.term, old.vote) != (new.term, new.vote);
        self.hard_state = new;
    }

    /// Puts entries at their indices, and removes all entries that were there or after them.
    pub(crate) fn append(&mut self, entries: Vec<Entry>) {
        let Some(first) = entries.first() else { return };
        self.slots.truncate(self.position(first.index).expect("only the snapshot is final"));
        for entry in entries {
            assert_eq!(entry.index, self.last() + 1, "a log has no gaps");
            let lab_index = self.last_lab_index() + u64::from(self.counts(&entry));
            self.slots.push(Slot { entry, lab_index });
        }
        self.must_save = true;
    }

    /// Forgets everything up to the entry with this index of the lab: the snapshot replaces it. A
    /// snapshot that is not newer than the saved one is ignored.
    pub(crate) fn compact(&mut self, lab_index: u64, snapshot: Vec<u8>) {
        let position = self.slots.partition_point(|slot| slot.lab_index < lab_index);
        let Some(slot) = self.slots.get(position).filter(|_| lab_index > self.start.lab_index)
        else {
            return;
        };
        let Entry { index, term, .. } = slot.entry;
        self.start = Start { index, term, lab_index };
        self.snapshot = snapshot;
        self.slots.drain(..=position);
        self.must_save = true;
    }

    /// Replaces the log by a snapshot from the leader: no entry of this log follows it.
    pub(crate) fn install(&mut self, start: Start, snapshot: Vec<u8>) {
        self.start = start;
        self.snapshot = snapshot;
        self.slots.clear();
        self.must_save = true;
    }

    fn counts(&self, entry: &Entry) -> bool {
        self.numbering == Numbering::Entries || entry.context == COMMAND
    }

    fn last(&self) -> u64 {
        self.start.index + self.slots.len() as u64
    }

    /// Where the entry at `index` is or would be; none if it is forgotten.
    fn position(&self, index: u64) -> Option<usize> {
        usize::try_from(index.checked_sub(self.start.index + 1)?).ok()
    }

    fn range(&self, low: u64, high: u64) -> Result<Range<usize>> {
        let low = self.position(low).ok_or(StorageError::Compacted)?;
        let high = self.position(high).ok_or(StorageError::Compacted)?;
        if high > self.slots.len() {
            return Err(StorageError::Unavailable.into());
        }
        Ok(low..high)
    }
}

impl Storage for Log {
    fn initial_state(&self) -> Result<RaftState> {
        Ok(RaftState::new(self.hard_state.clone(), self.voters.clone()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        let slots = &self.slots[self.range(low, high)?];
        let mut entries = slots.iter().map(|slot| slot.entry.clone()).collect();
        util::limit_size(&mut entries, max_size.into());
        Ok(entries)
    }

    fn term(&self, index: u64) -> Result<u64> {
        if index == self.start.index {
            return Ok(self.start.term);
        }
        Ok(self.slots[self.range(index, index + 1)?][0].entry.term)
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.start.index + 1)
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last())
    }

    /// For a follower that lacks forgotten entries.
    fn snapshot(&self, request_index: u64, _to: u64) -> Result<Snapshot> {
        if request_index > self.start.index {
            return Err(StorageError::SnapshotTemporarilyUnavailable.into());
        }
        let mut snapshot = Snapshot::default();
        let metadata = snapshot.mut_metadata();
        metadata.set_conf_state(self.voters.clone());
        metadata.index = self.start.index;
        metadata.term = self.start.term;
        snapshot.data = crate::saved::encode_snapshot(self.start.lab_index, &self.snapshot).into();
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of one term: `c` is a command, `-` an empty entry that TiKV adds.
    fn log(kinds: &str) -> Log {
        log_by(Numbering::Commands, kinds)
    }

    fn log_by(numbering: Numbering, kinds: &str) -> Log {
        let entry = |(kind, index): (char, u64)| {
            let context = if kind == 'c' { COMMAND } else { &[] }.into();
            Entry { index, term: 1, context, ..Entry::default() }
        };
        let entries = kinds.chars().zip(1..).map(entry).collect();
        Log::new(numbering, 3, HardState::default(), Start::default(), Vec::new(), entries)
    }

    fn lab_indices(log: &Log) -> Vec<Option<u64>> {
        (log.start.index + 1..=log.last()).map(|index| log.lab_index(index)).collect()
    }

    #[test]
    fn the_lab_counts_commands_only() {
        let log = log("-cc-c");
        assert_eq!(lab_indices(&log), [None, Some(1), Some(2), None, Some(3)]);
        assert_eq!(log.last_lab_index(), 3);
    }

    #[test]
    fn the_lab_may_count_as_tikv_does() {
        let log = log_by(Numbering::Entries, "-cc-c");
        assert_eq!(lab_indices(&log), [1, 2, 3, 4, 5].map(Some));
    }

    #[test]
    fn the_count_goes_on_after_a_snapshot() {
        let mut log = log("-cc-c");
        log.compact(2, vec![7]);
        assert_eq!(log.start, Start { index: 3, term: 1, lab_index: 2 });
        assert_eq!(lab_indices(&log), [None, Some(3)]);
        log.compact(1, vec![8]);
        assert_eq!((log.start.lab_index, log.snapshot.as_slice()), (2, &[7][..]));
    }

    #[test]
    fn a_snapshot_that_was_sent_brings_its_count() {
        let mut sender = log("-cc-c");
        sender.compact(2, vec![7]);
        let (start, snapshot) = crate::saved::decode_snapshot(&sender.snapshot(0, 2).unwrap());
        let mut log = log("-");
        log.install(start, snapshot);
        assert_eq!((log.start, log.snapshot.as_slice()), (sender.start, &[7][..]));
        assert_eq!((log.last_lab_index(), log.last()), (2, 3));
    }

    #[test]
    fn an_entry_that_is_replaced_removes_all_entries_after_it() {
        let mut replaced = log("-ccc");
        let entry = Entry { index: 3, term: 2, ..Entry::default() };
        replaced.append(vec![entry]);
        assert_eq!(lab_indices(&replaced), [None, Some(1), None]);
        assert_eq!((replaced.term(3).unwrap(), replaced.last_lab_index()), (2, 1));
    }
}

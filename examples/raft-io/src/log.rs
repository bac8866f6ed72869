//! The log with raft-io's indices and the lab's, and how it is saved.
//!
//! raft-io's leaders begin their term with an entry of their own if some entry is uncommitted, and
//! it has an index like any other. The lab counts commands: its first index is that of the first
//! command. So this log stores for each entry the number of commands up to it: that is its index
//! for the lab. Where two logs agree on an entry they agree on all before it (section 5.3), so all
//! servers get the same numbers. A snapshot carries the number of the commands that it covers.

use std::sync::Arc;

use labrpc::codec;
use raft_io::{EntryKind, HardState, LogEntry, MemoryLog, RaftLog, Result, Snapshot};
use raftapi::Persister;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

/// Which entries have an index of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// The commands: indices are 1, 2, 3, whichever server leads.
    Commands,
    /// All, and the index is raft-io's: an entry of its own is an empty command.
    Entries,
}

/// Everything that a server saves. raft-io's log in memory has the entries.
pub(crate) struct Log {
    numbering: Numbering,
    entries: MemoryLog,
    /// The lab's index of the last entry that the snapshot covers.
    start_lab_index: u64,
    /// For each entry after the snapshot, its index for the lab, or that of the last entry before
    /// it that has one.
    lab_indices: Vec<u64>,
    persister: Arc<Persister>,
    /// Something has changed since the last save.
    must_save: bool,
}

/// What survives a crash: Figure 2's persistent state, and where the log begins.
#[derive(Default, Serialize, Deserialize)]
struct Saved {
    term: u64,
    voted_for: Option<u64>,
    start_index: u64,
    start_term: u64,
    start_lab_index: u64,
    /// The cluster's members, as raft-io stores them with a snapshot.
    config: Vec<u64>,
    entries: Vec<SavedEntry>,
}

#[derive(Serialize, Deserialize)]
struct SavedEntry {
    term: u64,
    is_command: bool,
    bytes: ByteBuf,
}

impl Log {
    /// The log as it was saved last; an empty one if nothing was.
    pub(crate) fn restored(numbering: Numbering, persister: Arc<Persister>) -> Log {
        let raft_state = persister.read_raft_state();
        let saved = if raft_state.is_empty() {
            Saved::default()
        } else {
            codec::decode(&raft_state).expect("what was saved can be read")
        };
        let snapshot = persister.read_snapshot();
        let mut log = Log {
            numbering,
            entries: MemoryLog::new(),
            start_lab_index: 0,
            lab_indices: Vec::new(),
            persister,
            must_save: false,
        };
        log.restore(saved, &snapshot).expect("what was saved is a valid log");
        log.must_save = false;
        log
    }

    fn restore(&mut self, saved: Saved, snapshot: &[u8]) -> Result<()> {
        if saved.start_index > 0 {
            let data = encode_snapshot(saved.start_lab_index, snapshot);
            let (index, term) = (saved.start_index, saved.start_term);
            self.apply_snapshot(&Snapshot::with_config(index, term, saved.config, data))?;
        }
        let entries: Vec<_> = (saved.start_index + 1..).zip(saved.entries).map(restored).collect();
        self.append(&entries)?;
        self.set_hard_state(HardState { term: saved.term, voted_for: saved.voted_for })
    }

    pub(crate) fn numbering(&self) -> Numbering {
        self.numbering
    }

    /// The lab's index of the last entry that the snapshot covers; 0 without one.
    pub(crate) fn start_lab_index(&self) -> u64 {
        self.start_lab_index
    }

    /// The lab's index of the last entry that has one; 0 if there never was one.
    pub(crate) fn last_lab_index(&self) -> u64 {
        self.lab_indices.last().copied().unwrap_or(self.start_lab_index)
    }

    /// The lab's index of the entry at `index`, if it has one.
    pub(crate) fn lab_index(&self, index: u64) -> Option<u64> {
        let entry = self.entries.entry(index).filter(|entry| self.counts(entry))?;
        Some(self.lab_indices[self.position(entry.index)])
    }

    /// The index of the entry with this index of the lab; none if a snapshot covers it, or if there
    /// is none.
    pub(crate) fn index_of(&self, lab_index: u64) -> Option<u64> {
        if lab_index <= self.start_lab_index || lab_index > self.last_lab_index() {
            return None;
        }
        let position = self.lab_indices.partition_point(|&index| index < lab_index);
        Some(self.snapshot_index() + 1 + position as u64)
    }

    fn counts(&self, entry: &LogEntry) -> bool {
        self.numbering == Numbering::Entries || entry.kind == EntryKind::Normal
    }

    /// Where the entry at `index` is or would be. It comes after the snapshot.
    fn position(&self, index: u64) -> usize {
        usize::try_from(index - self.snapshot_index() - 1).expect("a log fits into memory")
    }

    /// Saves state and snapshot together: each is useless with an older version of the other.
    fn save(&self) {
        let HardState { term, voted_for } = self.entries.hard_state();
        let start = self.snapshot_index();
        let snapshot = self.snapshot();
        let saved = Saved {
            term,
            voted_for,
            start_index: start,
            start_term: self.term_at(start).unwrap_or_default(),
            start_lab_index: self.start_lab_index,
            config: snapshot.as_ref().map(|snapshot| snapshot.config.clone()).unwrap_or_default(),
            entries: self.entries(start + 1, self.last_index()).into_iter().map(saved).collect(),
        };
        let raft_state = codec::encode(&saved).expect("plain data has an encoding");
        // The service's own bytes, as the lab made them.
        let snapshot = snapshot.map(|snapshot| decode_snapshot(&snapshot.data).1);
        self.persister.save(raft_state, snapshot.unwrap_or_default());
    }
}

/// raft-io's view. It calls `sync` after each change, and before it sends a message.
impl RaftLog for Log {
    fn last_index(&self) -> u64 {
        self.entries.last_index()
    }

    fn last_term(&self) -> u64 {
        self.entries.last_term()
    }

    fn term_at(&self, index: u64) -> Option<u64> {
        self.entries.term_at(index)
    }

    fn entry(&self, index: u64) -> Option<LogEntry> {
        self.entries.entry(index)
    }

    fn entries(&self, from: u64, to: u64) -> Vec<LogEntry> {
        self.entries.entries(from, to)
    }

    fn append(&mut self, entries: &[LogEntry]) -> Result<()> {
        self.entries.append(entries)?;
        for entry in entries {
            let lab_index = self.last_lab_index() + u64::from(self.counts(entry));
            self.lab_indices.push(lab_index);
        }
        self.must_save = true;
        Ok(())
    }

    fn truncate(&mut self, from: u64) -> Result<()> {
        self.entries.truncate(from)?;
        self.lab_indices.truncate(self.position(from));
        self.must_save = true;
        Ok(())
    }

    fn hard_state(&self) -> HardState {
        self.entries.hard_state()
    }

    fn set_hard_state(&mut self, state: HardState) -> Result<()> {
        self.must_save |= state != self.entries.hard_state();
        self.entries.set_hard_state(state)
    }

    fn sync(&mut self) -> Result<()> {
        if self.must_save {
            self.save();
            self.must_save = false;
        }
        Ok(())
    }

    fn snapshot_index(&self) -> u64 {
        self.entries.snapshot_index()
    }

    fn snapshot(&self) -> Option<Snapshot> {
        self.entries.snapshot()
    }

    /// A snapshot of the service, or one that the leader sent.
    fn apply_snapshot(&mut self, snapshot: &Snapshot) -> Result<()> {
        if snapshot.index <= self.snapshot_index() {
            return Ok(());
        }
        self.entries.apply_snapshot(snapshot)?;
        self.start_lab_index = decode_snapshot(&snapshot.data).0;
        // The entries that are left are the last ones.
        self.lab_indices.drain(..self.lab_indices.len() - self.entries.len());
        self.must_save = true;
        Ok(())
    }
}

fn saved(entry: LogEntry) -> SavedEntry {
    let is_command = entry.kind == EntryKind::Normal;
    SavedEntry { term: entry.term, is_command, bytes: ByteBuf::from(entry.command) }
}

fn restored((index, saved): (u64, SavedEntry)) -> LogEntry {
    let kind = if saved.is_command { EntryKind::Normal } else { EntryKind::Config };
    LogEntry { term: saved.term, index, kind, command: saved.bytes.into_vec() }
}

/// The service's snapshot for raft-io, with the lab's index of the last command that it covers.
pub(crate) fn encode_snapshot(lab_index: u64, snapshot: &[u8]) -> Vec<u8> {
    codec::encode(&(lab_index, Bytes::new(snapshot))).expect("plain data has an encoding")
}

/// The arguments of [`encode_snapshot`].
pub(crate) fn decode_snapshot(data: &[u8]) -> (u64, Vec<u8>) {
    let (lab_index, bytes): (u64, ByteBuf) =
        codec::decode(data).expect("a server of this cluster encoded it");
    (lab_index, bytes.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of one term: `c` is a command, `-` an entry that raft-io adds.
    fn log(kinds: &str) -> Log {
        let entry = |(kind, index): (char, u64)| {
            let kind = if kind == 'c' { EntryKind::Normal } else { EntryKind::Config };
            LogEntry { term: 1, index, kind, command: vec![7] }
        };
        let mut log = Log::restored(Numbering::Commands, Arc::default());
        log.append(&kinds.chars().zip(1..).map(entry).collect::<Vec<_>>()).unwrap();
        log
    }

    fn lab_indices(log: &Log) -> Vec<Option<u64>> {
        (log.snapshot_index() + 1..=log.last_index()).map(|index| log.lab_index(index)).collect()
    }

    #[test]
    fn the_lab_counts_commands_only() {
        let log = log("-cc-c");
        assert_eq!(lab_indices(&log), [None, Some(1), Some(2), None, Some(3)]);
        assert_eq!(
            [1, 2, 3, 4].map(|index| log.index_of(index)),
            [Some(2), Some(3), Some(5), None]
        );
    }

    #[test]
    fn the_count_goes_on_after_a_snapshot() {
        let mut log = log("-cc-c");
        log.apply_snapshot(&Snapshot::new(3, 1, encode_snapshot(2, &[8]))).unwrap();
        assert_eq!(lab_indices(&log), [None, Some(3)]);
        assert_eq!((log.index_of(2), log.index_of(3)), (None, Some(5)));
    }

    #[test]
    fn a_snapshot_of_another_log_replaces_this_one() {
        let mut log = log("-c");
        log.apply_snapshot(&Snapshot::new(9, 3, encode_snapshot(6, &[8]))).unwrap();
        assert_eq!((lab_indices(&log).len(), log.last_lab_index(), log.last_index()), (0, 6, 9));
    }

    #[test]
    fn what_was_saved_is_the_log_after_a_crash() {
        let mut log = log("-cc-c");
        log.apply_snapshot(&Snapshot::with_config(2, 1, vec![0, 1], encode_snapshot(1, &[8])))
            .unwrap();
        log.set_hard_state(HardState { term: 4, voted_for: Some(2) }).unwrap();
        log.sync().unwrap();
        let again = Log::restored(Numbering::Commands, Arc::clone(&log.persister));
        assert_eq!(again.persister.read_snapshot(), [8]);
        assert_eq!(lab_indices(&again), lab_indices(&log));
        assert_eq!(again.hard_state(), log.hard_state());
        assert_eq!(again.snapshot(), log.snapshot());
        assert_eq!(again.entries(3, 5), log.entries(3, 5));
    }
}

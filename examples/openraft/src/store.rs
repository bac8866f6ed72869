//! The state that a server saves, with openraft's indices and the lab's.
//!
//! openraft's log begins with an entry at index 0 that names the members, and its leaders begin
//! their term with a blank entry. The lab counts commands: its first index is that of the first
//! command. So this log stores for each entry the number of commands up to it: that is its index
//! for the lab. Where two logs agree on an entry they agree on all before it (section 5.3), so all
//! servers get the same numbers. A snapshot carries the number of the commands that it covers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use labrpc::codec;
use openraft::{CommittedLeaderId, EntryPayload, Membership};
use raftapi::{Inspect, Persister, Role, Started};
use serde::{Deserialize, Serialize};

use crate::types::{Command, Entry, LogId, Snapshot, SnapshotMeta, StoredMembership, Vote};

/// Which entries have an index of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// The commands: indices are 1, 2, 3, whichever server leads.
    Commands,
    /// All but the one at index 0, and the index is openraft's: a blank entry is an empty command.
    Entries,
}

/// Everything that a server knows about its log, saved or about to be saved.
pub(crate) struct Store {
    me: u64,
    numbering: Numbering,
    membership: StoredMembership,
    persister: Arc<Persister>,
    saved: Saved,
    /// The entries that openraft may still ask for. Those that the snapshot covers are no longer
    /// saved, but stay until openraft purges them: it may be sending them.
    slots: BTreeMap<u64, Slot>,
    /// openraft asks for no entry up to this one.
    purged: Option<LogId>,
    /// The vote is from before the server started.
    is_vote_old: bool,
    /// The lab's index of the last message that was handed over.
    pub(crate) last_applied: u64,
    /// The callers that wait for the index of their command.
    tickets: BTreeMap<u64, SyncSender<Option<Started>>>,
    next_ticket: u64,
}

/// What survives a crash, besides the service's bytes.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Saved {
    vote: Option<Vote>,
    /// The last vote that was given, with its term: Figure 2's votedFor. openraft's own vote is not
    /// the same: it becomes the leader when the server hears from one, and any higher vote that
    /// comes in an answer, whatever the log of that candidate is.
    given: Option<(u64, u64)>,
    /// A change of this alone is not saved: a server that has forgotten it learns it again.
    committed: Option<LogId>,
    snapshot: Option<SavedSnapshot>,
    /// From the entry after the snapshot on. Filled when it is saved.
    entries: Vec<Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
struct SavedSnapshot {
    last: LogId,
    lab_index: u64,
}

struct Slot {
    entry: Entry,
    /// Its index for the lab, or that of the last entry before it that has one.
    lab_index: u64,
}

impl Store {
    /// The store as it was saved last. At a server's first start its log has the one entry that
    /// openraft's `initialize` would write, but no election begins.
    pub(crate) fn restored(
        me: u64,
        numbering: Numbering,
        servers: u64,
        persister: Arc<Persister>,
    ) -> Store {
        let members: BTreeSet<u64> = (0..servers).collect();
        let membership = Membership::new(vec![members], ());
        let first = LogId::new(CommittedLeaderId::new(0, 0), 0);
        let raft_state = persister.read_raft_state();
        let mut saved = if raft_state.is_empty() {
            let payload = EntryPayload::Membership(membership.clone());
            Saved { entries: vec![Entry { log_id: first, payload }], ..Saved::default() }
        } else {
            codec::decode(&raft_state).expect("what was saved can be read")
        };
        let entries = std::mem::take(&mut saved.entries);
        let snapshot = saved.snapshot.as_ref();
        let mut store = Store {
            me,
            numbering,
            membership: StoredMembership::new(Some(first), membership),
            persister,
            last_applied: snapshot.map_or(0, |snapshot| snapshot.lab_index),
            purged: snapshot.map(|snapshot| snapshot.last),
            saved,
            slots: BTreeMap::new(),
            is_vote_old: true,
            tickets: BTreeMap::new(),
            next_ticket: 0,
        };
        store.insert(entries);
        store
    }

    pub(crate) fn vote(&self) -> Option<Vote> {
        self.saved.vote
    }

    /// Saves openraft's vote. True if this server stands for election.
    pub(crate) fn set_vote(&mut self, vote: Vote) -> bool {
        let stands = self.is_own(&vote) && !vote.is_committed();
        if stands {
            self.saved.given = Some((vote.leader_id().get_term(), self.me));
        }
        self.saved.vote = Some(vote);
        self.is_vote_old = false;
        self.save();
        stands
    }

    /// A vote is about to be given to a candidate. openraft has saved its own state already.
    pub(crate) fn give(&mut self, vote: &Vote) {
        let candidate = vote.leader_id().voted_for().expect("a candidate has voted for itself");
        let given = Some((vote.leader_id().get_term(), candidate));
        if self.saved.given != given {
            self.saved.given = given;
            self.save();
        }
    }

    pub(crate) fn committed(&self) -> Option<LogId> {
        self.saved.committed
    }

    pub(crate) fn set_committed(&mut self, committed: Option<LogId>) {
        self.saved.committed = committed;
    }

    /// The last entry that openraft no longer asks for, and the last entry.
    pub(crate) fn ends(&self) -> (Option<LogId>, Option<LogId>) {
        let last = self.slots.last_key_value().map(|(_, slot)| slot.entry.log_id);
        (self.purged, last.max(self.purged))
    }

    pub(crate) fn entries(&self, range: impl RangeBounds<u64>) -> Vec<Entry> {
        self.slots.range(range).map(|(_, slot)| slot.entry.clone()).collect()
    }

    /// The lab's index of the entry at `index`, if it has one.
    pub(crate) fn lab_index(&self, index: u64) -> Option<u64> {
        let slot = self.slots.get(&index)?;
        self.counts(&slot.entry).then_some(slot.lab_index)
    }

    /// False if the snapshot before an entry at `index` is still missing.
    pub(crate) fn reaches(&self, index: u64) -> bool {
        let last = self.slots.last_key_value().map(|(index, _)| *index);
        last.max(self.snapshot_index()).is_some_and(|last| index <= last + 1)
    }

    /// Puts entries at the end of the log, saves them, and answers the callers that wait for them.
    pub(crate) fn append(&mut self, entries: Vec<Entry>) {
        let tickets: Vec<_> = entries
            .iter()
            .filter_map(|entry| match &entry.payload {
                EntryPayload::Normal(command) => Some((command.ticket?, entry.log_id)),
                _ => None,
            })
            .collect();
        self.insert(entries);
        self.save();
        for (ticket, id) in tickets {
            let index = self.lab_index(id.index).expect("a command has an index");
            self.answer(ticket, Some(Started { index, term: id.leader_id.term }));
        }
    }

    /// Removes the entries from `index` on.
    pub(crate) fn truncate(&mut self, index: u64) {
        self.slots.split_off(&index);
        self.save();
    }

    /// openraft no longer needs the entries up to this one. If a snapshot from the leader replaces
    /// them, openraft calls this before the snapshot is installed. The entries stay until then,
    /// since the saved log must have no gap.
    pub(crate) fn purge(&mut self, upto: LogId) {
        self.purged = Some(upto);
        self.forget();
    }

    /// The service has made a snapshot. One that is not newer than the saved snapshot is ignored.
    pub(crate) fn compact(&mut self, lab_index: u64, snapshot: Vec<u8>) {
        let has_index = |slot: &&Slot| slot.lab_index == lab_index && self.counts(&slot.entry);
        let Some(last) = self.slots.values().find(has_index).map(|slot| slot.entry.log_id) else {
            return;
        };
        if Some(last.index) > self.snapshot_index() {
            self.set_snapshot(SavedSnapshot { last, lab_index }, snapshot);
        }
    }

    /// A snapshot has come from the leader.
    pub(crate) fn install(&mut self, last: LogId, snapshot: Snapshot) {
        let lab_index = snapshot.lab_index;
        self.set_snapshot(SavedSnapshot { last, lab_index }, snapshot.bytes.into_vec());
    }

    /// The saved snapshot, as openraft describes it.
    pub(crate) fn snapshot(&self) -> Option<(SnapshotMeta, Snapshot)> {
        let SavedSnapshot { last, lab_index } = self.saved.snapshot.clone()?;
        let meta = SnapshotMeta {
            last_log_id: Some(last),
            last_membership: self.membership.clone(),
            snapshot_id: last.to_string(),
        };
        let bytes = self.persister.read_snapshot().into();
        Some((meta, Snapshot { lab_index, bytes }))
    }

    /// The state of a service that starts from the snapshot.
    pub(crate) fn applied_state(&self) -> (Option<LogId>, StoredMembership) {
        match &self.saved.snapshot {
            Some(snapshot) => (Some(snapshot.last), self.membership.clone()),
            None => (None, StoredMembership::default()),
        }
    }

    /// The command, with a ticket for `asked`.
    pub(crate) fn ticket(&mut self, bytes: Vec<u8>, asked: SyncSender<Option<Started>>) -> Command {
        self.next_ticket += 1;
        self.tickets.insert(self.next_ticket, asked);
        Command { bytes: bytes.into(), ticket: Some(self.next_ticket) }
    }

    pub(crate) fn answer(&mut self, ticket: u64, answer: Option<Started>) {
        if let Some(asked) = self.tickets.remove(&ticket) {
            // The caller may have given up.
            let _ = asked.send(answer);
        }
    }

    /// The server ends: the callers that still wait get no answer.
    pub(crate) fn close(&mut self) {
        self.tickets.clear();
    }

    /// The term, and whether this server leads it. For openraft a leader is a server whose own
    /// vote is committed, also after a restart.
    pub(crate) fn state(&self) -> (u64, bool) {
        let vote = self.saved.vote.unwrap_or_default();
        (vote.leader_id().get_term(), self.is_own(&vote) && vote.is_committed())
    }

    /// Figure 2's state, if the lab uses openraft's indices. Otherwise the log would lack the terms
    /// of the blank entries, and votes depend on these.
    pub(crate) fn inspect(&self) -> Option<Inspect> {
        if self.numbering != Numbering::Entries {
            return None;
        }
        let vote = self.saved.vote.unwrap_or_default();
        let (current_term, leads) = self.state();
        let start = self.snapshot_index().unwrap_or(0);
        let last = self.saved.snapshot.as_ref().map(|snapshot| snapshot.last);
        let given = self.saved.given.filter(|(term, _)| *term == current_term);
        Some(Inspect {
            role: match leads {
                true => Role::Leader,
                false if self.is_own(&vote) && !self.is_vote_old => Role::Candidate,
                false => Role::Follower,
            },
            current_term,
            voted_for: given.map(|(_, server)| server as usize),
            log_terms: self.after(start).map(|slot| slot.entry.log_id.leader_id.term).collect(),
            commit_index: self.saved.committed.max(last).map_or(0, |committed| committed.index),
            last_applied: self.last_applied,
            last_included_index: start,
            last_included_term: last.map_or(0, |last| last.leader_id.term),
        })
    }

    fn is_own(&self, vote: &Vote) -> bool {
        vote.leader_id().voted_for() == Some(self.me)
    }

    fn snapshot_index(&self) -> Option<u64> {
        self.saved.snapshot.as_ref().map(|snapshot| snapshot.last.index)
    }

    fn after(&self, index: u64) -> impl Iterator<Item = &Slot> {
        self.slots.range(index + 1..).map(|(_, slot)| slot)
    }

    fn counts(&self, entry: &Entry) -> bool {
        match self.numbering {
            Numbering::Commands => matches!(entry.payload, EntryPayload::Normal(_)),
            Numbering::Entries => entry.log_id.index > 0,
        }
    }

    fn insert(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let index = entry.log_id.index;
            let before = self.slots.range(..index).next_back().map(|(_, slot)| slot.lab_index);
            let start = self.saved.snapshot.as_ref().map(|snapshot| snapshot.lab_index);
            let before = before.max(start).unwrap_or(0);
            let lab_index = before + u64::from(self.counts(&entry));
            self.slots.insert(index, Slot { entry, lab_index });
        }
    }

    fn set_snapshot(&mut self, snapshot: SavedSnapshot, bytes: Vec<u8>) {
        self.saved.snapshot = Some(snapshot);
        self.forget();
        self.save_with(bytes);
    }

    /// Forgets the entries that neither openraft nor a restart needs.
    fn forget(&mut self) {
        let purged = self.purged.map(|purged| purged.index);
        if let Some(index) = purged.min(self.snapshot_index()) {
            self.slots = self.slots.split_off(&(index + 1));
        }
    }

    fn save(&self) {
        self.save_with(self.persister.read_snapshot());
    }

    /// Saves state and snapshot together: each is useless with an older version of the other.
    fn save_with(&self, snapshot: Vec<u8>) {
        let entries = match self.snapshot_index() {
            Some(index) => self.entries(index + 1..),
            None => self.entries(..),
        };
        let saved = Saved { entries, ..self.saved.clone() };
        let raft_state = codec::encode(&saved).expect("plain data has an encoding");
        self.persister.save(raft_state, snapshot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of one term after the entry with the members: `c` is a command, `-` a blank entry.
    fn store(kinds: &str) -> Store {
        let mut store = Store::restored(0, Numbering::Commands, 3, Arc::default());
        store.append(entries(1, kinds));
        store
    }

    fn entries(first: u64, kinds: &str) -> Vec<Entry> {
        let entry = |(kind, index): (char, u64)| {
            let command = Command { bytes: vec![7].into(), ticket: None };
            let payload =
                if kind == 'c' { EntryPayload::Normal(command) } else { EntryPayload::Blank };
            Entry { log_id: id(index), payload }
        };
        kinds.chars().zip(first..).map(entry).collect()
    }

    fn id(index: u64) -> LogId {
        LogId::new(CommittedLeaderId::new(1, 0), index)
    }

    fn lab_indices(store: &Store) -> Vec<Option<u64>> {
        store.slots.keys().map(|index| store.lab_index(*index)).collect()
    }

    fn again(store: &Store) -> Store {
        Store::restored(0, Numbering::Commands, 3, Arc::clone(&store.persister))
    }

    #[test]
    fn the_lab_counts_commands_only() {
        assert_eq!(lab_indices(&store("-cc-c")), [None, None, Some(1), Some(2), None, Some(3)]);
    }

    #[test]
    fn what_a_snapshot_covers_is_saved_no_more_but_kept_until_it_is_purged() {
        let mut store = store("-cc-c");
        store.compact(2, vec![8]);
        assert_eq!(lab_indices(&store).len(), 6);
        assert_eq!(lab_indices(&again(&store)), [None, Some(3)]);
        assert_eq!(again(&store).persister.read_snapshot(), [8]);
        store.purge(id(3));
        assert_eq!(lab_indices(&store), [None, Some(3)]);
        store.compact(1, vec![9]);
        assert_eq!(store.persister.read_snapshot(), [8]);
    }

    #[test]
    fn entries_after_a_snapshot_wait_for_it() {
        let mut store = store("-c");
        store.purge(id(9));
        assert_eq!((store.reaches(3), store.reaches(10)), (true, false));
        assert_eq!(lab_indices(&again(&store)), [None, None, Some(1)]);
        store.install(id(9), Snapshot { lab_index: 6, bytes: vec![8].into() });
        assert!(store.reaches(10));
        store.append(entries(10, "-c"));
        assert_eq!(lab_indices(&again(&store)), [None, Some(7)]);
        assert_eq!(again(&store).ends(), (Some(id(9)), Some(id(11))));
    }

    #[test]
    fn a_vote_is_remembered_when_another_server_leads_its_term() {
        let mut store = Store::restored(0, Numbering::Entries, 3, Arc::default());
        store.set_vote(Vote::new(4, 1));
        assert_eq!(store.inspect().unwrap().voted_for, None);
        store.give(&Vote::new(4, 1));
        store.set_vote(Vote::new_committed(4, 2));
        assert_eq!(store.inspect().unwrap().voted_for, Some(1));
        store.set_vote(Vote::new_committed(5, 2));
        assert_eq!(store.inspect().unwrap().voted_for, None);
    }
}

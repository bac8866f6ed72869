//! The log of a server at any event: for each index, when its entry changed.

use std::collections::BTreeMap;

/// The entries of a server through a run.
#[derive(Debug, Default)]
pub(super) struct Logs {
    /// By index: the event of each change, and the term from then on; none for no entry.
    changes: BTreeMap<u64, Vec<(usize, Option<u64>)>>,
    /// The snapshot's index and the last index, now.
    now: (u64, u64),
}

impl Logs {
    /// A new cluster: the log is empty.
    pub(super) fn begin(&mut self, event: usize) {
        self.take(event, (0, 0), &[], None);
    }

    /// Takes in the log as it is after an event: what the snapshot covers, and the terms of the
    /// entries after it. Entries changed from the index `changed` on, unless the log only lost its
    /// beginning or its end.
    pub(super) fn take(
        &mut self,
        event: usize,
        snapshot: (u64, u64),
        terms: &[u64],
        changed: Option<u64>,
    ) {
        let old = self.now;
        let last = snapshot.0.saturating_add(terms.len() as u64);
        if snapshot.0 != old.0 {
            // The entry at the end of a snapshot is known by its term alone.
            (old.0..snapshot.0.min(old.1.saturating_add(1)))
                .for_each(|index| self.set(event, index, None));
            self.set(event, snapshot.0, (snapshot.0 > 0).then_some(snapshot.1));
        }
        let first = snapshot.0.saturating_add(1);
        let end = last.saturating_add(1);
        // After a restart or a snapshot that replaced the log, all entries can be others.
        let from = changed.unwrap_or(end).clamp(first.min(end), end);
        for index in from..end {
            let place = usize::try_from(index - first).unwrap_or(usize::MAX);
            self.set(event, index, terms.get(place).copied());
        }
        // Only those that were there: a snapshot's index can be any number.
        let dropped: Vec<u64> = match end <= old.1 {
            true => self.changes.range(end..=old.1).map(|(index, _)| *index).collect(),
            false => Vec::new(),
        };
        dropped.into_iter().for_each(|index| self.set(event, index, None));
        self.now = (snapshot.0, last);
    }

    /// The term of the entry at an index after an event.
    pub(super) fn term_at(&self, event: usize, index: u64) -> Option<u64> {
        let changes = self.changes.get(&index)?;
        let next = changes.partition_point(|(at, _)| *at <= event);
        changes[next.checked_sub(1)?].1
    }

    fn set(&mut self, event: usize, index: u64, term: Option<u64>) {
        let changes = self.changes.entry(index).or_default();
        if changes.last().is_none_or(|(_, last)| *last != term) {
            changes.push((event, term));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_its_term_until_it_is_overwritten_or_dropped() {
        let mut logs = Logs::default();
        logs.take(1, (0, 0), &[1, 1, 2], Some(1));
        logs.take(2, (0, 0), &[1, 3], Some(2));
        logs.take(3, (0, 0), &[1], Some(2));
        let at = |event| [1, 2, 3].map(|index| logs.term_at(event, index));
        assert_eq!(at(0), [None, None, None]);
        assert_eq!(at(1), [Some(1), Some(1), Some(2)]);
        assert_eq!(at(2), [Some(1), Some(3), None]);
        assert_eq!(at(9), [Some(1), None, None]);
    }

    #[test]
    fn a_snapshot_leaves_the_term_of_its_last_entry() {
        let mut logs = Logs::default();
        logs.take(1, (0, 0), &[1, 1, 2], Some(1));
        logs.take(2, (2, 1), &[2], None);
        logs.take(3, (7, 4), &[], None);
        let at = |event| [1, 2, 3, 7].map(|index| logs.term_at(event, index));
        assert_eq!(at(2), [None, Some(1), Some(2), None]);
        assert_eq!(at(3), [None, None, None, Some(4)]);
        logs.begin(4);
        assert_eq!(logs.term_at(4, 7), None);
    }
}

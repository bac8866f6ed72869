//! A sample: the state that one peer's `inspect` showed at one instant, and its difference from the
//! sample before.
//!
//! The state was copied at some instant between two moments of the history: when it was asked for,
//! and when the answer was recorded. Conclusions about two peers use this order and never the
//! clock.

use std::sync::Arc;

use history::Moment;
use raftapi::Inspect;

/// One answer of `inspect`.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) server: usize,
    pub(crate) at: Moment,
    /// When it was asked for: the state was copied after every earlier event.
    pub(crate) asked: Moment,
    /// Whether no RPC handler of the peer was running when the answer was recorded. If so, each
    /// handler that had begun before the state was copied had returned.
    pub(crate) quiet: bool,
    /// The maximum number of RPC handlers that ran between the sample before and this one.
    pub(crate) handlers: usize,
    pub(crate) state: Arc<Inspect>,
}

/// A sample and the one before it, of the same incarnation.
pub(crate) struct Transition<'a> {
    pub(crate) now: &'a Sample,
    pub(crate) before: Option<&'a Sample>,
    /// The lowest index at which both logs have an entry, but of different terms. The last entry of
    /// a snapshot counts.
    pub(crate) differs_at: Option<u64>,
    /// The sample before did not show the entries from this index on.
    pub(crate) new_from: u64,
}

impl<'a> Transition<'a> {
    /// Compares the two logs in one pass.
    pub(crate) fn new(before: Option<&'a Sample>, now: &'a Sample) -> Transition<'a> {
        let new = &now.state;
        let differs_at = before.and_then(|before| first_difference(&before.state, new));
        let known_up_to = before.map_or(0, |before| before.state.last_index());
        let new_from = differs_at.unwrap_or(known_up_to + 1).max(new.last_included_index + 1);
        Transition { now, before, differs_at, new_from }
    }

    /// The entries that the sample before did not show: index, term, and the term of the entry
    /// before.
    pub(crate) fn new_entries(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let state = &self.now.state;
        (self.new_from..=state.last_index())
            .filter_map(|index| Some((index, state.term_at(index)?, state.term_at(index - 1)?)))
    }
}

fn first_difference(old: &Inspect, new: &Inspect) -> Option<u64> {
    let first = old.last_included_index.max(new.last_included_index);
    let last = old.last_index().min(new.last_index());
    if first > last {
        return None;
    }
    if old.term_at(first) != new.term_at(first) {
        return Some(first);
    }
    let part = |state: &'_ Inspect| {
        let skip = usize::try_from(first - state.last_included_index).expect("a log in memory");
        let count = usize::try_from(last - first).expect("a log in memory");
        skip..skip + count
    };
    let (old, new) = (&old.log_terms[part(old)], &new.log_terms[part(new)]);
    if old == new {
        return None;
    }
    let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    Some(first + 1 + same as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: (u64, &[u64]), new: (u64, &[u64]), differs_at: Option<u64>, entries: &[u64]) {
        let sample = |(last_included_index, terms): (u64, &[u64])| Sample {
            server: 0,
            at: Moment::default(),
            asked: Moment::default(),
            quiet: true,
            handlers: 0,
            state: Arc::new(Inspect {
                last_included_index,
                last_included_term: u64::from(last_included_index > 0),
                log_terms: terms.to_vec(),
                ..Inspect::default()
            }),
        };
        let (old, new) = (sample(old), sample(new));
        let look = Transition::new(Some(&old), &new);
        let indices: Vec<u64> = look.new_entries().map(|(index, ..)| index).collect();
        assert_eq!((look.differs_at, &indices[..]), (differs_at, entries));
    }

    #[test]
    fn two_logs_are_compared_where_both_have_entries() {
        check((0, &[]), (0, &[1, 1]), None, &[1, 2]);
        check((0, &[1, 1]), (0, &[1, 1]), None, &[]);
        check((0, &[1, 1, 2]), (0, &[1, 3]), Some(2), &[2]);
        check((0, &[1, 1, 2]), (0, &[1]), None, &[]);
        check((0, &[1, 1, 2]), (2, &[2, 2]), None, &[4]);
        check((0, &[1, 2, 2]), (2, &[2]), Some(2), &[3]);
        check((0, &[1]), (5, &[2]), None, &[6]);
        check((3, &[2, 2]), (1, &[1, 1, 2, 2, 2]), None, &[6]);
    }
}

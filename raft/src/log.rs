//! The log (section 5.3), as far as an election looks at it (section 5.4.1).

use serde::{Deserialize, Serialize};

/// A command, with the term in which a leader took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) term: u64,
    pub(crate) command: Vec<u8>,
}

/// The entries of one server; the first has index 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Log {
    entries: Vec<Entry>,
}

impl Log {
    /// The index of the last entry; 0 for an empty log.
    pub(crate) fn last_index(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The term of the last entry; 0 for an empty log.
    pub(crate) fn last_term(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.term)
    }

    /// Whether a log that ends with this index and term is at least as up to date as this one: the
    /// later last term wins, and of two with the same the longer log (section 5.4.1).
    pub(crate) fn is_no_newer_than(&self, last_index: u64, last_term: u64) -> bool {
        (last_term, last_index) >= (self.last_term(), self.last_index())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_last_term_wins_and_then_the_longer_log() {
        let entries = [1, 1, 2].map(|term| Entry { term, command: vec![] });
        let log = Log { entries: entries.into() };
        let check = |last_index, last_term, expected| {
            let answer = log.is_no_newer_than(last_index, last_term);
            assert_eq!(answer, expected, "a log that ends at {last_index} in term {last_term}");
        };
        check(3, 2, true);
        check(4, 2, true);
        check(2, 2, false);
        check(1, 3, true);
        check(9, 1, false);
        assert!(Log::default().is_no_newer_than(0, 0));
    }
}

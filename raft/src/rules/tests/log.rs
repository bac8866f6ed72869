//! The log with its snapshot's end: indices count from 1, over all entries that were ever there.

use super::{entries, entry, terms};
use crate::rules::log::Log;

/// Entries 1 to 6, of which the first two are forgotten.
fn log() -> Log {
    let mut log = Log::default();
    for entry in entries(1, &[1, 1, 2, 2, 4, 4]) {
        log.append(entry);
    }
    log.forget_up_to(2);
    log
}

#[test]
fn an_empty_log_ends_with_index_and_term_zero() {
    let log = Log::default();
    assert_eq!((log.last_index(), log.last_term()), (0, 0));
    assert_eq!((log.term_at(0), log.term_at(1)), (Some(0), None));
    assert!(log.is_no_newer_than(0, 0));
}

#[test]
fn forgotten_entries_leave_the_indices_as_they_were() {
    let log = log();
    assert_eq!((log.last_included_index(), log.last_included_term()), (2, 1));
    assert_eq!((log.last_index(), log.last_term()), (6, 4));
    assert_eq!((log.get(2), log.get(3), log.get(7)), (None, Some(&entry(3, 2)), None));
    assert_eq!([0, 1, 2, 3, 6, 7].map(|i| log.term_at(i)), {
        [None, None, Some(1), Some(2), Some(4), None]
    });
}

#[test]
fn a_log_without_entries_continues_after_its_snapshot() {
    let mut log = log();
    log.forget_up_to(6);
    assert_eq!((log.last_index(), log.last_term()), (6, 4));
    assert_eq!(log.append(entry(7, 5)), 7);
    log.start_over(20, 6);
    assert_eq!((log.last_index(), log.last_term(), log.term_at(20)), (20, 6, Some(6)));
    assert_eq!(log.entries_from(21, 100), []);
}

#[test]
fn a_message_has_entries_up_to_a_size_but_at_least_one() {
    let log = log();
    let size = entry(3, 2).command.len();
    let count = |bytes_max| log.entries_from(3, bytes_max).len();
    assert_eq!([0, size, 2 * size - 1, 2 * size, 100 * size].map(count), [1, 1, 1, 2, 4]);
    assert_eq!(log.entries_from(5, 100), entries(5, &[4, 4]));
}

#[test]
fn the_ends_of_a_term_are_found() {
    let log = log();
    assert_eq!([3, 4, 5, 6].map(|i| log.first_index_of_term_at(i)), [3, 3, 5, 5]);
    assert_eq!([1, 2, 3, 4].map(|t| log.last_index_of_term(t, 6)), {
        [Some(2), Some(4), None, Some(6)]
    });
    assert_eq!(log.last_index_of_term(4, 5), Some(5));
    assert_eq!(log.last_index_of_term(4, 4), None);
    assert_eq!(log.last_index_of_term(1, 1), None, "it is forgotten");
    assert_eq!(log.last_index_of_term(4, 99), Some(6));
}

/// Figure 2, AppendEntries, receiver implementation, 3 and 4.
#[test]
fn only_a_conflict_removes_entries() {
    let check = |prev_index: u64, new: &[u64], changes: bool, expected: &[u64]| {
        let mut log = log();
        assert_eq!(log.merge(prev_index, entries(prev_index + 1, new)), changes);
        assert_eq!(terms(&log), expected, "{new:?} after {prev_index}");
    };
    check(6, &[], false, &[2, 2, 4, 4]);
    check(2, &[], false, &[2, 2, 4, 4]);
    check(2, &[2, 2], false, &[2, 2, 4, 4]);
    check(2, &[2, 2, 4, 4], false, &[2, 2, 4, 4]);
    check(4, &[4, 4, 5], true, &[2, 2, 4, 4, 5]);
    check(6, &[5, 5], true, &[2, 2, 4, 4, 5, 5]);
    check(3, &[3], true, &[2, 3]);
    check(2, &[2, 5, 5], true, &[2, 5, 5]);
    // They begin in the snapshot, or end there.
    check(0, &[1], false, &[2, 2, 4, 4]);
    check(0, &[1, 1, 2, 3], true, &[2, 3]);
    check(1, &[1, 2, 2, 4, 4, 4], true, &[2, 2, 4, 4, 4]);
}

//! The faults of raft-io that the labs found, shown without the lab.
//!
//! Each test shows what raft-io does today. If one fails, a new version has repaired the fault.
//! Then the tests that CI leaves out (see `README.md`) can be run again.

use raft_io::{
    Action, AppendEntries, Event, InstallSnapshot, LogEntry, Message, RaftConfig, RaftLog,
    RaftNode, Snapshot,
};

/// A follower that has committed and applied commands up to this index.
fn follower(applied: u64) -> RaftNode {
    let mut node = RaftNode::new(RaftConfig::new(1, [0, 1, 2]).with_max_batch(2));
    append(&mut node, 0, applied, applied);
    assert_eq!((node.commit_index(), node.last_applied()), (applied, applied));
    node
}

/// The leader sends the entries after `prev` up to `last`, and how far it has committed.
fn append(node: &mut RaftNode, prev: u64, last: u64, leader_commit: u64) {
    let entries = (prev + 1..=last).map(|index| LogEntry::new(1, index, vec![7])).collect();
    let prev_log_term = u64::from(prev > 0);
    let message = AppendEntries {
        term: 1,
        leader: 0,
        prev_log_index: prev,
        prev_log_term,
        entries,
        leader_commit,
    };
    node.step(Event::Message(Message::AppendEntries(message))).unwrap();
}

/// Figure 2: the commit index increases monotonically. A leader that has not received a follower's
/// answers sends it a batch that ends before what the follower has committed, while the leader
/// itself has committed more. Then the follower's commit index falls to the end of the batch.
#[test]
fn the_commit_index_falls_when_old_entries_come_again() {
    let mut node = follower(6);
    append(&mut node, 1, 3, 7);
    assert_eq!((node.commit_index(), node.last_applied()), (3, 6));
}

/// The same with entries that the follower's snapshot covers.
#[test]
fn the_commit_index_falls_to_the_snapshot() {
    let mut node = follower(6);
    node.step(Event::Snapshot { index: 4, data: vec![8] }).unwrap();
    append(&mut node, 1, 3, 7);
    assert_eq!((node.commit_index(), node.last_applied()), (4, 6));
}

/// Section 7: a snapshot is installed only if it has something new. The fallen commit index makes
/// an old snapshot look new, and the service goes back to an older state.
#[test]
fn the_service_goes_back_to_an_older_snapshot() {
    let mut node = follower(6);
    append(&mut node, 1, 3, 7);
    let snapshot = Snapshot::new(5, 1, vec![8]);
    let message = InstallSnapshot { term: 1, leader: 0, snapshot };
    let actions = node.step(Event::Message(Message::InstallSnapshot(message))).unwrap();
    assert!(actions.iter().any(|act| matches!(act, Action::RestoreSnapshot { index: 5, .. })));
    assert_eq!((node.last_applied(), node.log().last_index()), (5, 6));
}

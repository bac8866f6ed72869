//! Section 7, log compaction: snapshots of the service, and of the leader.

use std::time::Duration;

use raftapi::{ApplyMsg, Persister};

use super::{
    HandClock, append, applied, apply_all, carry, command, converse, leader, progress, save,
    sent_to, server, terms, time_out,
};
use crate::rules::messages::{InstallSnapshotArgs, InstallSnapshotReply, Request};
use crate::rules::progress::HEARTBEAT_INTERVAL;
use crate::rules::state::{Role, State};

/// A server in term 2 that has applied its four entries, of the terms 1 1 2 2.
fn with_four_applied() -> State {
    let clock = HandClock::new();
    let mut server = server(1, 3, 2, &[1, 1, 2, 2]);
    server.append_entries(append(2, (4, 2), &[], 4), &clock);
    assert_eq!(apply_all(&mut server).len(), 4);
    save(&mut server);
    server
}

fn install(term: u64, last_included: (u64, u64)) -> InstallSnapshotArgs {
    InstallSnapshotArgs {
        term,
        leader_id: 0,
        last_included_index: last_included.0,
        last_included_term: last_included.1,
        snapshot: snapshot_up_to(last_included.0),
    }
}

fn snapshot_up_to(index: u64) -> Vec<u8> {
    format!("all up to {index}").into_bytes()
}

fn applied_snapshot(index: u64, term: u64) -> ApplyMsg {
    ApplyMsg::Snapshot { index, term, snapshot: snapshot_up_to(index) }
}

#[test]
fn a_snapshot_replaces_the_beginning_of_the_log() {
    let mut server = with_four_applied();
    server.snapshot(3, snapshot_up_to(3));
    assert_eq!((terms(server.log()), server.persistent.must_save()), (vec![2], true));
    assert_eq!((server.log().last_included_index(), server.log().last_included_term()), (3, 2));
    assert_eq!(server.persistent.snapshot(), snapshot_up_to(3));
    assert_eq!(apply_all(&mut server), [], "the service has it already");
}

/// The service can only know what it was given, and a snapshot from the leader may be ahead of it.
#[test]
fn a_snapshot_of_what_was_not_applied_or_is_forgotten_is_ignored() {
    let clock = HandClock::new();
    let mut server = with_four_applied();
    server.append_entries(append(2, (4, 2), &[2, 2], 5), &clock);
    server.snapshot(3, snapshot_up_to(3));
    save(&mut server);
    for index in [0, 2, 3, 5, 6, 7] {
        server.snapshot(index, snapshot_up_to(index));
    }
    assert_eq!((terms(server.log()), server.persistent.must_save()), (vec![2, 2, 2], false));
    assert_eq!(server.persistent.snapshot(), snapshot_up_to(3));
}

/// An entry counts as applied as soon as it is on its way to the service, which can make the
/// snapshot before the applier knows that the entry arrived.
#[test]
fn the_service_can_make_a_snapshot_of_the_entry_that_it_just_got() {
    let clock = HandClock::new();
    let mut server = server(1, 3, 1, &[1, 1]);
    server.append_entries(append(1, (2, 1), &[], 2), &clock);
    assert_eq!(server.next_to_apply(), Some(applied(1, 1)));
    server.snapshot(1, snapshot_up_to(1));
    assert_eq!(server.log().last_included_index(), 1);
    assert_eq!(apply_all(&mut server), [applied(2, 1)]);
}

/// State and snapshot are saved together, and a restart begins with both.
#[test]
fn a_restart_begins_after_the_snapshot() {
    let clock = HandClock::new();
    let persister = Persister::new();
    let mut server = with_four_applied();
    server.snapshot(3, snapshot_up_to(3));
    server.save_to(&persister);
    let mut server = State::restored_from(1, 3, &persister, &clock);
    assert_eq!((server.commit_index, server.last_applied), (3, 3));
    assert_eq!((server.log().last_index(), server.log().last_term()), (4, 2));
    assert_eq!(apply_all(&mut server), [], "the service starts with the snapshot, too");
    server.append_entries(append(2, (4, 2), &[2], 5), &clock);
    assert_eq!(apply_all(&mut server), [applied(4, 2), applied(5, 2)]);

    // Later saves still have the snapshot.
    server.save_to(&persister);
    assert_eq!(persister.read_snapshot(), snapshot_up_to(3));
}

/// Figure 13, 7 and 8: the snapshot replaces the log, and the service gets it in order.
#[test]
fn a_snapshot_from_the_leader_is_installed_in_order() {
    let clock = HandClock::new();
    let mut server = server(1, 3, 2, &[1, 1]);
    server.append_entries(append(2, (2, 1), &[], 2), &clock);
    assert_eq!(server.next_to_apply(), Some(applied(1, 1)));
    assert_eq!(
        server.install_snapshot(install(2, (7, 2)), &clock),
        InstallSnapshotReply { term: 2 }
    );
    assert!(server.persistent.must_save());
    assert_eq!((server.log().last_index(), server.log().last_term()), (7, 2));
    assert_eq!((terms(server.log()), server.commit_index), (vec![], 7));
    server.append_entries(append(2, (7, 2), &[2], 8), &clock);
    assert_eq!(apply_all(&mut server), [applied_snapshot(7, 2), applied(8, 2)]);
}

/// Figure 13, 6: entries after the snapshot that may have been acknowledged are kept.
#[test]
fn the_log_after_an_installed_snapshot_stays_if_it_agrees() {
    let clock = HandClock::new();
    let check = |last_included, expected: &[u64]| {
        let mut server = server(1, 3, 3, &[1, 1, 2, 2]);
        server.install_snapshot(install(3, last_included), &clock);
        assert_eq!(terms(server.log()), expected);
        assert_eq!(server.log().last_included_index(), last_included.0);
        assert_eq!(apply_all(&mut server), [applied_snapshot(last_included.0, last_included.1)]);
    };
    check((3, 2), &[2]);
    check((4, 2), &[]);
    check((3, 3), &[]);
}

/// A late or repeated message must not undo what is committed here.
#[test]
fn an_old_snapshot_is_not_installed() {
    let clock = HandClock::new();
    let check = |args: InstallSnapshotArgs| {
        let mut server = with_four_applied();
        server.snapshot(2, snapshot_up_to(2));
        save(&mut server);
        assert_eq!(server.install_snapshot(args, &clock), InstallSnapshotReply { term: 2 });
        assert_eq!((terms(server.log()), server.persistent.must_save()), (vec![2, 2], false));
        assert_eq!((server.commit_index, server.persistent.snapshot()), (4, &*snapshot_up_to(2)));
        assert_eq!(apply_all(&mut server), []);
    };
    check(install(2, (1, 1)));
    check(install(2, (2, 1)));
    check(install(2, (3, 2)));
    check(install(2, (4, 2)));
    check(install(1, (9, 1)));
}

/// Figure 13, 1, and 5.2: a snapshot resets the election timer like any message of the leader.
#[test]
fn a_snapshot_of_the_current_leader_resets_the_election_timer() {
    let clock = HandClock::new();
    let mut candidate = server(1, 3, 1, &[]);
    time_out(&mut candidate, &clock);
    let due = candidate.election_due;
    clock.advance(Duration::from_millis(1));
    candidate.install_snapshot(install(1, (9, 1)), &clock);
    assert_eq!((candidate.election_due, candidate.commit_index), (due, 0), "it is of an old term");
    candidate.install_snapshot(install(2, (1, 1)), &clock);
    assert_ne!(candidate.election_due, due);
    assert!(matches!(candidate.role, Role::Follower));
}

/// A late message with entries that the snapshot stands for by now: they are committed, so they are
/// the same, and the entries after them are appended.
#[test]
fn entries_that_begin_in_the_snapshot_are_taken_from_its_end_on() {
    let clock = HandClock::new();
    let mut server = with_four_applied();
    server.snapshot(3, snapshot_up_to(3));
    assert!(server.append_entries(append(2, (0, 0), &[1, 1], 4), &clock).success);
    assert_eq!(terms(server.log()), [2]);
    assert!(server.append_entries(append(2, (1, 1), &[1, 2, 2, 2], 4), &clock).success);
    assert_eq!(terms(server.log()), [2, 2]);
}

/// Without a reply a snapshot is not sent again; a refused heartbeat shows that it was lost. The
/// reply counts for the snapshot that was sent, not for a later one.
#[test]
fn a_snapshot_is_sent_once_and_its_reply_counts_only_for_it() {
    let clock = HandClock::new();
    let mut leader = leader(0, 3, 2, &[]);
    let mut other = server(2, 3, 2, &[]);
    for index in 1..=5 {
        leader.start(command(index, 2), &clock);
    }
    converse(&mut leader, &mut other, &clock);
    apply_all(&mut leader);
    leader.snapshot(3, snapshot_up_to(3));

    let mut follower = server(1, 3, 2, &[]);
    clock.advance(HEARTBEAT_INTERVAL);
    let heartbeat = sent_to(&mut leader, 1, &clock).unwrap();
    carry(&mut leader, &mut follower, &heartbeat, &clock);
    let Some(Request::Install(args)) = sent_to(&mut leader, 1, &clock) else {
        panic!("a snapshot was due")
    };
    assert_eq!(args.last_included_index, 3);
    leader.snapshot(5, snapshot_up_to(5));
    leader.start(command(6, 2), &clock);
    assert_eq!(sent_to(&mut leader, 1, &clock), None);

    let reply = follower.install_snapshot(args.clone(), &clock);
    leader.note_installed(1, &args, &reply, &clock);
    assert_eq!((progress(&leader, 1).match_index, progress(&leader, 1).next_index), (3, 4));
    // A reply of an older term and a reply of a killed server do not count.
    let mut later = install(1, (5, 1));
    leader.note_installed(1, &later, &InstallSnapshotReply { term: 1 }, &clock);
    later.term = 2;
    leader.note_installed(1, &later, &InstallSnapshotReply::default(), &clock);
    assert_eq!(progress(&leader, 1).match_index, 3);
}

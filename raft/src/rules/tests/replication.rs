//! Section 5.3, log replication: messages in order, out of order, twice, late and never.

use std::time::Duration;

use raftapi::Persister;

use super::{
    HandClock, append, carry, command, converse, leader, progress, save, sent_to, server, terms,
};
use crate::rules::clock::Clock;
use crate::rules::log::Log;
use crate::rules::messages::{AppendEntriesReply, Conflict, Request};
use crate::rules::progress::HEARTBEAT_INTERVAL;
use crate::rules::state::State;

fn success(term: u64) -> AppendEntriesReply {
    AppendEntriesReply { term, success: true, conflict: None }
}

fn refused(term: u64, conflicting_term: Option<u64>, first_index: u64) -> AppendEntriesReply {
    let conflict = Some(Conflict { term: conflicting_term, first_index });
    AppendEntriesReply { term, success: false, conflict }
}

/// What a follower in term 4 with the terms 1 1 2 2 3 answers, what its log is then, and whether it
/// has to save.
#[track_caller]
fn check(prev: (u64, u64), new: &[u64], reply: &AppendEntriesReply, log: &[u64], must_save: bool) {
    let clock = HandClock::new();
    let mut follower = server(1, 3, 4, &[1, 1, 2, 2, 3]);
    assert_eq!(follower.append_entries(append(4, prev, new, 0), &clock), *reply);
    assert_eq!((terms(follower.log()), follower.persistent.must_save()), (log.into(), must_save));
    // The same message again changes nothing more.
    save(&mut follower);
    assert_eq!(follower.append_entries(append(4, prev, new, 0), &clock), *reply);
    assert_eq!((terms(follower.log()), follower.persistent.must_save()), (log.into(), false));
}

/// Figure 2, AppendEntries, 2: without the entry just before, the new ones are refused; and the end
/// of 5.3: the reply says how far to go back.
#[test]
fn entries_that_do_not_follow_are_refused_with_the_place_of_the_conflict() {
    let log = [1, 1, 2, 2, 3];
    check((6, 4), &[4], &refused(4, None, 6), &log, false);
    check((9, 4), &[], &refused(4, None, 6), &log, false);
    check((5, 4), &[4], &refused(4, Some(3), 5), &log, false);
    check((4, 1), &[4], &refused(4, Some(2), 3), &log, false);
    check((2, 4), &[], &refused(4, Some(1), 1), &log, false);
}

/// Figure 2, AppendEntries, 3 and 4.
#[test]
fn entries_that_follow_are_appended_and_conflicting_ones_removed() {
    check((5, 3), &[4, 4], &success(4), &[1, 1, 2, 2, 3, 4, 4], true);
    check((4, 2), &[4], &success(4), &[1, 1, 2, 2, 4], true);
    check((0, 0), &[1, 3], &success(4), &[1, 3], true);
}

/// A message can be late: entries that came after it stay, because they may be committed by now.
#[test]
fn a_late_message_removes_no_entry() {
    let log = [1, 1, 2, 2, 3];
    check((5, 3), &[], &success(4), &log, false);
    check((2, 1), &[], &success(4), &log, false);
    check((2, 1), &[2], &success(4), &log, false);
    check((0, 0), &[1, 1, 2, 2], &success(4), &log, false);
}

/// Figure 2, AppendEntries, 1. The timer of 5.2 is not reset either.
#[test]
fn a_message_of_an_old_term_is_refused_and_changes_nothing() {
    let clock = HandClock::new();
    let mut follower = server(1, 3, 4, &[1, 1]);
    let due = follower.election_due;
    clock.advance(Duration::from_millis(1));
    let reply = follower.append_entries(append(3, (1, 1), &[3], 2), &clock);
    assert_eq!(reply, AppendEntriesReply { term: 4, ..AppendEntriesReply::default() });
    assert_eq!((terms(follower.log()), follower.persistent.must_save()), (vec![1, 1], false));
    assert_eq!((follower.commit_index, follower.election_due), (0, due));
}

/// 5.1: a term is saved even if nothing else in the message is new.
#[test]
fn a_higher_term_is_saved_even_if_the_log_does_not_change() {
    let clock = HandClock::new();
    let mut follower = server(1, 3, 4, &[1, 1]);
    assert_eq!(follower.append_entries(append(5, (2, 1), &[], 0), &clock), success(5));
    assert!(follower.persistent.must_save());
}

/// 5.2: the leader is there, even if it has to go back to where the logs agree.
#[test]
fn a_refusal_also_resets_the_election_timer() {
    let clock = HandClock::new();
    let mut follower = server(1, 3, 4, &[1, 1]);
    let due = follower.election_due;
    clock.advance(Duration::from_millis(1));
    assert!(!follower.append_entries(append(4, (9, 4), &[], 0), &clock).success);
    assert_ne!(follower.election_due, due);
}

/// 5.1: a leader steps down when a reply has a higher term, and saves that term.
#[test]
fn a_leader_steps_down_for_a_higher_term_in_a_reply() {
    let clock = HandClock::new();
    let mut leader = leader(0, 3, 4, &[1]);
    clock.advance(Duration::from_secs(60));
    let reply = AppendEntriesReply { term: 6, ..AppendEntriesReply::default() };
    leader.note_appended(1, &append(4, (1, 1), &[], 0), &reply, &clock);
    assert_eq!(
        (leader.is_leader(), leader.current_term(), leader.persistent.must_save()),
        (false, 6, true)
    );
    assert!(leader.deadline().unwrap() > clock.now(), "it may stand again, but not now");
    assert_eq!(leader.start(command(2, 6), &clock), None);
}

/// 5.3: a leader appends a command to its log, and it is saved before the leader reports its index.
#[test]
fn only_a_leader_takes_commands() {
    let clock = HandClock::new();
    let mut leader = leader(0, 3, 4, &[1, 3]);
    let started = leader.start(command(3, 4), &clock).unwrap();
    assert_eq!((started.index, started.term), (3, 4));
    assert!(leader.persistent.must_save());
    let persister = Persister::new();
    leader.save_to(&persister);
    let mut restarted = State::restored_from(0, 3, &persister, &clock);
    assert_eq!(terms(restarted.log()), [1, 3, 4]);
    assert_eq!(restarted.start(command(4, 4), &clock), None, "5.2: servers start as followers");
}

/// A burst of commands is one message, and no entry is sent again while the message may be on its
/// way.
#[test]
fn entries_are_sent_together_and_once() {
    let clock = HandClock::new();
    let mut leader = leader(0, 3, 1, &[]);
    for index in 1..=12 {
        leader.start(command(index, 1), &clock);
    }
    let all = Request::Append(append(1, (0, 0), &[1; 12], 0));
    assert_eq!(leader.on_deadline(&clock), [(1, all.clone()), (2, all)]);

    leader.start(command(13, 1), &clock);
    assert_eq!(leader.on_deadline(&clock), [], "there is no answer yet");
    clock.advance(HEARTBEAT_INTERVAL);
    assert_eq!(leader.deadline(), Some(clock.now()));
    let news = Request::Append(append(1, (12, 1), &[1], 0));
    assert_eq!(sent_to(&mut leader, 1, &clock), Some(news));
}

/// After a reply the next entries are sent immediately.
#[test]
fn entries_that_came_meanwhile_are_sent_after_the_reply() {
    let clock = HandClock::new();
    let mut leader = leader(0, 3, 1, &[]);
    let mut follower = server(1, 3, 1, &[]);
    leader.start(command(1, 1), &clock);
    let request = sent_to(&mut leader, 1, &clock).unwrap();
    leader.start(command(2, 1), &clock);
    carry(&mut leader, &mut follower, &request, &clock);
    assert_eq!(leader.deadline(), Some(clock.now()));
    let next = Request::Append(append(1, (1, 1), &[1], 1));
    assert_eq!(leader.on_deadline(&clock), [(1, next)], "the other has not answered");
}

/// 5.3: "the leader retries AppendEntries RPCs indefinitely". A lost message shows when the next
/// heartbeat is refused.
#[test]
fn lost_entries_are_sent_again_after_the_next_heartbeat() {
    let clock = HandClock::new();
    let mut leader = leader(0, 3, 1, &[]);
    let mut follower = server(1, 3, 1, &[]);
    leader.start(command(1, 1), &clock);
    leader.start(command(2, 1), &clock);
    sent_to(&mut leader, 1, &clock).expect("a message that is lost");
    // A refused heartbeat, the entries, and the new commit index.
    assert_eq!(converse(&mut leader, &mut follower, &clock), 2);
    assert_eq!(terms(follower.log()), [1, 1]);
}

/// A long log is sent in several messages.
#[test]
fn a_message_has_a_bounded_size() {
    let clock = HandClock::new();
    let mut leader = leader(0, 3, 1, &[]);
    let mut follower = server(1, 3, 1, &[]);
    for _ in 0..5 {
        leader.start(vec![0; 400_000], &clock);
    }
    assert_eq!(converse(&mut leader, &mut follower, &clock), 3);
    assert_eq!(follower.log(), leader.log());
}

/// A reply counts for the request that it answers, whatever was sent later. Replies can come in any
/// order: matchIndex never falls.
#[test]
fn late_replies_lower_nothing() {
    let clock = HandClock::new();
    let mut leader = leader(0, 5, 2, &[1, 1, 1]);
    leader.start(command(4, 2), &clock);
    let state_of =
        |leader: &State| (progress(leader, 1).match_index, progress(leader, 1).next_index);
    sent_to(&mut leader, 1, &clock);
    assert_eq!(state_of(&leader), (0, 5));

    leader.note_appended(1, &append(2, (1, 1), &[1], 0), &success(2), &clock);
    assert_eq!(state_of(&leader), (2, 5), "by the request, not by what was sent since");
    leader.note_appended(1, &append(2, (1, 1), &[], 0), &success(2), &clock);
    assert_eq!(state_of(&leader), (2, 5));
    leader.note_appended(1, &append(2, (1, 1), &[], 0), &refused(2, None, 1), &clock);
    assert_eq!(state_of(&leader), (2, 5), "it refused what it has by now");
    leader.note_appended(1, &append(2, (4, 2), &[], 0), &refused(2, None, 1), &clock);
    assert_eq!(state_of(&leader), (2, 3), "not below what it has");
    leader.note_appended(1, &append(2, (4, 2), &[], 0), &refused(2, None, 4), &clock);
    assert_eq!(state_of(&leader), (2, 3), "a refusal does not raise it");
    leader.note_appended(1, &append(2, (3, 1), &[2], 0), &success(2), &clock);
    assert_eq!(state_of(&leader), (4, 5));
}

/// A reply to what this server sent as the leader of an older term is ignored.
#[test]
fn replies_of_an_older_term_are_ignored() {
    let clock = HandClock::new();
    let mut leader = leader(0, 3, 5, &[1, 1]);
    let before = format!("{:?}", leader.role);
    leader.note_appended(1, &append(3, (0, 0), &[1, 1], 0), &success(3), &clock);
    leader.note_appended(1, &append(3, (0, 0), &[1, 1], 0), &success(5), &clock);
    leader.note_appended(1, &append(3, (2, 1), &[], 0), &refused(3, None, 1), &clock);
    // A server that was killed replies like this.
    leader.note_appended(1, &append(5, (2, 1), &[], 0), &AppendEntriesReply::default(), &clock);
    assert_eq!(format!("{:?}", leader.role), before);
    assert_eq!((leader.commit_index, leader.persistent.must_save()), (0, false));
}

/// A leader goes back to the last entry of the conflicting term that both can have, and no further.
#[test]
fn a_leader_goes_back_to_where_both_have_the_conflicting_term() {
    let check = |leaders_log: &[u64], prev, conflicting_term, first_index, expected| {
        let clock = HandClock::new();
        let mut leader = leader(0, 3, 9, leaders_log);
        let reply = refused(9, Some(conflicting_term), first_index);
        leader.note_appended(1, &append(9, prev, &[], 0), &reply, &clock);
        assert_eq!(progress(&leader, 1).next_index, expected);
    };
    check(&[1, 4, 4, 5, 5, 6], (6, 6), 4, 2, 4);
    check(&[1, 4, 4, 5, 5, 6], (6, 6), 3, 4, 4);
    check(&[1, 1, 1, 4, 4], (3, 1), 4, 2, 2);
}

/// Only a leader that was elected sends entries; a deposed one has nothing to send.
#[test]
fn a_deposed_leader_sends_nothing() {
    let clock = HandClock::new();
    let mut deposed = leader(0, 3, 2, &[1]);
    deposed.append_entries(append(3, (0, 0), &[], 0), &clock);
    clock.advance(Duration::from_millis(1));
    assert_eq!(deposed.on_deadline(&clock), []);
    assert_eq!(*deposed.log(), {
        let mut log = Log::default();
        log.append(super::entry(1, 1));
        log
    });
}

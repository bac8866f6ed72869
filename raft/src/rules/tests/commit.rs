//! When an entry is committed, and when the followers learn of it: sections 5.3 and 5.4.2.

use std::time::Duration;

use super::{HandClock, append, applied, apply_all, carry, converse, leader, sent_to, server};
use crate::rules::clock::Clock;
use crate::rules::messages::Request;
use crate::rules::progress::COMMIT_NOTICE_DELAY;

/// Figure 2: an entry on a majority of the servers, the leader among them, is committed.
#[test]
fn an_entry_on_a_majority_is_committed() {
    let check = |servers: usize, have_it: usize, expected: u64| {
        let clock = HandClock::new();
        let mut leader = leader(0, servers, 1, &[]);
        leader.start(super::command(1, 1), &clock);
        for me in 1..have_it {
            let mut follower = server(me, servers, 1, &[]);
            converse(&mut leader, &mut follower, &clock);
        }
        assert_eq!(leader.commit_index, expected, "on {have_it} of {servers}");
    };
    check(1, 1, 1);
    check(2, 1, 0);
    check(2, 2, 1);
    check(3, 1, 0);
    check(3, 2, 1);
    check(4, 2, 0);
    check(4, 3, 1);
    check(5, 2, 0);
    check(5, 3, 1);
}

/// Figure 2, AppendEntries, 5: a follower's log may be longer than what the leader knows of it.
#[test]
fn a_follower_commits_no_further_than_the_last_new_entry() {
    let clock = HandClock::new();
    let check = |prev: (u64, u64), new: &[u64], leader_commit, expected| {
        let mut follower = server(1, 3, 4, &[1, 2, 3, 3]);
        assert!(follower.append_entries(append(4, prev, new, leader_commit), &clock).success);
        assert_eq!(follower.commit_index, expected);
    };
    check((2, 2), &[], 4, 2);
    check((2, 2), &[3], 4, 3);
    check((2, 2), &[3, 3], 3, 3);
    check((2, 2), &[4, 4, 4], 9, 5);
}

/// A refused message says nothing about what is committed here.
#[test]
fn a_message_that_a_follower_refuses_commits_nothing() {
    let clock = HandClock::new();
    let mut follower = server(1, 3, 4, &[1, 2, 3, 3]);
    assert!(!follower.append_entries(append(4, (3, 4), &[], 3), &clock).success);
    assert!(!follower.append_entries(append(4, (5, 3), &[], 3), &clock).success);
    assert!(!follower.append_entries(append(3, (4, 3), &[], 4), &clock).success);
    assert_eq!(follower.commit_index, 0);
}

/// Messages may be reordered.
#[test]
fn the_commit_index_never_falls() {
    let clock = HandClock::new();
    let mut follower = server(1, 3, 1, &[1, 1, 1]);
    follower.append_entries(append(1, (3, 1), &[], 3), &clock);
    follower.append_entries(append(1, (2, 1), &[], 2), &clock);
    assert_eq!(follower.commit_index, 3);
}

/// Figure 2, rules for all servers: what is committed is applied, once and in order.
#[test]
fn what_is_committed_is_applied_in_order() {
    let clock = HandClock::new();
    let mut follower = server(1, 3, 2, &[1, 1, 2]);
    assert_eq!(apply_all(&mut follower), []);
    follower.append_entries(append(2, (3, 2), &[], 2), &clock);
    assert_eq!(apply_all(&mut follower), [applied(1, 1), applied(2, 1)]);
    follower.append_entries(append(2, (3, 2), &[], 3), &clock);
    assert_eq!(apply_all(&mut follower), [applied(3, 2)]);
}

/// A new commit index goes along with new entries; if there are none, it follows soon.
#[test]
fn followers_learn_of_a_commit_soon_and_with_few_messages() {
    let clock = HandClock::new();
    let mut leader = leader(0, 3, 1, &[]);
    let mut follower = server(1, 3, 1, &[]);
    leader.start(super::command(1, 1), &clock);
    let request = sent_to(&mut leader, 1, &clock).unwrap();
    carry(&mut leader, &mut follower, &request, &clock);
    assert_eq!((leader.commit_index, follower.commit_index), (1, 0));
    assert_eq!(sent_to(&mut leader, 1, &clock), None, "not immediately");

    clock.advance(COMMIT_NOTICE_DELAY);
    assert_eq!(leader.deadline(), Some(clock.now()));
    let request = sent_to(&mut leader, 1, &clock).unwrap();
    assert_eq!(request, Request::Append(append(1, (1, 1), &[], 1)));
    carry(&mut leader, &mut follower, &request, &clock);
    assert_eq!(apply_all(&mut follower), [applied(1, 1)]);
    clock.advance(Duration::from_millis(89));
    assert_eq!(sent_to(&mut leader, 1, &clock), None, "nothing new");
}

//! Figure 7: six logs that a leader of term 8 can meet, and how fast it repairs each.

use super::{HandClock, converse, leader, progress, server, terms};

const LEADERS_LOG: [u64; 10] = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];

/// Checks that the leader, after a new command, brings a follower with this log up to date in this
/// number of messages: one carries the command, one per conflicting term finds where the logs
/// differ, and one carries what is missing.
#[track_caller]
fn check(followers_log: &[u64], messages: usize) {
    let clock = HandClock::new();
    let mut leader = leader(0, 7, 8, &LEADERS_LOG);
    let mut follower = server(1, 7, 7, followers_log);
    leader.start(super::command(11, 8), &clock).expect("it leads");
    assert_eq!(converse(&mut leader, &mut follower, &clock), messages);
    assert_eq!(follower.log(), leader.log(), "{:?}", terms(follower.log()));
    assert_eq!(progress(&leader, 1).match_index, 11);
    assert_eq!(progress(&leader, 1).next_index, 12);
}

#[test]
fn a_lacks_the_last_entry() {
    check(&[1, 1, 1, 4, 4, 5, 5, 6, 6], 2);
}

#[test]
fn b_lacks_the_last_six() {
    check(&[1, 1, 1, 4], 2);
}

#[test]
fn c_has_one_more() {
    check(&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], 1);
}

#[test]
fn d_has_two_more_of_its_own_term() {
    check(&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], 1);
}

#[test]
fn e_lacks_some_and_has_others() {
    check(&[1, 1, 1, 4, 4, 4, 4], 3);
}

#[test]
fn f_has_two_terms_that_no_other_log_has() {
    check(&[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], 3);
}

/// The end of section 5.3: one message per conflicting term, not one per conflicting entry.
#[test]
fn a_long_tail_of_one_term_is_skipped_in_one_step() {
    let clock = HandClock::new();
    let mut leader = leader(0, 5, 4, &[vec![1; 10], vec![3; 200]].concat());
    let mut follower = server(1, 5, 2, &[vec![1; 10], vec![2; 100]].concat());
    // The heartbeat finds the follower's log too short, the next its entries of term 2.
    assert_eq!(converse(&mut leader, &mut follower, &clock), 3);
    assert_eq!(follower.log(), leader.log());
}

//! Section 5.2, leader election, and section 5.4.1, the restriction on it.

use std::time::Duration;

use super::{HandClock, append, leader, save, server, time_out};
use crate::rules::clock::Clock;
use crate::rules::messages::{Request, RequestVoteArgs, RequestVoteReply};
use crate::rules::progress::HEARTBEAT_INTERVAL;

fn vote(term: u64, candidate_id: usize, last: (u64, u64)) -> RequestVoteArgs {
    RequestVoteArgs { term, candidate_id, last_log_index: last.0, last_log_term: last.1 }
}

fn granted(term: u64) -> RequestVoteReply {
    RequestVoteReply { term, vote_granted: true }
}

fn refused(term: u64) -> RequestVoteReply {
    RequestVoteReply { term, vote_granted: false }
}

/// 5.2: each server votes for at most one candidate in a term, first-come-first-served.
#[test]
fn a_vote_is_given_once_a_term() {
    let clock = HandClock::new();
    let mut voter = server(0, 3, 0, &[]);
    assert_eq!(voter.request_vote(&vote(1, 1, (0, 0)), &clock), granted(1));
    assert_eq!(voter.request_vote(&vote(1, 2, (0, 0)), &clock), refused(1));
    assert_eq!(
        voter.request_vote(&vote(2, 2, (0, 0)), &clock),
        granted(2),
        "another term, another vote"
    );
}

/// The first reply may have been lost: the same candidate gets the same vote again.
#[test]
fn a_candidate_that_asks_again_gets_its_vote_again() {
    let clock = HandClock::new();
    let mut voter = server(0, 3, 0, &[]);
    voter.request_vote(&vote(1, 1, (0, 0)), &clock);
    save(&mut voter);
    assert_eq!(voter.request_vote(&vote(1, 1, (0, 0)), &clock), granted(1));
    assert!(!voter.persistent.must_save(), "nothing has changed");
}

/// A vote that a crash forgets could be given twice.
#[test]
fn a_vote_is_saved_even_if_the_term_is_known() {
    let clock = HandClock::new();
    let mut voter = server(0, 3, 4, &[]);
    assert_eq!(voter.request_vote(&vote(4, 1, (0, 0)), &clock), granted(4));
    assert!(voter.persistent.must_save());
}

/// 5.1: a request of an old term is refused, and the reply has the current term.
#[test]
fn a_candidate_of_an_old_term_gets_no_vote() {
    let clock = HandClock::new();
    let mut voter = server(0, 3, 5, &[]);
    assert_eq!(voter.request_vote(&vote(4, 1, (9, 4)), &clock), refused(5));
    assert!(!voter.persistent.must_save());
}

/// 5.1: a higher term is adopted before anything else, and even if the vote is refused.
#[test]
fn a_higher_term_is_adopted_and_saved_even_if_the_vote_is_refused() {
    let clock = HandClock::new();
    let mut voter = leader(0, 3, 2, &[1, 2]);
    assert_eq!(voter.request_vote(&vote(3, 1, (1, 1)), &clock), refused(3));
    assert!(voter.persistent.must_save() && !voter.is_leader());
    assert_eq!(voter.voted_for(), None);
}

/// 5.4.1: the log with the later last term is more up to date; with the same, the longer.
#[test]
fn the_vote_goes_to_a_log_that_is_at_least_as_up_to_date() {
    let clock = HandClock::new();
    let check = |last, expected| {
        let mut voter = server(0, 3, 3, &[1, 1, 2]);
        let reply = voter.request_vote(&vote(4, 1, last), &clock);
        assert_eq!(reply.vote_granted, expected, "a log that ends with {last:?}");
    };
    check((3, 2), true);
    check((4, 2), true);
    check((2, 2), false);
    check((1, 3), true);
    check((9, 1), false);
}

/// 5.2: only a granted vote delays the voter's own candidacy. A refused candidate, whose log is
/// old, must not delay the others.
#[test]
fn only_a_granted_vote_resets_the_election_timer() {
    let clock = HandClock::new();
    let mut voter = server(0, 3, 3, &[1, 2]);
    let due = voter.election_due;
    clock.advance(Duration::from_millis(1));
    voter.request_vote(&vote(4, 1, (1, 1)), &clock);
    assert_eq!(voter.election_due, due);
    voter.request_vote(&vote(4, 2, (2, 2)), &clock);
    assert_ne!(voter.election_due, due);
}

/// 5.2: a candidate votes for itself, sends all others the same request, and wins with the votes of
/// a majority of all servers.
#[test]
fn a_majority_of_all_servers_elects() {
    let clock = HandClock::new();
    let check = |servers, votes_needed: usize| {
        let mut candidate = server(0, servers, 6, &[5]);
        let requests = time_out(&mut candidate, &clock);
        assert!(candidate.persistent.must_save(), "term and vote, before the requests are sent");
        let args = vote(7, 0, (1, 5));
        let expected = (1..servers).map(|server| (server, Request::Vote(args.clone())));
        assert!(requests.into_iter().eq(expected));
        for voter in 1..votes_needed {
            assert!(!candidate.is_leader(), "with {voter} of {servers} votes");
            candidate.count_vote(voter, &args, &granted(7), &clock);
        }
        assert!(candidate.is_leader(), "with {votes_needed} of {servers} votes");
    };
    check(1, 1);
    check(2, 2);
    check(3, 2);
    check(4, 3);
    check(5, 3);
    check(7, 4);
}

/// The network can deliver a reply twice, and a candidate can ask for a vote twice.
#[test]
fn a_vote_counts_once() {
    let clock = HandClock::new();
    let mut candidate = server(0, 5, 0, &[]);
    time_out(&mut candidate, &clock);
    for _ in 0..3 {
        candidate.count_vote(1, &vote(1, 0, (0, 0)), &granted(1), &clock);
    }
    assert!(!candidate.is_leader());
}

/// A vote that was asked for in an election that is over does not count in the next.
#[test]
fn a_late_vote_does_not_count() {
    let clock = HandClock::new();
    let mut candidate = server(0, 3, 0, &[]);
    time_out(&mut candidate, &clock);
    time_out(&mut candidate, &clock);
    assert_eq!(candidate.current_term(), 2, "5.2: it times out, and stands again");
    candidate.count_vote(1, &vote(1, 0, (0, 0)), &granted(1), &clock);
    assert!(!candidate.is_leader());
}

/// 5.1: a candidate that learns of a higher term from a reply steps down, and saves that term.
#[test]
fn a_candidate_steps_down_for_a_higher_term() {
    let clock = HandClock::new();
    let mut candidate = server(0, 3, 0, &[]);
    time_out(&mut candidate, &clock);
    save(&mut candidate);
    candidate.count_vote(1, &vote(1, 0, (0, 0)), &refused(5), &clock);
    assert_eq!((candidate.current_term(), candidate.voted_for()), (5, None));
    assert!(candidate.persistent.must_save());
    candidate.count_vote(2, &vote(1, 0, (0, 0)), &granted(1), &clock);
    assert!(!candidate.is_leader(), "of a term that it has left");
}

/// 5.2: another server won the term; a candidate ignores the leader of an older term.
#[test]
fn a_candidate_steps_down_for_the_leader_of_its_term() {
    let clock = HandClock::new();
    let mut candidate = server(1, 3, 0, &[]);
    time_out(&mut candidate, &clock);
    time_out(&mut candidate, &clock);
    let due = candidate.election_due;
    clock.advance(Duration::from_millis(1));

    candidate.append_entries(append(1, (0, 0), &[], 0), &clock);
    assert_eq!(candidate.election_due, due, "an old leader resets no election timer");
    candidate.append_entries(append(2, (0, 0), &[], 0), &clock);
    assert_ne!(candidate.election_due, due);

    candidate.count_vote(2, &vote(2, 1, (0, 0)), &granted(2), &clock);
    assert!(!candidate.is_leader(), "it has given up");
}

/// 5.2: a new leader sends heartbeats immediately, and then regularly.
#[test]
fn a_new_leader_sends_heartbeats_immediately() {
    let clock = HandClock::new();
    let mut new = server(0, 3, 4, &[1, 3]);
    time_out(&mut new, &clock);
    new.count_vote(2, &vote(5, 0, (2, 3)), &granted(5), &clock);
    assert_eq!(new.deadline(), Some(clock.now()));
    let heartbeat = Request::Append(append(5, (2, 3), &[], 0));
    assert_eq!(new.on_deadline(&clock), [(1, heartbeat.clone()), (2, heartbeat.clone())]);
    assert_eq!(new.on_deadline(&clock), []);
    clock.advance(HEARTBEAT_INTERVAL);
    assert_eq!(new.deadline(), Some(clock.now()));
    assert_eq!(new.on_deadline(&clock), [(1, heartbeat.clone()), (2, heartbeat)]);
}

//! What a server shows beside its state.

use raftapi::Details;

use super::{EPOCH, HandClock, leader, sent_to, server, time_out};
use crate::rules::clock::Clock;
use crate::rules::messages::{AppendEntriesReply, Request, RequestVoteReply};

#[test]
fn a_candidate_shows_its_votes_and_a_follower_its_election_timer() {
    let clock = HandClock::new();
    let mut state = server(1, 5, 0, &[]);
    let due = *EPOCH + clock.election_timeout();
    let timer = Details { election_deadline: Some(due), ..Details::default() };
    assert_eq!(state.details(), timer);
    let requests = time_out(&mut state, &clock);
    let Some((_, Request::Vote(args))) = requests.first() else { panic!("no request") };
    let granted = RequestVoteReply { term: 1, vote_granted: true };
    state.count_vote(4, args, &granted, &clock);
    let expected = Details {
        votes_received: Some(vec![1, 4]),
        election_deadline: Some(due + clock.election_timeout()),
        ..Details::default()
    };
    assert_eq!(state.details(), expected);
}

#[test]
fn a_leader_shows_the_progress_of_all_servers_by_number() {
    let clock = HandClock::new();
    let mut state = leader(1, 3, 2, &[1, 2]);
    let shown = |next: [u64; 3], matching: [u64; 3]| Details {
        next_index: Some(next.into()),
        match_index: Some(matching.into()),
        ..Details::default()
    };
    assert_eq!(state.details(), shown([3, 3, 3], [0, 2, 0]));
    let Some(Request::Append(args)) = sent_to(&mut state, 2, &clock) else { panic!("no request") };
    let reply = AppendEntriesReply { term: 2, success: true, ..AppendEntriesReply::default() };
    state.note_appended(2, &args, &reply, &clock);
    assert_eq!(state.details(), shown([3, 3, 3], [0, 2, 2]));
}

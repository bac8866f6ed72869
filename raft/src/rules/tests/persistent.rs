//! Figure 2, persistent state: a restart finds the state that was saved last.

use raftapi::Persister;

use super::{HandClock, append, command, entries, leader, server};
use crate::rules::log::Log;
use crate::rules::state::State;

/// Saves, restarts, and checks that everything came back.
#[track_caller]
fn check(state: &mut State, persister: &Persister) {
    let clock = HandClock::new();
    assert!(state.persistent.must_save(), "every change is noted");
    state.save_to(persister);
    assert!(!state.persistent.must_save());
    let restored = State::restored_from(state.me, state.servers, persister, &clock);
    assert_eq!(restored.current_term(), state.current_term());
    assert_eq!(restored.voted_for(), state.voted_for());
    assert_eq!(restored.log(), state.log());
    assert_eq!(restored.persistent.snapshot(), state.persistent.snapshot());
    assert_eq!(restored.commit_index, state.log().last_included_index());
}

#[test]
fn a_server_that_never_ran_starts_with_nothing() {
    let clock = HandClock::new();
    let state = State::restored_from(0, 3, &Persister::new(), &clock);
    assert_eq!((state.current_term(), state.voted_for()), (0, None));
    assert_eq!(*state.log(), Log::default());
}

/// Every kind of change to a log: growth, conflicts, snapshots of the service and of the leader.
#[test]
fn a_log_comes_back_however_it_has_changed() {
    let clock = HandClock::new();
    let persister = Persister::new();
    let mut state = server(1, 3, 9, &[]);
    for index in 1..=200 {
        state.append_entries(append(9, (index - 1, u64::from(index > 1)), &[1], index), &clock);
        check(&mut state, &persister);
    }
    for (conflict, terms) in
        [(200, vec![2; 3]), (129, vec![3; 40]), (128, vec![4]), (10, vec![5; 200])]
    {
        state.commit_index = 0;
        let args = append(9, (conflict - 1, state.log().term_at(conflict - 1).unwrap()), &terms, 0);
        assert!(state.append_entries(args, &clock).success);
        check(&mut state, &persister);
    }
    for index in [1, 64, 65, 200] {
        state.last_applied = index;
        state.snapshot(index, vec![1; 3]);
        check(&mut state, &persister);
    }
    state.persistent.start_over(500, 7, vec![2; 3]);
    check(&mut state, &persister);
    for entry in entries(501, &[7; 70]) {
        state.persistent.append(entry);
    }
    check(&mut state, &persister);

    // After a restart, too, a server saves its changes.
    let mut state = State::restored_from(1, 3, &persister, &clock);
    state.persistent.append(super::entry(571, 8));
    check(&mut state, &persister);
}

/// D10 of the kit's list of bugs: what changes nothing is not saved.
#[test]
fn heartbeats_are_not_saved() {
    let clock = HandClock::new();
    let persister = Persister::new();
    let mut leader = leader(0, 3, 2, &[1]);
    let mut follower = server(1, 3, 2, &[1]);
    follower.append_entries(append(2, (1, 1), &[], 1), &clock);
    leader.on_deadline(&clock);
    for state in [&mut leader, &mut follower] {
        state.save_to(&persister);
        assert!(persister.read_raft_state().is_empty());
    }
    leader.start(command(2, 2), &clock);
    leader.save_to(&persister);
    assert!(!persister.read_raft_state().is_empty());
}

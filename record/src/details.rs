//! What a server shows beside its state, as a run file has it.

use std::time::Duration;

use raftapi::Details;
use runfile::State;

use crate::time::micros;

/// The details of one look, without what makes no sense in a cluster of its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    votes_received: Option<Vec<usize>>,
    next_index: Option<Vec<u64>>,
    match_index: Option<Vec<u64>>,
    election_deadline: Option<u64>,
}

impl Shown {
    /// The lists come from code under test: they can be long, unsorted and wrong.
    pub(crate) fn new(
        servers: usize,
        details: &Details,
        election_deadline: Option<Duration>,
    ) -> Shown {
        let voters = |votes: &Vec<usize>| {
            (0..servers).filter(|server| votes.contains(server)).collect::<Vec<_>>()
        };
        let by_server = |list: &Vec<u64>| list.iter().take(servers).copied().collect();
        Shown {
            votes_received: details.votes_received.as_ref().map(voters),
            next_index: details.next_index.as_ref().map(by_server),
            match_index: details.match_index.as_ref().map(by_server),
            election_deadline: election_deadline.map(micros),
        }
    }

    /// Adds to a change of the state what changed since an earlier look.
    pub(crate) fn add_changes(&self, old: &Shown, state: &mut State) {
        let Shown { votes_received, next_index, match_index, election_deadline } = self;
        state.votes_received = changed(&old.votes_received, votes_received);
        state.next_index = changed(&old.next_index, next_index);
        state.match_index = changed(&old.match_index, match_index);
        state.election_deadline = changed(&old.election_deadline, election_deadline);
    }
}

fn changed<T: Clone + PartialEq>(old: &T, new: &T) -> Option<T> {
    (old != new).then(|| new.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_added_and_what_is_gone_is_null() {
        let candidate = Details { votes_received: Some(vec![2, 0]), ..Details::default() };
        let due = Some(Duration::from_millis(5));
        let candidate = Shown::new(3, &candidate, due);
        let mut state = State::default();
        candidate.add_changes(&Shown::default(), &mut state);
        let expected = State {
            votes_received: Some(Some(vec![0, 2])),
            election_deadline: Some(Some(5000)),
            ..State::default()
        };
        assert_eq!(state, expected);

        let leader = Details { next_index: Some(vec![1, 4]), ..Details::default() };
        let mut state = State::default();
        Shown::new(3, &leader, due).add_changes(&candidate, &mut state);
        let expected = State {
            votes_received: Some(None),
            next_index: Some(Some(vec![1, 4])),
            ..State::default()
        };
        assert_eq!(state, expected);
    }

    #[test]
    fn numbers_that_no_server_has_are_left_out() {
        let details = Details {
            votes_received: Some(vec![1, 7, 1, usize::MAX]),
            next_index: Some(vec![9; 100]),
            match_index: Some(vec![]),
            election_deadline: None,
        };
        let mut state = State::default();
        Shown::new(2, &details, Some(Duration::MAX)).add_changes(&Shown::default(), &mut state);
        assert_eq!(state.votes_received, Some(Some(vec![1])));
        assert_eq!(state.next_index, Some(Some(vec![9, 9])));
        assert_eq!(state.match_index, Some(Some(vec![])));
        assert_eq!(state.election_deadline, Some(Some(u64::MAX)));
    }
}

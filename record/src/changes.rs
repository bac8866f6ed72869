//! What a server shows of its state, as changes.

use std::sync::Arc;

use raftapi::{Inspect, Role};
use runfile::{LogChange, State};

use crate::details::Shown;

/// One look at a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Look {
    pub(crate) state: Arc<Inspect>,
    pub(crate) details: Shown,
}

/// What changed between two looks at a server; none if nothing did. Without an earlier look,
/// everything did.
pub(crate) fn between(server: usize, old: Option<&Look>, new: &Look) -> Option<State> {
    let mut state = of_states(server, old.map(|old| &*old.state), &new.state);
    let none = Shown::default();
    new.details.add_changes(old.map_or(&none, |old| &old.details), &mut state);
    (state != State { server, ..State::default() }).then_some(state)
}

fn of_states(server: usize, old: Option<&Inspect>, new: &Inspect) -> State {
    let is_new = |same: fn(&Inspect, &Inspect) -> bool| old.is_none_or(|old| !same(old, new));
    let snapshot = |state: &Inspect| (state.last_included_index, state.last_included_term);
    State {
        server,
        role: is_new(|a, b| a.role == b.role).then(|| role(new.role)),
        term: is_new(|a, b| a.current_term == b.current_term).then_some(new.current_term),
        voted_for: is_new(|a, b| a.voted_for == b.voted_for).then_some(new.voted_for),
        log: log(old, new),
        commit: is_new(|a, b| a.commit_index == b.commit_index).then_some(new.commit_index),
        applied: is_new(|a, b| a.last_applied == b.last_applied).then_some(new.last_applied),
        snapshot: old.map_or((0, 0), snapshot).ne(&snapshot(new)).then(|| snapshot(new)),
        ..State::default()
    }
}

fn role(role: Role) -> runfile::Role {
    match role {
        Role::Follower => runfile::Role::Follower,
        Role::Candidate => runfile::Role::Candidate,
        Role::Leader => runfile::Role::Leader,
    }
}

/// The part of the log that changed, above both snapshots.
fn log(old: Option<&Inspect>, new: &Inspect) -> Option<LogChange> {
    let none = Inspect::default();
    let old = old.unwrap_or(&none);
    let first = old.last_included_index.max(new.last_included_index) + 1;
    let end = old.last_index().min(new.last_index()) + 1;
    let from = (first..end).find(|index| old.term_at(*index) != new.term_at(*index));
    let from = from.unwrap_or(end).max(new.last_included_index + 1);
    if from > old.last_index() && from > new.last_index() {
        return None;
    }
    let skip = usize::try_from(from - new.last_included_index - 1).expect("a log in memory");
    let terms = new.log_terms.get(skip..).unwrap_or_default().to_vec();
    Some(LogChange { from, terms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: (u64, &[u64]), new: (u64, &[u64]), expected: Option<(u64, &[u64])>) {
        let state = |(last_included_index, terms): (u64, &[u64])| Inspect {
            last_included_index,
            last_included_term: u64::from(last_included_index > 0),
            log_terms: terms.to_vec(),
            ..Inspect::default()
        };
        let change = log(Some(&state(old)), &state(new));
        let expected = expected.map(|(from, terms)| LogChange { from, terms: terms.to_vec() });
        assert_eq!(change, expected);
    }

    #[test]
    fn a_log_changes_from_the_first_entry_that_differs() {
        check((0, &[]), (0, &[]), None);
        check((0, &[1, 1]), (0, &[1, 1]), None);
        check((0, &[]), (0, &[1, 2]), Some((1, &[1, 2])));
        check((0, &[1, 1]), (0, &[1, 1, 2]), Some((3, &[2])));
        check((0, &[1, 1, 1]), (0, &[1, 2]), Some((2, &[2])));
        check((0, &[1, 1, 1]), (0, &[1]), Some((2, &[])));
    }

    #[test]
    fn entries_that_a_snapshot_covers_are_no_change() {
        check((0, &[1, 1, 2]), (2, &[2]), None);
        check((0, &[1, 1]), (2, &[]), None);
        check((0, &[1]), (5, &[2]), Some((6, &[2])));
        check((0, &[1, 1, 2, 2]), (2, &[]), Some((3, &[])));
    }

    #[test]
    fn the_first_look_shows_everything_and_a_second_one_nothing() {
        let state = Inspect { current_term: 3, log_terms: vec![1], ..Inspect::default() };
        let look = Look { state: Arc::new(state), ..Look::default() };
        let first = between(2, None, &look).unwrap();
        assert_eq!(
            first,
            State {
                server: 2,
                role: Some(runfile::Role::Follower),
                term: Some(3),
                voted_for: Some(None),
                log: Some(LogChange { from: 1, terms: vec![1] }),
                commit: Some(0),
                applied: Some(0),
                ..State::default()
            }
        );
        assert_eq!(between(2, Some(&look), &look), None);
    }
}

//! A change of what a server shows, in words.

use runfile::{Role, State};

/// Whether anything but details changed.
pub(crate) fn is_of_state(state: &State) -> bool {
    let State { role, term, voted_for, log, commit, applied, snapshot, .. } = state;
    let indices = [term, commit, applied].into_iter().any(Option::is_some);
    indices || role.is_some() || voted_for.is_some() || log.is_some() || snapshot.is_some()
}

/// What changed of the state of Figure 2; empty if nothing did.
pub(crate) fn of_state(state: &State) -> String {
    let role = state.role.map(|role| match role {
        Role::Follower => "follows".to_owned(),
        Role::Candidate => "stands for election".to_owned(),
        Role::Leader => "leads".to_owned(),
    });
    let vote = state.voted_for.and_then(|vote| match (vote, state.term) {
        (Some(candidate), _) => Some(format!("votes for server {candidate}")),
        // All begin in term 0, and nobody votes in it.
        (None, Some(0)) => None,
        (None, Some(term)) => Some(format!("has not voted in term {term}")),
        (None, None) => Some("has not voted in this term".to_owned()),
    });
    // Zero is where both begin.
    let is_new = |index: &u64| *index > 0;
    let parts = [
        state.term.map(|term| format!("enters term {term}")),
        role,
        vote,
        state.snapshot.map(|(index, _)| format!("has a snapshot up to {index}")),
        state.log.as_ref().map(|log| match &log.terms[..] {
            [] => format!("drops its log from {}", log.from),
            [term] => format!("has entry {} of term {term}", log.from),
            terms => format!("has {} entries from {}", terms.len(), log.from),
        }),
        state.commit.filter(is_new).map(|commit| format!("commits up to {commit}")),
        state.applied.filter(is_new).map(|applied| format!("has applied up to {applied}")),
    ];
    join(parts)
}

/// The details that it shows anew; empty if there are none. A detail that it no longer shows says
/// nothing: it follows from the role.
pub(crate) fn of_details(state: &State) -> String {
    let votes = state.votes_received.iter().flatten().next();
    let parts = [
        votes.map(|servers| match &servers[..] {
            [] => "has no votes".to_owned(),
            [one] => format!("has the vote of server {one}"),
            more => format!("has the votes of servers {}", list(more)),
        }),
        state.next_index.iter().flatten().next().map(|next| format!("next index {}", list(next))),
        state.match_index.iter().flatten().next().map(|it| format!("match index {}", list(it))),
        state.election_deadline.flatten().map(|at| {
            let seconds = at as f64 / 1e6;
            format!("election timer ends at {seconds:.3} s")
        }),
    ];
    join(parts)
}

fn join(parts: impl IntoIterator<Item = Option<String>>) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_details_of_a_leader_are_lists_by_server() {
        let state = State {
            role: Some(Role::Leader),
            votes_received: Some(None),
            next_index: Some(Some(vec![4, 4, 1])),
            match_index: Some(Some(vec![3, 3, 0])),
            election_deadline: Some(None),
            ..State::default()
        };
        assert_eq!(of_details(&state), "next index 4 4 1, match index 3 3 0");
        assert_eq!(of_state(&state), "leads");
    }

    #[test]
    fn a_candidate_has_votes_and_an_election_timer() {
        let state = State {
            votes_received: Some(Some(vec![0, 2])),
            election_deadline: Some(Some(1_234_567)),
            ..State::default()
        };
        let expected = "has the votes of servers 0 2, election timer ends at 1.235 s";
        assert_eq!((of_details(&state).as_str(), of_state(&state).as_str()), (expected, ""));
    }
}

//! Two candidates of one term, staged by message: the start of several scenarios about votes.
//!
//! In a [`Race`] one of them leads already. In a [`Contest`] no other server has voted for either.
//!
//! The voter between them is the old leader. A server with pre-vote (section 9.6 of the
//! dissertation) asks before it stands whether it would be elected, and a leader refuses that. So
//! if no server stands, the old leader restarts, as a follower that hears from no leader, and both
//! stand before it has voted.

use std::time::Duration;

use config::{Kind, RAFT_ELECTION_TIMEOUT};
use labrpc::network::{Held, Interceptor};

use crate::part_e::arena::Arena;
use crate::part_e::staging::{all_of, next_of};

/// A server without pre-vote stands within this time.
const STAND_LIMIT: Duration = RAFT_ELECTION_TIMEOUT.saturating_mul(2);

/// Two servers that stand for the same term, one after the other, with the old leader between them.
/// Neither hears the other, or the old leader as a leader.
///
/// The first was elected by the old leader. The second has just begun to ask; none of its requests
/// has arrived yet.
pub(crate) struct Race {
    pub(crate) voter: usize,
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) term: u64,
    /// The request of the second to the old leader.
    pub(crate) request: Held,
    /// The requests of the second to the first, and those of the first to the second.
    pub(crate) to_first: Interceptor,
    pub(crate) to_second: Interceptor,
    /// What the first sends to the second as its leader.
    pub(crate) heartbeats: Interceptor,
    _silence: Vec<Interceptor>,
}

impl Race {
    /// None if that did not happen.
    pub(crate) fn stage(arena: &mut Arena<'_>) -> Option<Race> {
        let [voter, a, b] = arena.roles();
        let (term, pair) = (arena.term(voter) + 1, [a, b]);
        let mut silence: Vec<Interceptor> =
            pair.map(|to| arena.intercept(voter, to, Kind::Entries)).into();
        silence.extend(pair.map(|to| arena.intercept(voter, to, Kind::Votes)));
        let asking = pair.map(|from| arena.intercept(from, voter, Kind::Votes));
        let [a_to_b, b_to_a] = [(a, b), (b, a)].map(|(from, to)| {
            [Kind::Votes, Kind::Entries].map(|kind| arena.intercept(from, to, kind))
        });
        let mut requests = [None, None];
        let mut stand = |arena: &Arena<'_>| {
            for at in 0..2 {
                let request = requests[at].take();
                requests[at] = request.or_else(|| candidacy(arena, &asking[at], pair[at], term));
            }
            [requests[0].is_some(), requests[1].is_some()]
        };
        if arena
            .poll_within(STAND_LIMIT, |arena| stand(arena).contains(&true).then_some(()))
            .is_none()
        {
            arena.cfg.restart(voter);
            arena.poll(|arena| {
                lose_questions(arena, [(&a_to_b[0], a), (&b_to_a[0], b)], term);
                (stand(arena) == [true; 2]).then_some(())
            })?;
        }
        let at = requests.iter().position(Option::is_some)?;
        let (first, second) = (pair[at], pair[1 - at]);
        requests[at].take()?.deliver();
        arena.poll(|arena| {
            all_of(&asking[at]).iter().for_each(Held::deliver);
            arena.leads(first).then_some(())
        })?;
        let request = requests[1 - at].take();
        let request = request
            .or_else(|| arena.poll(|arena| candidacy(arena, &asking[1 - at], second, term)))?;
        if [first, second].map(|server| arena.term(server)) != [term, term] {
            return None;
        }
        let [from_first, [to_first, entries]] =
            if first == a { [a_to_b, b_to_a] } else { [b_to_a, a_to_b] };
        let [to_second, heartbeats] = from_first;
        silence.extend(asking.into_iter().chain([entries]));
        Some(Race {
            voter,
            first,
            second,
            term,
            request,
            to_first,
            to_second,
            heartbeats,
            _silence: silence,
        })
    }
}

/// Two servers that stand for the same term and have asked both others. All requests are held.
pub(crate) struct Contest {
    pub(crate) term: u64,
    /// The request of the first to the old leader.
    pub(crate) to_voter: Held,
    /// The request of the second to the first.
    pub(crate) to_first: Held,
    _silence: Vec<Interceptor>,
}

impl Contest {
    /// None if that did not happen.
    pub(crate) fn stage(
        arena: &mut Arena<'_>,
        [voter, first, second]: [usize; 3],
    ) -> Option<Contest> {
        let term = arena.term(voter) + 1;
        let silence = [(voter, first), (voter, second), (first, second), (second, first)]
            .map(|(from, to)| arena.intercept(from, to, Kind::Entries));
        let silent = [first, second].map(|to| arena.intercept(voter, to, Kind::Votes));
        let links = [(first, voter), (second, first), (second, voter), (first, second)];
        let asking = links.map(|(from, to)| arena.intercept(from, to, Kind::Votes));
        let (mut to_voter, mut to_first) = (None, None);
        let mut stand = |arena: &Arena<'_>| {
            to_voter = to_voter.take().or_else(|| candidacy(arena, &asking[0], first, term));
            to_first = to_first.take().or_else(|| candidacy(arena, &asking[1], second, term));
            let has_passed = [first, second].iter().any(|server| arena.term(*server) > term);
            (has_passed || to_voter.is_some() && to_first.is_some()).then_some(())
        };
        if arena.poll_within(STAND_LIMIT, &mut stand).is_none() {
            arena.cfg.restart(voter);
            arena.poll(|arena| {
                lose_questions(arena, [(&asking[1], second), (&asking[3], first)], term);
                if arena.term(second) < term {
                    all_of(&asking[2]).iter().for_each(Held::deliver);
                }
                stand(arena)
            })?;
        }
        if [first, second].map(|server| arena.term(server)) != [term, term] {
            return None;
        }
        let silence = silence.into_iter().chain(silent).chain(asking).collect();
        Some(Contest { term, to_voter: to_voter?, to_first: to_first?, _silence: silence })
    }
}

/// Loses the requests of servers that do not stand yet: these are the requests of a pre-vote.
fn lose_questions(arena: &Arena<'_>, asking: [(&Interceptor, usize); 2], term: u64) {
    for (requests, server) in asking {
        if arena.term(server) < term {
            all_of(requests).iter().for_each(Held::lose);
        }
    }
}

/// The request of a candidate that stands for a term. Earlier requests, such as those of a
/// pre-vote, are delivered.
pub(crate) fn candidacy(
    arena: &Arena<'_>,
    requests: &Interceptor,
    candidate: usize,
    term: u64,
) -> Option<Held> {
    next_of(requests, |_| arena.term(candidate) >= term)
}

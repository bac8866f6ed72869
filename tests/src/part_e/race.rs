//! Two candidates of one term, staged by message: the start of several scenarios about votes.

use config::Kind;
use labrpc::network::{Held, Interceptor};

use crate::part_e::arena::Arena;
use crate::part_e::staging::{all_of, next_of};

/// Two servers that stand for the same term, one after the other, with the old leader between
/// them. Neither hears the other, nor the old leader as a leader.
///
/// The first was elected by the old leader. The second has just begun to ask; nobody was asked yet.
pub(crate) struct Race {
    pub(crate) voter: usize,
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) term: u64,
    /// The request of the second to the old leader.
    pub(crate) request: Held,
    /// The requests of the second to the first.
    pub(crate) to_first: Interceptor,
    /// What the first sends to the second as its leader.
    pub(crate) heartbeats: Interceptor,
    _silence: Vec<Interceptor>,
}

impl Race {
    /// None if they do not stand like that.
    pub(crate) fn stage(arena: &mut Arena<'_>) -> Option<Race> {
        let [voter, a, b] = arena.roles();
        let (term, pair) = (arena.term(voter) + 1, [a, b]);
        let mut silence: Vec<Interceptor> =
            pair.map(|to| arena.intercept(voter, to, Kind::Entries)).into();
        let asking = pair.map(|from| arena.intercept(from, voter, Kind::Votes));
        let [a_to_b, b_to_a] = [(a, b), (b, a)].map(|(from, to)| {
            [Kind::Votes, Kind::Entries].map(|kind| arena.intercept(from, to, kind))
        });
        let (at, request) = arena.poll(|arena| {
            (0..2).find_map(|at| Some((at, candidacy(arena, &asking[at], pair[at], term)?)))
        })?;
        let (first, second) = (pair[at], pair[1 - at]);
        request.deliver();
        arena.poll(|arena| {
            all_of(&asking[at]).iter().for_each(Held::deliver);
            arena.leads(first).then_some(())
        })?;
        let request = arena.poll(|arena| candidacy(arena, &asking[1 - at], second, term))?;
        if [first, second].map(|server| arena.term(server)) != [term, term] {
            return None;
        }
        let [from_first, [to_first, entries]] =
            if first == a { [a_to_b, b_to_a] } else { [b_to_a, a_to_b] };
        let [votes, heartbeats] = from_first;
        silence.extend(asking.into_iter().chain([votes, entries]));
        Some(Race { voter, first, second, term, request, to_first, heartbeats, _silence: silence })
    }
}

/// The request of a candidate that stands for a term. Requests before that, as of one that asks
/// whether it may stand, are delivered.
pub(crate) fn candidacy(
    arena: &Arena<'_>,
    requests: &Interceptor,
    candidate: usize,
    term: u64,
) -> Option<Held> {
    next_of(requests, |_| arena.term(candidate) >= term)
}

//! Staged servers that hear from the leader of their term: they follow it and do not stand.
//!
//! A server may stand when it has heard nothing for an election timeout (5.2). The paper sets no
//! rate for a leader's messages: a leader may call a server seldom if calls to it fail. So a try
//! judges only messages that arrived. The server is at fault if it stands although the leader's
//! last request reached it at most one interval ago. That is the interval at which the leader calls
//! the third server, whose calls are answered.
//!
//! **Sound**: an election timeout is longer than the interval of heartbeats, or the cluster would
//! depose its leader all the time, without any fault (5.6). So a server that obeys the paper does
//! not stand within one interval after a request of its leader, whatever its intervals and timeouts
//! are. The request was sent in the term, and was answered before the last look that found the
//! server still in the term, so the server had not stood before it. Only a decision to stand in the
//! few milliseconds between that answer and that look could be blamed wrongly. So a failure needs
//! this in each of several tries.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use config::{Class, Failure, Kind, RAFT_ELECTION_TIMEOUT, Rule, Setup};
use labrpc::network::CallStep;
use runner::Lab;

use crate::part_e::arena::Arena;
use crate::part_e::race::Race;

const TRIES: usize = 4;
/// A server that ignores its leader stands for election within this time.
const LISTEN_TIME: Duration = RAFT_ELECTION_TIMEOUT.saturating_mul(3).checked_div(2).unwrap();

/// A candidate that hears from the leader of its own term follows it, and does not stand again
/// (5.2).
pub(crate) fn giving_way(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    candidates_give_way(lab, &mut arena);
    refused_leaders_are_followed(lab, &mut arena);
    arena.end();
}

/// Two servers stand in the same term, and one is elected. The other hears from it. If that one
/// does not follow, it soon deposes a leader that all others follow.
fn candidates_give_way(lab: &Lab, arena: &mut Arena<'_>) {
    let (mut tried, mut stood) = (0, 0);
    for _ in arena.rounds(2 * TRIES) {
        if let Some(race) = Race::stage(arena) {
            let Race { voter, first, second, term, request, heartbeats, .. } = race;
            // The second has just begun to wait for votes, and hears from its leader now.
            drop(heartbeats);
            request.deliver();
            let has_stood =
                Listener { leader: first, term, server: second, third: voter }.listen(arena);
            tried += usize::from(has_stood.is_some());
            stood += usize::from(has_stood == Some(true));
        }
        arena.judge_all();
    }
    arena.note_tries("a candidate that hears from its rival", tried);
    if tried >= TRIES && stood == tried {
        let sentence = format!(
            "{tried} times a candidate heard from the leader of its own term, and each time it \
             stood again while it heard from that leader"
        );
        lab.referee().stop(Failure::new(Class::Liveness, sentence).with_rule(Rule::L4));
    }
}

/// A server that was down lacks entries, so it refuses the entries of a new leader. Its replies are
/// lost, so it has to go on refusing. It still hears from the leader of its term, and must not
/// stand.
fn refused_leaders_are_followed(lab: &Lab, arena: &mut Arena<'_>) {
    let (mut tried, mut stood) = (0, 0);
    for _ in arena.rounds(2 * TRIES) {
        if tried == TRIES {
            break;
        }
        let [old, other, away] = arena.roles();
        arena.cfg.crash(away);
        arena.agree(&[old, other]);
        // The server that is elected now knows nothing about the third server's log.
        arena.cfg.restart(old);
        arena.agree(&[old, other]);
        arena.cfg.faults().mute(away);
        arena.cfg.restart(away);
        let leader = arena.leader_of(&[old, other]);
        let (term, third) = (arena.term(leader), old + other - leader);
        let has_stood = Listener { leader, term, server: away, third }.listen(arena);
        tried += usize::from(has_stood.is_some());
        stood += usize::from(has_stood == Some(true));
        arena.judge_all();
    }
    arena.note_tries("a server that refuses its leader's entries", tried);
    if tried == TRIES && stood == tried {
        let sentence = format!(
            "{stood} times a server lacked entries that the leader of its own term had, and each \
             time it stood for election while it heard from that leader"
        );
        lab.referee().stop(Failure::new(Class::Liveness, sentence).with_rule(Rule::L4));
    }
}

/// Records whose requests a server receives.
struct Listener {
    leader: usize,
    term: u64,
    server: usize,
    /// A follower whose calls are answered.
    third: usize,
}

impl Listener {
    /// Whether the server stands although it hears from the leader. None if it heard nothing from
    /// the leader, if it stood after a longer silence than is usual for the third server, or if
    /// another server stood first.
    fn listen(&self, arena: &mut Arena<'_>) -> Option<bool> {
        let Listener { leader, term, server, third } = *self;
        let (since, end) = (arena.cfg.network().now(), Instant::now() + LISTEN_TIME);
        let mut seen = None;
        let stood = arena.poll_within(LISTEN_TIME, |arena| {
            let now = arena.cfg.network().now();
            let current = arena.term(server);
            seen = if current == term { Some(now) } else { seen };
            // If the others are still in the old term, no message of theirs raised the server's.
            let others = [leader, third].map(|other| arena.term(other));
            (current > term).then(|| (others == [term; 2], arena.cfg.network().now()))
        });
        let reached = self.requests_that_reached(arena, since, seen?);
        arena.sleep(end.saturating_duration_since(Instant::now()));
        let last = *reached.get(&server)?.last()?;
        let Some((is_first, stood)) = stood else { return Some(false) };
        let interval = typical_interval(reached.get(&third)?)?;
        (is_first && stood - last <= interval).then_some(true)
    }

    /// For each receiver, the times at which the leader's requests arrived. Only requests that were
    /// sent after `since` and answered before `until` count.
    fn requests_that_reached(
        &self,
        arena: &Arena<'_>,
        since: Duration,
        until: Duration,
    ) -> BTreeMap<usize, Vec<Duration>> {
        let names = arena.cfg.names_of(Kind::Entries);
        let (mut arrived, mut reached) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for event in arena.cfg.network().events() {
            let is_meant = event.from == Some(self.leader)
                && (since..=until).contains(&event.at)
                && names.iter().any(|name| name == event.kind());
            let Some(to) = event.to.filter(|_| is_meant) else { continue };
            match event.step {
                CallStep::Sent { .. } => {
                    arrived.insert(event.call, None);
                }
                CallStep::Dispatched { copy: 0 } => {
                    arrived.entry(event.call).and_modify(|at| *at = Some(event.at));
                }
                CallStep::Handled { bytes: Some(_), copy: 0 } => {
                    reached.entry(to).or_default().extend(arrived.remove(&event.call).flatten());
                }
                _ => {}
            }
        }
        reached
    }
}

/// The median of the intervals between these times. None if there are fewer than two.
fn typical_interval(times: &[Duration]) -> Option<Duration> {
    let mut intervals: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    intervals.sort_unstable();
    intervals.get(intervals.len() / 2).copied().filter(|_| intervals.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typical_interval_is_the_median() {
        let interval = |times: &[u64]| {
            let times: Vec<Duration> = times.iter().copied().map(Duration::from_millis).collect();
            typical_interval(&times).map(|interval| interval.as_millis())
        };
        assert_eq!(interval(&[]), None);
        assert_eq!(interval(&[0, 100]), None);
        assert_eq!(interval(&[0, 10, 110]), Some(100));
        assert_eq!(interval(&[0, 100, 200, 900]), Some(100));
    }
}

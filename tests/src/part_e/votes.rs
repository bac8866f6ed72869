//! Staged elections: the moments in which one vote too many elects a second leader.
//!
//! Each scenario is staged by message (see [`staging`](crate::part_e::staging)), for any
//! implementation, and is tried several times. A try that misses its moment proves nothing, and is
//! no failure. The arena finds a second leader of a term in any try.

use std::time::Duration;

use config::{Kind, RAFT_ELECTION_TIMEOUT, Setup};
use labrpc::network::{Disturbance, Held};
use rand::RngExt;
use runner::Lab;

use crate::part_e::arena::Arena;
use crate::part_e::race::{Race, candidacy};
use crate::part_e::staging::{CONSEQUENCES, Exchange};

const TRIES: usize = 4;
/// How long votes are lost: time for several elections.
const LOSSES: Duration = RAFT_ELECTION_TIMEOUT.saturating_mul(3);
/// How often a candidate that lacks an entry asks for the vote of the server that has it.
const REQUESTS: usize = 2;

/// The second of two candidates asks the old leader for its vote, which the first has got already.
fn two_candidates_and_a_voter(arena: &mut Arena<'_>, between: impl Fn(&mut Arena<'_>, &Race)) {
    let mut tried = 0;
    for _ in arena.rounds(TRIES) {
        if let Some(race) = Race::stage(arena) {
            tried += 1;
            between(arena, &race);
            race.request.deliver();
            arena.sleep(CONSEQUENCES);
        }
        arena.judge_all();
    }
    arena.note_tries("two candidates of one term and a voter", tried);
    let all = arena.all();
    arena.agree(&all);
}

/// A server has voted, and follows the elected leader. Another candidate of the same term asks for
/// its vote.
pub(crate) fn one_vote_a_term(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    two_candidates_and_a_voter(&mut arena, |_, _| ());
    arena.end();
}

/// The same, but the voter crashes between the two requests.
pub(crate) fn forgotten_vote(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    two_candidates_and_a_voter(&mut arena, |arena, race| {
        // Otherwise the voter would learn the term from the leader that it elected.
        arena.cfg.faults().cut(race.first, race.voter);
        arena.cfg.restart(race.voter);
    });
    arena.end();
}

/// A candidate votes for itself and crashes. Another candidate of the same term asks for its vote.
pub(crate) fn forgotten_candidacy(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in arena.rounds(2 * TRIES) {
        // The first led that term. The second asks it when it has come back.
        if let Some(race) = Race::stage(&mut arena)
            && let Some(request) = arena
                .poll(|arena| candidacy(arena, &race.to_first, race.second, race.term))
                .filter(|_| arena.term(race.second) == race.term)
        {
            tried += 1;
            arena.cfg.faults().isolate(race.voter);
            race.request.lose();
            arena.cfg.restart(race.first);
            request.deliver();
            arena.sleep(CONSEQUENCES);
        }
        arena.judge_all();
    }
    arena.note_tries("a candidate that crashes after it voted for itself", tried);
    arena.end();
}

/// Votes for an election that has ended arrive in the next one.
///
/// One server stands and gets a vote, but the vote is held until the server stands again. No other
/// server has voted for it in that second term, and another one is elected.
pub(crate) fn late_votes(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in arena.rounds(2 * TRIES) {
        let [old, candidate, voter] = arena.roles();
        let term = arena.term(old);
        arena.cfg.faults().isolate(old);
        let answers = arena.intercept_replies(voter, candidate, Kind::Votes);
        if let Some(vote) = arena.next_caught(&answers, |arena, _| arena.term(candidate) > term) {
            tried += 1;
            arena.cfg.faults().cut(candidate, voter);
            let (stood, voted) = (arena.term(candidate), arena.term(voter));
            arena.until(|arena| arena.term(candidate) > stood);
            let has_waited = arena.term(candidate) > stood && arena.term(voter) == voted;
            vote.deliver();
            if has_waited {
                arena.cfg.faults().heal(voter, old);
                arena.cfg.faults().heal(old, voter);
                arena.until(|arena| arena.leads(voter) || arena.leads(old));
            }
        }
        arena.judge_all();
    }
    arena.note_tries("votes for an election that has ended", tried);
    arena.end();
}

/// Servers vote, but most of their replies are lost, and requests arrive twice. A candidate that
/// asks again gets the same vote again.
pub(crate) fn lost_votes(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(5));
    let mut tried = 0;
    for _ in arena.rounds(TRIES) {
        let [old, ..]: [usize; 5] = arena.roles();
        let votes = arena.cfg.names_of(Kind::Votes);
        tried += usize::from(!votes.is_empty());
        let by = Disturbance {
            lose_permille: arena.rng.random_range(300..=900),
            duplicate_permille: 500,
            duplicate_delay_ms: Some(0..=600),
            ..Disturbance::default()
        };
        arena.cfg.faults().disturb_all(&by.only(&votes));
        arena.cfg.faults().isolate(old);
        arena.sleep(LOSSES);
        arena.judge_a_majority();
        arena.judge_all();
    }
    arena.note_tries("votes whose replies are lost", tried);
    arena.end();
}

/// A candidate whose log is shorter, or longer but older, asks for the vote of the only server that
/// has the committed entries (5.4.1).
pub(crate) fn stale_candidate(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for round in arena.rounds(TRIES) {
        let [leader, a, b] = arena.roles();
        let is_longer = round % 2 == 1;
        let (stale, holder, third) = if is_longer { (leader, a, b) } else { (a, b, leader) };
        arena.cfg.faults().isolate(stale);
        if is_longer {
            // It goes on taking commands that no other server will ever see.
            (0..6).for_each(|_| {
                arena.start(stale);
            });
            // The others have only two.
            arena.agree(&[holder, third]);
        } else {
            (0..3).for_each(|_| {
                arena.agree(&[holder, third]);
            });
        }
        arena.agree(&[holder, third]);

        // Its first request is of a newer term than the holder's, unless it has led until now.
        if !is_longer {
            arena.until(|arena| arena.term(stale) > arena.term(holder));
        }
        // The candidate asks the holder of the entries. The holder's own requests for votes are
        // held meanwhile.
        let silence = arena.intercept(holder, stale, Kind::Votes);
        let asking = arena.exchange(stale, holder, Kind::Votes);
        arena.cfg.faults().partition(&[&[stale, holder]]);
        for _ in 0..REQUESTS {
            tried += usize::from(ask_in_a_newer_term(&mut arena, &asking, stale, holder));
        }
        drop((silence, asking));
        arena.agree(&[stale, holder]);
        arena.judge_all();
    }
    arena.note_tries("a candidate that lacks what was committed", tried);
    arena.end();
}

/// A candidate asks for a vote in a term that is newer than the voter's: only its log can be the
/// reason of a refusal. Returns whether it asked and got the reply.
fn ask_in_a_newer_term(
    arena: &mut Arena<'_>,
    asking: &Exchange,
    candidate: usize,
    voter: usize,
) -> bool {
    let is_newer = |arena: &Arena<'_>, _: &Held| arena.term(candidate) > arena.term(voter);
    let Some(answered) = arena.next_answered(asking, is_newer) else { return false };
    answered.reply.deliver();
    true
}

//! Staged elections: the moments in which a vote too many makes a second leader.
//!
//! Each scenario is driven by faults alone, for any implementation. Its moments depend on election
//! timeouts, so it is tried several times; a try that misses its moment proves nothing, and harms
//! nobody. A second leader of a term is found by the arena, in whatever try.

use std::thread;

use config::{Class, Failure, Kind, Rule, Setup};
use labrpc::Disturbance;
use rand::RngExt;

use crate::clients::Client;
use crate::part_e::arena::Arena;
use runner::Lab;

const TRIES: usize = 4;
/// Longer than the network needs for anything that nobody holds up.
const MOMENT_MS: u64 = 10;
/// Two of the ordinary election timeouts.
const ELECTION_MS: u64 = 1500;
/// The lab allows ten heartbeats a second.
const HEARTBEAT_MS: u64 = 110;
/// A server is asked so often while something comes that changes its answer.
const QUESTIONS: usize = 40;
/// By so many threads.
const CLIENTS: usize = 4;
/// A server that is restarted as often as this never stands for election.
const RESTART_INTERVAL_MS: u64 = 120;
const RESTARTS: usize = 12;

/// The first of two servers that stand for the term behind `term`, with the other.
fn first_to_stand(arena: &mut Arena<'_>, [a, b]: [usize; 2], term: u64) -> Option<[usize; 2]> {
    let stood = arena.until(|arena| arena.term(a) > term || arena.term(b) > term);
    let pair = if arena.term(a) > term { [a, b] } else { [b, a] };
    stood.then_some(pair)
}

/// Two servers that do not reach one another, and the old leader between them, who hears both but
/// whose own messages are held: so both stand for the next term, one after the other, and both ask
/// the third.
fn two_candidates_and_a_voter(arena: &mut Arena<'_>, between: impl Fn(&mut Arena<'_>, [usize; 3])) {
    let mut tried = 0;
    for _ in 0..TRIES {
        let [voter, a, b] = arena.roles();
        let term = arena.term(voter);
        arena.cfg.faults().cut(a, b);
        arena.cfg.faults().cut(b, a);
        arena.cfg.faults().hold(voter, a);
        arena.cfg.faults().hold(voter, b);
        if let Some([first, second]) = first_to_stand(arena, [a, b], term) {
            tried += 1;
            arena.sleep_ms(MOMENT_MS);
            arena.cfg.faults().release(voter, first);
            arena.sleep_ms(MOMENT_MS);
            between(arena, [voter, first, second]);
            arena.until(|arena| arena.term(second) > term);
            arena.sleep_ms(MOMENT_MS);
            arena.cfg.faults().release(voter, second);
            arena.sleep_ms(ELECTION_MS / 2);
        }
        arena.judge_all();
    }
    arena.note_tries(tried);
    let all = arena.all();
    arena.agree(&all);
}

/// A server that has voted, and follows who was elected, is asked by another for the same term.
pub(crate) fn one_vote_a_term(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    two_candidates_and_a_voter(&mut arena, |_, _| ());
    arena.end();
}

/// The same, but the voter crashes between the two.
pub(crate) fn forgotten_vote(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    two_candidates_and_a_voter(&mut arena, |arena, [voter, first, _]| {
        // It would hear of the term from whom it elected.
        arena.cfg.faults().cut(first, voter);
        arena.cfg.restart(voter);
    });
    arena.end();
}

/// A candidate votes for itself, crashes, and is asked by another for the same term.
pub(crate) fn forgotten_candidacy(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in 0..2 * TRIES {
        // The old leader elects one of the others, and that one's own vote is then to be had again.
        let [voter, a, b] = arena.roles();
        let term = arena.term(voter);
        arena.cfg.faults().cut(a, b);
        arena.cfg.faults().cut(b, a);
        arena.cfg.faults().hold(voter, a);
        arena.cfg.faults().hold(voter, b);
        if let Some([first, second]) = first_to_stand(&mut arena, [a, b], term) {
            tried += 1;
            arena.sleep_ms(MOMENT_MS);
            arena.cfg.faults().release(voter, first);
            arena.sleep_ms(MOMENT_MS);
            // It led that term. The other one is still in the term before, and asks it first.
            arena.cfg.faults().isolate(voter);
            arena.cfg.restart(first);
            arena.cfg.faults().heal(second, first);
            arena.cfg.faults().heal(first, second);
            arena.sleep_ms(ELECTION_MS);
        }
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}

/// Votes for an election that is over arrive in the next one.
///
/// One server stands and is voted for, but the vote is held until it stands again, for a term for
/// which nobody has voted for it; and for that term another one is elected.
pub(crate) fn late_votes(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in 0..2 * TRIES {
        let [old, candidate, voter] = arena.roles();
        let term = arena.term(old);
        arena.cfg.faults().isolate(old);
        arena.cfg.faults().hold(voter, candidate);
        if arena.until(|arena| arena.term(candidate) > term) {
            tried += 1;
            arena.sleep_ms(MOMENT_MS);
            arena.cfg.faults().cut(candidate, voter);
            let again = |arena: &Arena<'_>| arena.term(candidate) > term + 1;
            if arena.until(again) && arena.term(voter) == term + 1 {
                arena.cfg.faults().release(voter, candidate);
                arena.sleep_ms(MOMENT_MS);
                arena.cfg.faults().heal(voter, old);
                arena.cfg.faults().heal(old, voter);
                arena.sleep_ms(ELECTION_MS);
            }
        }
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}

/// Votes are given, but most of the answers are lost, and the requests come twice: whoever asks
/// again is to get the vote that it has.
pub(crate) fn lost_votes(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(5));
    for _ in 0..TRIES {
        let [old, ..]: [usize; 5] = arena.roles();
        let votes = arena.cfg.names_of(Kind::Votes);
        let by = Disturbance {
            lose_permille: arena.rng.random_range(300..=900),
            duplicate_permille: 500,
            duplicate_delay_ms: Some(0..=600),
            ..Disturbance::default()
        };
        arena.cfg.faults().disturb_all(&by.only(&votes));
        arena.cfg.faults().isolate(old);
        arena.sleep_ms(2 * ELECTION_MS);
        arena.judge_a_majority();
        arena.judge_all();
    }
    arena.end();
}

/// A candidate whose log is shorter, or longer but older, asks the only server that has what was
/// committed (5.4.1).
pub(crate) fn stale_candidate(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    for round in 0..TRIES {
        let [leader, a, b] = arena.roles();
        let is_longer = round % 2 == 1;
        let (stale, holder, third) = if is_longer { (leader, a, b) } else { (a, b, leader) };
        arena.cfg.faults().isolate(stale);
        if is_longer {
            // It goes on taking commands that nobody else will ever see.
            (0..6).for_each(|_| {
                arena.start(stale);
            });
            // And the others have but two.
            arena.agree(&[holder, third]);
        } else {
            (0..3).for_each(|_| {
                arena.agree(&[holder, third]);
            });
        }
        arena.agree(&[holder, third]);

        // The holder of the entries is asked. It does not stand itself, since it crashes and comes
        // back before that, and each time waits anew.
        arena.cfg.faults().partition(&[&[stale, holder]]);
        for _ in 0..RESTARTS {
            if arena.leads(stale) {
                break;
            }
            arena.cfg.restart(holder);
            arena.sleep_ms(RESTART_INTERVAL_MS);
        }
        arena.agree(&[stale, holder]);
        arena.judge_all();
    }
    arena.end();
}

/// Who hears of the leader of its own term follows it, and stands for no other (5.2).
pub(crate) fn giving_way(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    candidates_give_way(lab, &mut arena);
    refused_leaders_are_followed(lab, &mut arena);
    arena.end();
}

/// Two servers stand in the same term and one is elected: the other hears of it. One that does not
/// follow soon deposes a leader whom everybody else follows.
fn candidates_give_way(lab: &Lab, arena: &mut Arena<'_>) {
    let (mut tried, mut deposed) = (0, 0);
    for _ in 0..2 * TRIES {
        let [voter, a, b] = arena.roles();
        let term = arena.term(voter);
        arena.cfg.faults().cut(a, b);
        arena.cfg.faults().cut(b, a);
        arena.cfg.faults().hold(voter, a);
        arena.cfg.faults().hold(voter, b);
        if let Some([first, second]) = first_to_stand(arena, [a, b], term) {
            arena.sleep_ms(MOMENT_MS);
            arena.cfg.faults().release(voter, first);
            // It has just begun to wait for votes, and the leader's next heartbeat is not far.
            arena.until(|arena| arena.term(second) > term);
            let is_split = |arena: &Arena<'_>, server| arena.term(server) == term + 1;
            if is_split(arena, second) && is_split(arena, first) && arena.leads(first) {
                arena.cfg.faults().heal(first, second);
                arena.cfg.faults().heal(second, first);
                arena.sleep_ms(ELECTION_MS);
                tried += 1;
                deposed += usize::from(!(is_split(arena, first) && arena.leads(first)));
            }
        }
        arena.judge_all();
    }
    arena.note_tries(tried);
    // A timeout may run out before the first heartbeat comes, but not every time.
    if tried >= TRIES && deposed == tried {
        let sentence = format!(
            "{tried} times a candidate heard from the leader of its own term, and each time that \
             leader was deposed"
        );
        lab.referee().stop(Failure::new(Class::Liveness, sentence).with_rule(Rule::L4));
    }
}

/// A server that was down lacks entries, so it refuses what a new leader sends; nobody hears that,
/// so it has to go on refusing. All the same it hears from the leader of its term, and waits.
fn refused_leaders_are_followed(lab: &Lab, arena: &mut Arena<'_>) {
    let mut stood = 0;
    for _ in 0..TRIES {
        let [old, other, away] = arena.roles();
        arena.cfg.crash(away);
        arena.agree(&[old, other]);
        // Whoever is elected now knows nothing of the third one's log.
        arena.cfg.restart(old);
        arena.agree(&[old, other]);
        arena.cfg.faults().mute(away);
        arena.cfg.restart(away);
        let leader = arena.leader_of(&[old, other]);
        let term = arena.term(leader);
        arena.sleep_ms(ELECTION_MS);
        stood += usize::from(arena.term(away) > term && arena.term(leader) == term);
        arena.judge_all();
    }
    // As above.
    if stood == TRIES {
        let sentence = format!(
            "{stood} times a server refused what the leader of its own term sent, and each time it \
             stood for election while it heard from that leader"
        );
        lab.referee().stop(Failure::new(Class::Liveness, sentence).with_rule(Rule::L4));
    }
}

/// A leader hears of a newer term by the answer to a call, and follows the leader of that term, who
/// has nothing new for it; then it crashes. It must not come back in a term before.
pub(crate) fn forgotten_term(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    for _ in 0..TRIES {
        let [old, a, b] = arena.roles();
        let term = arena.term(old);
        arena.cfg.faults().isolate(old);
        arena.leader_of(&[a, b]);
        // The others hear it, and it hears their answers, but none of their calls.
        arena.cfg.faults().deafen(old);
        arena.cfg.faults().rejoin(old);
        if arena.until(|arena| arena.term(old) > term) {
            arena.cfg.faults().hear(old);
            // Long enough for a heartbeat, too short for an election.
            arena.sleep_ms(HEARTBEAT_MS);
            arena.cfg.restart(old);
        }
        arena.cfg.faults().hear(old);
        arena.judge_all();
    }
    arena.end();
}

/// What arrives at the same instant is handled at the same time: whoever acts on what it saw under
/// a lock that it has given back since, acts on a state that is no more. Other threads get between
/// where they wait for that lock, or with thread switches at edges.
pub(crate) fn close_calls(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    for _ in 0..4 * TRIES {
        deposed_while_asked(&mut arena);
        arena.judge_all();
        elected_while_deposed(&mut arena);
        arena.judge_all();
    }
    arena.end();
}

/// A leader hears of a newer term while clients ask it who leads, and for agreement: they and the
/// news wait for the same locks.
fn deposed_while_asked(arena: &mut Arena<'_>) {
    let [old, a, b] = arena.roles();
    for other in [a, b] {
        arena.cfg.faults().hold(other, old);
        arena.cfg.faults().cut(old, other);
    }
    arena.leader_of(&[a, b]);
    arena.sleep_ms(HEARTBEAT_MS);
    let commands: Vec<Vec<u8>> = (0..CLIENTS).map(|_| arena.command()).collect();
    let cfg = &arena.cfg;
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for command in commands {
            let work = move || {
                for _ in 0..QUESTIONS / CLIENTS {
                    cfg.start(old, command.clone());
                    cfg.get_state(old);
                }
            };
            clients.push(Client::start(scope, clients.len(), work));
        }
        for other in [a, b] {
            cfg.faults().release(other, old);
        }
        clients.into_iter().for_each(Client::join);
    });
}

/// The vote that elects a candidate comes with the request of a rival in a later term.
fn elected_while_deposed(arena: &mut Arena<'_>) {
    let [voter, candidate, rival] = arena.roles();
    let term = arena.term(voter);
    arena.cfg.faults().isolate(rival);
    if !arena.until(|arena| arena.term(rival) > term + 1) {
        return;
    }
    arena.cfg.faults().heal(rival, candidate);
    arena.cfg.faults().hold(rival, candidate);
    arena.cfg.faults().hold(voter, candidate);
    // Nobody else hears of the rival, and it asks the candidate once more at least.
    if arena.until(|arena| arena.term(candidate) > term) {
        let term = arena.term(rival);
        arena.until_within(ELECTION_MS / 10, |arena| arena.term(rival) > term);
        arena.cfg.faults().release(voter, candidate);
        arena.cfg.faults().release(rival, candidate);
        arena.sleep_ms(HEARTBEAT_MS);
    }
}

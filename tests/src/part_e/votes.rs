//! Staged elections: the moments in which a vote too many makes a second leader.
//!
//! Each scenario is staged by message (see [`staging`](crate::part_e::staging)), for any
//! implementation, and is tried several times. A try that misses its moment proves nothing and
//! blames nobody. The arena finds a second leader of a term in any try.

use std::thread;
use std::time::Duration;

use config::{Class, Failure, Kind, RAFT_ELECTION_TIMEOUT, Rule, Setup};
use labrpc::network::{Disturbance, Held, Interceptor, Messages};
use rand::RngExt;
use runner::Lab;

use crate::clients::Client;
use crate::part_e::arena::Arena;
use crate::part_e::staging::{CONSEQUENCES, Exchange, all_of, next_of};

const TRIES: usize = 4;
/// How long votes are lost: time for several elections.
const LOSSES: Duration = RAFT_ELECTION_TIMEOUT.saturating_mul(3);
/// A follower that hears from its leader waits at least this long. One that ignores its leader has
/// stood for election by then.
const OBEDIENCE: Duration = RAFT_ELECTION_TIMEOUT.saturating_mul(3).checked_div(2).unwrap();
/// How often a candidate that lacks an entry asks for the vote of the server that has it.
const REQUESTS: usize = 2;
/// How often a server is asked while a message arrives that changes its answer.
const QUESTIONS: usize = 40;
/// The number of threads that ask.
const CLIENTS: usize = 4;

/// Two servers that stand for the same term, one after the other, with the old leader between
/// them. Neither hears the other, nor the old leader as a leader.
///
/// The first was elected by the old leader. The second has just begun to ask; nobody was asked yet.
struct Race {
    voter: usize,
    first: usize,
    second: usize,
    term: u64,
    /// The request of the second to the old leader.
    request: Held,
    /// The requests of the second to the first.
    to_first: Interceptor,
    /// What the first sends to the second as its leader.
    heartbeats: Interceptor,
    _silence: Vec<Interceptor>,
}

impl Race {
    /// None if they do not stand like that.
    fn stage(arena: &mut Arena<'_>) -> Option<Race> {
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
fn candidacy(
    arena: &Arena<'_>,
    requests: &Interceptor,
    candidate: usize,
    term: u64,
) -> Option<Held> {
    next_of(requests, |_| arena.term(candidate) >= term)
}

/// The old leader, which has voted for the first of two candidates, is asked by the second.
fn two_candidates_and_a_voter(arena: &mut Arena<'_>, between: impl Fn(&mut Arena<'_>, &Race)) {
    let mut tried = 0;
    for _ in 0..TRIES {
        if let Some(race) = Race::stage(arena) {
            tried += 1;
            between(arena, &race);
            race.request.deliver();
            arena.sleep(CONSEQUENCES);
        }
        arena.judge_all();
    }
    arena.note_tries(tried);
    let all = arena.all();
    arena.agree(&all);
}

/// A server that has voted, and follows the elected leader, is asked by another candidate of the
/// same term.
pub(crate) fn one_vote_a_term(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    two_candidates_and_a_voter(&mut arena, |_, _| ());
    arena.end();
}

/// The same, but the voter crashes between the two.
pub(crate) fn forgotten_vote(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    two_candidates_and_a_voter(&mut arena, |arena, race| {
        // It would hear of the term from whom it elected.
        arena.cfg.faults().cut(race.first, race.voter);
        arena.cfg.restart(race.voter);
    });
    arena.end();
}

/// A candidate votes for itself, crashes, and is asked by another for the same term.
pub(crate) fn forgotten_candidacy(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in 0..2 * TRIES {
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
    arena.note_tries(tried);
    arena.end();
}

/// Votes are given, but most of the answers are lost, and the requests come twice. A candidate that
/// asks again gets the vote that it has already.
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
        arena.sleep(LOSSES);
        arena.judge_a_majority();
        arena.judge_all();
    }
    arena.end();
}

/// A candidate whose log is shorter, or longer but older, asks the only server that has what was
/// committed (5.4.1).
pub(crate) fn stale_candidate(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
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

        // Its first request is of a newer term than the holder's, unless it has led until now.
        if !is_longer {
            arena.until(|arena| arena.term(stale) > arena.term(holder));
        }
        // The holder of the entries is asked, and nobody hears of its own candidacies meanwhile.
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
    arena.note_tries(tried);
    arena.end();
}

/// A candidate asks for a vote in a term that is newer than the voter's: it can only be refused for
/// its log. Whether it asked and heard the answer.
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

/// A candidate that hears of the leader of its own term follows it, and does not stand again (5.2).
pub(crate) fn giving_way(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    candidates_give_way(lab, &mut arena);
    refused_leaders_are_followed(lab, &mut arena);
    arena.end();
}

/// Two servers stand in the same term and one is elected: the other hears of it. One that does not
/// follow soon deposes a leader that all others follow.
fn candidates_give_way(lab: &Lab, arena: &mut Arena<'_>) {
    let (mut tried, mut deposed) = (0, 0);
    for _ in 0..2 * TRIES {
        if let Some(race) = Race::stage(arena) {
            let Race { first, term, request, heartbeats, .. } = race;
            // It has just begun to wait for votes, and hears of its leader now.
            drop(heartbeats);
            request.deliver();
            arena.sleep(OBEDIENCE);
            tried += 1;
            deposed += usize::from(!(arena.term(first) == term && arena.leads(first)));
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
        // The server that is elected now knows nothing about the third server's log.
        arena.cfg.restart(old);
        arena.agree(&[old, other]);
        arena.cfg.faults().mute(away);
        arena.cfg.restart(away);
        let leader = arena.leader_of(&[old, other]);
        let term = arena.term(leader);
        arena.sleep(OBEDIENCE);
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
    let mut tried = 0;
    for _ in 0..TRIES {
        let [old, a, b] = arena.roles();
        let term = arena.term(old);
        arena.cfg.faults().isolate(old);
        arena.leader_of(&[a, b]);
        // The others hear it, and it hears their answers, but none of their calls.
        arena.cfg.faults().deafen(old);
        arena.cfg.faults().rejoin(old);
        if arena.until(|arena| arena.term(old) > term) {
            let exchange = arena.exchange_with(old, Kind::Entries);
            arena.cfg.faults().hear(old);
            let is_from_leader = |arena: &Arena<'_>, request: &Held| {
                request.from.is_some_and(|from| arena.leads(from))
            };
            tried += usize::from(arena.next_answered(&exchange, is_from_leader).is_some());
            arena.cfg.restart(old);
        }
        arena.cfg.faults().hear(old);
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}

/// Messages that arrive at the same instant are handled at the same time. A thread that acts on
/// what it saw under a lock, after it has released the lock, acts on an old state. Other threads
/// run in between if they wait for that lock, or with thread switches at edges.
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

/// A leader hears of a newer term while clients call its `get_state` and `start`: both need the
/// same locks.
fn deposed_while_asked(arena: &mut Arena<'_>) {
    let [old, a, b] = arena.roles();
    let intercept = |messages: Messages| arena.cfg.network().intercept(messages.to(old));
    let mut news = Vec::new();
    for other in [a, b] {
        news.push(intercept(Kind::Votes.requests().from(other)));
        news.push(intercept(Kind::Entries.requests().from(other)));
        arena.cfg.faults().cut(old, other);
    }
    let leader = arena.leader_of(&[a, b]);
    let entries = &news[usize::from(leader == b) * 2 + 1];
    let heartbeat = arena.poll(|_| entries.try_next());
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
        drop(news);
        drop(heartbeat);
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
    // The old leader is silent, nobody else hears of the rival, and it asks the candidate.
    let _silence = arena.intercept(voter, candidate, Kind::Entries);
    let asking = arena.intercept(rival, candidate, Kind::Votes);
    let votes = arena.intercept_replies(voter, candidate, Kind::Votes);
    arena.cfg.faults().heal(rival, candidate);
    let Some(request) = arena.poll(|_| asking.try_next()) else { return };
    let Some(vote) = arena.next_caught(&votes, |arena, _| arena.term(candidate) > term) else {
        return;
    };
    let term = arena.term(rival);
    if arena.rng.random_ratio(1, 2) {
        request.deliver();
        vote.deliver();
    } else {
        vote.deliver();
        request.deliver_again();
        request.deliver();
    }
    drop(asking);
    arena.until(|arena| arena.term(candidate) >= term);
}

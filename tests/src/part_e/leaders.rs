//! Staged changes of leaders: which leader stays, and which is deposed.

use std::thread;

use config::{Class, Failure, Kind, Rule, Setup};
use labrpc::network::{Held, Messages};
use rand::RngExt;
use runner::Lab;

use crate::clients::Client;
use crate::part_e::arena::Arena;
use crate::part_e::race::{Contest, Race, candidacy};
use crate::part_e::staging::{MOMENT, all_of};

const TRIES: usize = 4;
/// A server that led alone has this many entries of its own.
const TAIL: usize = 2;
/// How often a server is asked while a message arrives that changes its answer.
const QUESTIONS: usize = 40;
/// The number of threads that ask.
const CLIENTS: usize = 4;

/// A rival in its own term does not depose a leader. It gets neither that leader's vote nor the
/// vote of a candidate (5.2).
pub(crate) fn late_rival(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    leaders_stay(lab, &mut arena);
    candidates_keep_their_votes(&mut arena);
    arena.end();
}

/// The messages between two candidates of one term arrive when one of them leads: the other's
/// refusal, and the other's request. The leader has voted for itself, and goes on leading.
///
/// No correct Raft fails this every time. The leader hears of no later term, since neither of the
/// others is in one. It gets the replies of the voter, and the two are a majority, so a lack of
/// replies is no reason to step down either.
fn leaders_stay(lab: &Lab, arena: &mut Arena<'_>) {
    let (mut tried, mut deposed) = (0, 0);
    for _ in arena.rounds(TRIES) {
        if let Some(race) = Race::stage(arena)
            && let Some(leads) = meet_the_rival(arena, &race)
        {
            tried += 1;
            deposed += usize::from(!leads);
            arena.sleep(MOMENT);
        }
        arena.judge_all();
    }
    arena.note_tries("a leader that hears from a rival of its term", tried);
    if tried > 1 && deposed == tried {
        let sentence = format!(
            "{tried} times a leader heard from a rival of its own term, and each time it stopped \
             leading, though no server was in a later term"
        );
        lab.referee().stop(Failure::new(Class::Liveness, sentence).with_rule(Rule::L4));
    }
}

/// Whether the first of the two still leads afterwards. None if their messages do not come, or if
/// the term is over.
fn meet_the_rival(arena: &mut Arena<'_>, race: &Race) -> Option<bool> {
    let Race { voter, first, second, term, .. } = *race;
    race.request.lose();
    all_of(&race.to_second).first()?.deliver();
    arena.sleep(MOMENT);
    let request = arena.poll(|arena| candidacy(arena, &race.to_first, second, term))?;
    let is_over = |arena: &Arena<'_>| [voter, second].map(|one| arena.term(one)) != [term; 2];
    if is_over(arena) {
        return None;
    }
    let replies = arena.intercept_replies(first, second, Kind::Votes);
    request.deliver();
    arena.next_caught(&replies, |_, reply| reply.call == request.call)?.deliver();
    let leads = arena.term(first) == term && arena.leads(first);
    (!is_over(arena)).then_some(leads)
}

/// A vote is on its way to a candidate. Meanwhile a rival of its term asks the candidate for a
/// vote. The candidate has voted for itself, so it must refuse. In half of the tries the rival's
/// log is longer than the others': that is no reason for a second vote.
fn candidates_keep_their_votes(arena: &mut Arena<'_>) {
    let mut tried = 0;
    for round in arena.rounds(TRIES) {
        let roles = if round % 2 == 0 { follower_with_a_tail(arena) } else { Some(arena.roles()) };
        let tries = roles.and_then(|roles| vote_between_rivals(arena, roles));
        tried += usize::from(tries.is_some());
        arena.judge_all();
    }
    arena.note_tries("a candidate that is asked by a rival of its term", tried);
}

/// Both servers lead if the first votes for the second and then counts the vote that was held. None
/// if they do not stand in the same term.
fn vote_between_rivals(arena: &mut Arena<'_>, [voter, first, second]: [usize; 3]) -> Option<()> {
    let contest = Contest::stage(arena, [voter, first, second])?;
    let votes = arena.intercept_replies(voter, first, Kind::Votes);
    contest.to_voter.deliver();
    let call = contest.to_voter.call;
    let vote = arena.next_caught(&votes, |_, reply| reply.call == call)?;
    contest.to_first.deliver();
    arena.sleep(MOMENT);
    let is_over = arena.term(first) != contest.term;
    vote.deliver();
    arena.sleep(MOMENT);
    (!is_over).then_some(())
}

/// A leader, a follower, and a follower that has entries of its own after those that all have: it
/// led alone, and the new leader has not sent any entry yet that conflicts with them.
fn follower_with_a_tail(arena: &mut Arena<'_>) -> Option<[usize; 3]> {
    let [old, a, b] = arena.roles();
    arena.cfg.faults().isolate(old);
    (0..TAIL).for_each(|_| {
        arena.start(old);
    });
    let leader = arena.leader_of(&[a, b]);
    arena.cfg.faults().rejoin(old);
    let follows = |arena: &Arena<'_>| arena.term(old) == arena.term(leader) && !arena.leads(old);
    (arena.until(follows) && arena.leads(leader)).then_some([leader, a + b - leader, old])
}

/// A leader learns of a newer term from a reply. It follows the leader of that term, which has
/// nothing new for it, and then crashes. It must not come back in an older term.
pub(crate) fn forgotten_term(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in arena.rounds(TRIES) {
        let [old, a, b] = arena.roles();
        let term = arena.term(old);
        arena.cfg.faults().isolate(old);
        arena.leader_of(&[a, b]);
        // The others get its requests, and it gets their replies, but none of their requests.
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
    arena.note_tries("a term that is learned from a reply", tried);
    arena.end();
}

/// Messages that arrive at the same instant are handled at the same time. A thread that acts on
/// what it saw under a lock, after it has released the lock, acts on an old state. Other threads
/// run in between if they wait for that lock, or with thread switches at edges.
pub(crate) fn close_calls(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let (mut asked, mut elected) = (0, 0);
    for _ in arena.rounds(4 * TRIES) {
        asked += usize::from(deposed_while_asked(&mut arena));
        arena.judge_all();
        elected += usize::from(elected_while_deposed(&mut arena).is_some());
        arena.judge_all();
    }
    arena.note_tries("a leader that is asked while it is deposed", asked);
    arena.note_tries("a candidate that is elected while it is deposed", elected);
    arena.end();
}

/// A leader hears of a newer term while clients call its `get_state` and `start`: both need the
/// same locks. Returns whether it was asked while such a message arrived.
fn deposed_while_asked(arena: &mut Arena<'_>) -> bool {
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
    let has_come = heartbeat.is_some();
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
    has_come
}

/// The vote that elects a candidate arrives at the same instant as the request of a rival in a
/// later term. None if one of the two does not come.
fn elected_while_deposed(arena: &mut Arena<'_>) -> Option<()> {
    let [voter, candidate, rival] = arena.roles();
    let term = arena.term(voter);
    arena.cfg.faults().isolate(rival);
    if !arena.until(|arena| arena.term(rival) > term + 1) {
        return None;
    }
    // The old leader is silent. The rival's requests reach only the candidate.
    let _silence = arena.intercept(voter, candidate, Kind::Entries);
    let asking = arena.intercept(rival, candidate, Kind::Votes);
    let votes = arena.intercept_replies(voter, candidate, Kind::Votes);
    // If both led the later term, neither would hear that from the other.
    let _silences = [(rival, candidate), (candidate, rival)]
        .map(|(from, to)| arena.intercept(from, to, Kind::Entries));
    arena.cfg.faults().heal(rival, candidate);
    let request = arena.poll(|_| asking.try_next())?;
    let vote = arena.next_caught(&votes, |arena, _| arena.term(candidate) > term)?;
    // The candidate's answer may elect the rival.
    arena.cfg.faults().heal(candidate, rival);
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
    Some(())
}

//! Staged leaderships of one server: what it learned as a leader is no longer valid when it leads
//! again.

use std::time::Duration;

use config::{Kind, RAFT_ELECTION_TIMEOUT, SNAPSHOT_INTERVAL, Setup};
use labrpc::network::{Held, Interceptor};
use runner::Lab;

use crate::part_e::arena::Arena;
use crate::part_e::staging::{MOMENT, all_of, carries};

const LATE_ANSWER_ROUNDS: usize = 2;
/// The late answer acknowledges this many entries.
const LATE_ANSWERS: usize = 6;
/// The number of entries that a follower gets from a leader that leads again with a shorter log.
const KEPT: usize = 16;
const KEPT_ROUNDS: usize = 1;
/// The same for a leader that leads again with a log of the same length, or a longer one.
const OVERWRITTEN: usize = 6;
/// One server is elected within this time if no server hears any other candidate.
const ELECT_LIMIT: Duration = RAFT_ELECTION_TIMEOUT.saturating_mul(10);

/// Replies of an old term arrive when their receiver leads again. They say nothing about its
/// current log, or about the logs of the servers that sent them (5.3, 7).
pub(crate) fn late_answers(lab: &Lab) {
    late_answers_to_entries(lab);
    late_answers_to_snapshots(lab);
}

/// Two followers take entries that are overwritten later. Their replies are held until the same
/// leader leads again and has taken other entries. One more server has those: no majority.
fn late_answers_to_entries(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(7));
    let all = arena.all();
    let mut tried = 0;
    for _ in arena.rounds(LATE_ANSWER_ROUNDS) {
        let [leader, a, b, c, d, e, f] = arena.roles();
        arena.cfg.faults().partition(&[&[leader, a, b]]);
        let exchanges = [a, b].map(|follower| arena.exchange(leader, follower, Kind::Entries));
        let last = (0..LATE_ANSWERS).filter_map(|_| arena.start_known(leader)).last();
        let mut answers = Vec::new();
        if let Some((_, command)) = last {
            answers.extend(exchanges.iter().filter_map(|exchange| {
                arena.next_answered(exchange, |_, request| carries(request, &command))
            }));
        }
        drop(exchanges);
        arena.cfg.faults().partition(&[&[c, d, e, f]]);
        arena.agree(&[c, d, e, f]);
        arena.cfg.faults().partition(&[&all]);
        arena.agree(&all);

        let others: Vec<usize> = all.iter().copied().filter(|one| *one != leader).collect();
        if answers.len() == 2 && elect(&mut arena, leader, &others) {
            tried += 1;
            arena.cfg.faults().partition(&[&[leader, c]]);
            answers.iter().for_each(|answered| answered.reply.deliver());
            let exchange = arena.exchange(leader, c, Kind::Entries);
            let last = (0..LATE_ANSWERS + 2).filter_map(|_| arena.start_known(leader)).last();
            if let Some((_, command)) = last {
                arena.bring(&exchange, &command);
            }
            drop(exchange);
            arena.cfg.faults().partition(&[&[a, b, d, e, f]]);
            arena.agree(&[a, b, d, e, f]);
        }
        arena.judge_all();
    }
    arena.note_tries("late answers to entries", tried);
    arena.end();
}

/// A snapshot arrives when its sender leads again, in a newer term: the follower refuses it. A
/// leader that takes the reply for an acknowledgement never sends the snapshot again.
fn late_answers_to_snapshots(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let all = arena.all();
    let mut tried = 0;
    for _ in arena.rounds(LATE_ANSWER_ROUNDS) {
        let [leader, other, away] = arena.roles();
        arena.cfg.crash(away);
        for _ in 0..SNAPSHOT_INTERVAL + 2 {
            arena.agree(&[leader, other]);
        }
        let snapshots = arena.intercept(leader, away, Kind::Snapshots);
        arena.cfg.restart(away);
        if let Some(snapshot) = arena.next_caught(&snapshots, |_, _| true) {
            // The follower hears nothing more, stands for election, and deposes the leader.
            let entries = arena.intercept(leader, away, Kind::Entries);
            let term = arena.term(leader);
            arena.until(|arena| arena.term(leader) > term);
            let leads = elect(&mut arena, leader, &[other, away]);
            tried += usize::from(leads && arena.term(away) == arena.term(leader));
            snapshot.deliver();
            arena.sleep(MOMENT);
            [snapshots, entries].iter().flat_map(all_of).for_each(|request| request.lose());
        }
        arena.agree(&all);
        arena.judge_all();
    }
    arena.note_tries("late answers to snapshots", tried);
    arena.end();
}

/// A server leads again. What it knew about a follower is no longer true: the entries that the
/// follower got were overwritten on the other servers (5.3).
pub(crate) fn led_before(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(5));
    kept_knowledge_commits_nothing(&mut arena);
    followers_return(&mut arena);
    arena.end();
}

/// The follower got many entries in the earlier term. Now the leader has a few others at their
/// indices, and one more server has these. If the follower counted, that would be a majority.
fn kept_knowledge_commits_nothing(arena: &mut Arena<'_>) {
    let mut tried = 0;
    for _ in arena.rounds(KEPT_ROUNDS) {
        let [leader, a, b, c, d] = arena.roles();
        if lead_again(arena, [leader, a, b, c, d], KEPT, 2).is_some() {
            arena.cfg.faults().partition(&[&[leader, b]]);
            let exchange = arena.exchange(leader, b, Kind::Entries);
            let last = (0..2).filter_map(|_| arena.start_known(leader)).last();
            let is_there = last.is_some_and(|(_, command)| arena.bring(&exchange, &command));
            tried += usize::from(is_there);
            drop(exchange);
            arena.cfg.faults().partition(&[&[a, c, d]]);
            arena.cfg.restart(a);
            arena.agree(&[a, c, d]);
            arena.agree(&[a, c, d]);
            arena.agree(&[a, c, d]);
        }
        arena.judge_all();
    }
    arena.note_tries("a follower that loses what it had acknowledged", tried);
}

/// The follower returns with its entries. The leader has the same number of others at their
/// indices, or more.
fn followers_return(arena: &mut Arena<'_>) {
    let mut tried = 0;
    for more in [0, 2] {
        let [leader, a, b, c, d] = arena.roles();
        let led = lead_again(arena, [leader, a, b, c, d], OVERWRITTEN, OVERWRITTEN + more);
        if let Some(last_index) = led {
            tried += 1;
            let all = arena.all();
            arena.cfg.faults().partition(&[&all]);
            arena.cfg.restart(a);
            // It catches up while the leader's log is as long as its own, or else with the next
            // command.
            arena.until(|arena| arena.cfg.n_committed(last_index).0 == all.len());
            arena.agree(&all);
        }
        arena.judge_all();
    }
    arena.note_tries("a follower that returns", tried);
}

/// A leader sends `kept` entries to one follower, in one message if it puts several into one. Then
/// the follower crashes, and the leader and the others commit `new` entries at their indices. Then
/// the same server is made the leader again. Returns the index of the last new entry; none if the
/// server does not lead, or did not send the first entries.
fn lead_again(
    arena: &mut Arena<'_>,
    [leader, a, b, c, d]: [usize; 5],
    kept: usize,
    new: usize,
) -> Option<u64> {
    arena.cfg.faults().partition(&[]);
    let last = (0..kept).filter_map(|_| arena.start_known(leader)).last();
    let exchange = arena.exchange(leader, a, Kind::Entries);
    arena.cfg.faults().partition(&[&[leader, a]]);
    let is_there = last.is_some_and(|(_, command)| arena.bring(&exchange, &command));
    drop(exchange);
    // A reply does not outlive the crash of its sender.
    arena.sleep(MOMENT);
    arena.cfg.crash(a);
    arena.cfg.faults().partition(&[&[b, c, d]]);
    for _ in 1..new {
        arena.agree(&[b, c, d]);
    }
    arena.cfg.faults().partition(&[&[leader, b, c, d]]);
    let last_index = arena.agree(&[leader, b, c, d]);
    (is_there && elect(arena, leader, &[b, c, d])).then_some(last_index)
}

/// Makes one server the leader. The requests of all other candidates and leaders are lost. When the
/// server asks for votes, the others have just restarted, so none of them stands for election.
/// Returns whether the server leads.
pub(crate) fn elect(arena: &mut Arena<'_>, wanted: usize, others: &[usize]) -> bool {
    let silent = |other: &usize| {
        let requests = [Kind::Votes, Kind::Entries].map(Kind::requests);
        requests.map(|requests| arena.cfg.network().intercept(requests.from(*other)))
    };
    let silent: Vec<Interceptor> = others.iter().flat_map(silent).collect();
    let asking = arena.cfg.network().intercept(Kind::Votes.requests().from(wanted));
    let mut asked = 0;
    let elected = arena.poll_within(ELECT_LIMIT, |arena| {
        silent.iter().flat_map(all_of).for_each(|request| request.lose());
        let (requests, term) = (all_of(&asking), arena.term(wanted));
        if !requests.is_empty() && term > asked {
            others.iter().for_each(|other| arena.cfg.restart(*other));
            asked = term;
        }
        requests.iter().for_each(Held::deliver);
        arena.leads(wanted).then_some(())
    });
    silent.iter().flat_map(all_of).for_each(|request| request.lose());
    elected.is_some()
}

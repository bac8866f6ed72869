//! Staged leaderships of one server: what it learned as a leader says nothing when it leads again.

use std::time::Duration;

use config::{Kind, RAFT_ELECTION_TIMEOUT, Setup};
use labrpc::network::{Held, Interceptor};
use runner::Lab;

use crate::part_e::arena::Arena;
use crate::part_e::staging::{all_of, carries};

const LATE_ANSWER_ROUNDS: usize = 2;
/// The late answer acknowledges this many entries.
const LATE_ANSWERS: usize = 6;
/// One server is elected within this time if no server hears any other candidate.
const ELECT_LIMIT: Duration = RAFT_ELECTION_TIMEOUT.saturating_mul(10);

/// Answers of an old term arrive when their receiver leads again. They say nothing about its
/// present log, nor about the logs of the servers that gave them (5.3).
///
/// Two followers take entries that are overwritten later. Their answers are held until the same
/// leader leads again and has taken other entries. One more server has those, which is no majority.
pub(crate) fn late_answers(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(7));
    let all = arena.all();
    let mut tried = 0;
    for _ in 0..LATE_ANSWER_ROUNDS {
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

        if answers.len() == 2 && elect(&mut arena, leader) {
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
    arena.note_tries(tried);
    arena.end();
}

/// Makes one server the leader: nobody hears any other candidate or leader, and when it asks for
/// votes, the others come back from a crash that moment, so that none stands for election itself.
/// Whether it leads.
fn elect(arena: &mut Arena<'_>, wanted: usize) -> bool {
    let others: Vec<usize> = arena.all().into_iter().filter(|other| *other != wanted).collect();
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

//! Staged replication: Figure 8, logs like those of Figure 7, and messages that come too late.
//!
//! A fault shows when the next leader commits another entry where a server has applied one already.
//! So each scenario ends with an agreement among the servers that have the committed entries.

use std::time::Duration;

use config::{Kind, RAFT_ELECTION_TIMEOUT, SNAPSHOT_INTERVAL, Setup, next_snapshot};
use labrpc::network::{Held, Interceptor, Messages};
use rand::RngExt;
use runner::Lab;

use crate::draw;
use crate::part_e::arena::{Arena, LEADER_LIMIT};
use crate::part_e::staging::{all_of, carries};

const SNAPSHOT_ROUNDS: usize = 4;
const LATE_ANSWER_ROUNDS: usize = 2;
/// The late answer acknowledges this many entries.
const LATE_ANSWERS: usize = 6;
/// One server is elected within this time if no server hears any other candidate.
const ELECT_LIMIT: Duration = RAFT_ELECTION_TIMEOUT.saturating_mul(10);
/// Four of these are more than an ordinary Raft puts into one message.
const LARGE_COMMAND_BYTES: usize = 400_000;
const LARGE_COMMANDS: usize = 4;
const LARGE_ROUNDS: usize = 2;
const FIGURE_8_ROUNDS: usize = 3;
const FIGURE_7_LEADERS: usize = 3;

/// Isolates the leader that `group` elects before it can replicate anything, and gives it commands
/// that only it has. None if no server was elected.
fn private_leader(arena: &mut Arena<'_>, group: &[usize], commands: usize) -> Option<usize> {
    let entries = arena.cfg.network().intercept(Kind::Entries.requests());
    arena.cfg.faults().partition(&[group]);
    let leader = arena
        .poll_within(LEADER_LIMIT, |arena| group.iter().copied().find(|one| arena.leads(*one)));
    arena.cfg.faults().partition(&[]);
    all_of(&entries).iter().for_each(Held::lose);
    drop(entries);
    let leader = leader?;
    for _ in 0..commands {
        arena.start(leader);
    }
    Some(leader)
}

/// Figure 8, with the paper's names: (a) S1 brings an entry to S2 alone; (b) S5 is elected by S3
/// and S4, and takes another; (c) S1 or S2 is elected, and now a majority has the first entry, of
/// an old term; (d) S5 is elected once more, and puts its own in its place. Only if something of
/// the new term was committed in (c), S5 cannot be.
pub(crate) fn figure_8_staged(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(5));
    let mut tried = 0;
    for _ in 0..FIGURE_8_ROUNDS {
        let [s1, s2, a, b, c] = arena.roles();
        arena.cfg.faults().partition(&[&[s1, s2]]);
        let exchange = arena.exchange(s1, s2, Kind::Entries);
        let old = arena.start_known(s1).map(|(_, command)| command);
        let old = old.filter(|command| arena.bring(&exchange, command));
        drop(exchange);
        if let Some(old) = old
            && let Some(s5) = private_leader(&mut arena, &[a, b, c], 1)
        {
            let [s3, s4] = match s5 {
                _ if s5 == a => [b, c],
                _ if s5 == b => [a, c],
                _ => [a, b],
            };
            arena.cfg.crash(s5);
            let exchange = arena.exchange_with(s3, Kind::Entries);
            arena.cfg.faults().partition(&[&[s1, s2, s3]]);
            tried += usize::from(arena.bring(&exchange, &old));
            drop(exchange);
            arena.leader_of(&[s1, s2, s3]);

            arena.cfg.faults().partition(&[&[s3, s4, s5]]);
            arena.cfg.restart(s5);
            arena.agree(&[s3, s4, s5]);
        }
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}

/// Logs that lack entries, have too many, or both, of several terms, as in Figure 7: all become
/// the one that a majority has.
pub(crate) fn figure_7_logs(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(7));
    let all = arena.all();
    for _ in 0..3 {
        arena.agree(&all);
    }
    // (f), (e) and (d): leaders whose entries no other server ever gets. A former leader refuses its
    // vote because its log is newer, but it cannot be elected either: that takes four of seven.
    let mut fresh = arena.shuffled();
    for _ in 0..FIGURE_7_LEADERS {
        let commands = arena.rng.random_range(1..=6);
        let group: Vec<usize> = fresh.clone();
        if let Some(leader) = private_leader(&mut arena, &group, commands) {
            fresh.retain(|server| *server != leader);
        }
    }
    // (a) and (b): some of the other servers miss what the rest agree on.
    let majority = arena.majority();
    fresh.truncate(majority);
    if fresh.len() == majority {
        arena.cfg.faults().partition(&[&fresh]);
        let commands = arena.rng.random_range(1..=6);
        for _ in 0..commands {
            arena.agree(&fresh);
        }
        // (c): its leader has one entry more than it can replicate.
        let leader = arena.leader_of(&fresh);
        arena.cfg.faults().isolate(leader);
        arena.start(leader);
        // The longer logs come back first, one by one, and may not win.
        let kept: Vec<usize> = fresh.iter().copied().filter(|one| *one != leader).collect();
        for server in arena.shuffled().into_iter().filter(|one| !fresh.contains(one)) {
            let mut group = kept.clone();
            group.push(server);
            arena.cfg.faults().partition(&[&group]);
            arena.agree(&group);
        }
    }
    arena.judge_all();
    arena.end();
}

/// An old AppendEntries arrives after a newer one: what that brought stays (5.3).
///
/// A leader's message is delivered twice, the second time when the follower has got more, and
/// acknowledged it; then the leader goes, before it could repair anything. The message is the one
/// that brought an entry or the one after it, and the follower may have crashed since.
pub(crate) fn stale_entries(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for (is_next, has_crashed) in
        [(false, false), (true, false), (false, true), (true, true), (false, false)]
    {
        let [leader, follower, away] = arena.roles();
        arena.cfg.faults().isolate(away);
        if let Some((old, _)) = old_exchange(&mut arena, leader, follower, is_next, true) {
            tried += 1;
            arena.start(leader);
            if let Some(index) = arena.start(leader) {
                arena.until_committed(index);
            }
            arena.cfg.faults().isolate(leader);
            if has_crashed {
                arena.cfg.restart(follower);
            }
            old.deliver_again();
            arena.cfg.faults().partition(&[&[follower, away]]);
            arena.agree(&[follower, away]);
        }
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}

/// A new command is brought to a follower: the request that carries it, or the one after it, and
/// the reply, which is delivered or not. None if it is not sent or not answered.
fn old_exchange(
    arena: &mut Arena<'_>,
    leader: usize,
    follower: usize,
    is_next: bool,
    is_heard: bool,
) -> Option<(Held, Held)> {
    let exchange = arena.exchange(leader, follower, Kind::Entries);
    let (_, command) = arena.start_known(leader)?;
    let mut one = arena.next_answered(&exchange, |_, request| carries(request, &command))?;
    if is_next {
        one.reply.deliver();
        one = arena.next_answered(&exchange, |_, _| true)?;
    }
    if is_heard {
        one.reply.deliver();
    }
    Some((one.request, one.reply))
}

/// Messages are held, newer ones pass by them, and then they arrive: the same for entries, answers
/// and votes alike, on the link of one pair after the other.
pub(crate) fn overtaken_messages(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for is_even in [true, false].repeat(4) {
        let [leader, follower, other] = arena.roles();
        let is_answer = arena.rng.random_ratio(1, 2);
        let (from, to) = if is_answer { (follower, leader) } else { (leader, follower) };
        let intercept =
            |messages: Messages| arena.cfg.network().intercept(messages.from(from).to(to));
        let traps = [Messages::requests(), Messages::replies()].map(intercept);
        start_some(&mut arena, leader);
        let held = arena.until_any(&traps);
        tried += usize::from(!held.is_empty());
        drop(traps);
        start_some(&mut arena, leader);
        arena.cfg.faults().isolate(other);
        // In every other round the follower keeps no entry behind its snapshot.
        let mut last = arena.start(leader);
        while is_even && last.is_some_and(|index| index != next_snapshot(index)) {
            last = arena.start(leader);
        }
        if let Some(index) = last {
            let servers = if is_even { 2 } else { 1 };
            arena.until(|arena| arena.cfg.n_committed(index).0 >= servers);
        }
        arena.cfg.faults().isolate(leader);
        held.iter().for_each(Held::deliver);
        arena.cfg.faults().partition(&[&[follower, other]]);
        arena.agree(&[follower, other]);
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}

/// Some commands: each comes at once after the one before, or when that is committed.
fn start_some(arena: &mut Arena<'_>, leader: usize) {
    for _ in 0..arena.rng.random_range(1..=4) {
        let is_patient = arena.rng.random_ratio(1, 2);
        if let Some(index) = arena.start(leader)
            && is_patient
        {
            arena.until_committed(index);
        }
    }
}

/// An acknowledgement says what its request brought, not what the leader has got since (5.3, 7).
pub(crate) fn late_acknowledgement(lab: &Lab) {
    late_acknowledgement_of_entries(lab);
    late_acknowledgement_of_a_snapshot(lab);
}

/// The answer to a leader's message is held; meanwhile the leader takes other commands, which
/// reach nobody, and in some rounds it has tried to send them. Then it hears the answer and goes,
/// and the others commit something else in their place.
fn late_acknowledgement_of_entries(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for (is_next, are_sent) in
        [(false, false), (false, true), (true, false), (true, true), (false, true)]
    {
        let [leader, follower, away] = arena.roles();
        arena.cfg.faults().isolate(away);
        if let Some((_, reply)) = old_exchange(&mut arena, leader, follower, is_next, false) {
            tried += 1;
            let entries = arena.intercept(leader, follower, Kind::Entries);
            arena.start(leader);
            let last = arena.start_known(leader);
            if let Some((_, command)) = last.filter(|_| are_sent) {
                until_sent(&mut arena, &entries, follower, &command);
            }
            arena.cfg.faults().isolate(leader);
            reply.deliver();
            all_of(&entries).iter().for_each(Held::lose);
            drop(entries);
            arena.cfg.faults().partition(&[&[follower, away]]);
            arena.agree(&[follower, away]);
            arena.agree(&[follower, away]);
        }
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}

/// Waits until a leader has sent a command, which is lost as all else is. A leader that waits for
/// an answer first never sends it; then the follower misses its leader and stands for election.
fn until_sent(arena: &mut Arena<'_>, entries: &Interceptor, follower: usize, command: &[u8]) {
    let term = arena.term(follower);
    arena.poll(|arena| {
        let caught = all_of(entries);
        caught.iter().for_each(Held::lose);
        let is_sent = caught.iter().any(|request| carries(request, command));
        (is_sent || arena.term(follower) > term).then_some(())
    });
}

/// The answer to a snapshot arrives when the leader has made another. Its receiver needs that, too,
/// or it gets no further: the next commands make no snapshot that would help it.
///
/// It missed the first because it was down: so it is in the leader's term, and deposes nobody.
fn late_acknowledgement_of_a_snapshot(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for _ in 0..SNAPSHOT_ROUNDS {
        let [leader, other, away] = arena.roles();
        arena.cfg.crash(away);
        let mut index = 0;
        for _ in 0..SNAPSHOT_INTERVAL + 2 {
            index = arena.agree(&[leader, other]);
        }
        let replies = arena.intercept_replies(away, leader, Kind::Snapshots);
        arena.cfg.restart(away);
        let reply = arena.next_caught(&replies, |_, _| true);
        tried += usize::from(reply.is_some());
        arena.cfg.faults().cut(leader, away);
        // The lab makes the snapshot before it takes the entry after it.
        let mut last = None;
        for _ in index..=next_snapshot(index + 1) {
            last = arena.start(leader);
        }
        if let Some(last) = last {
            arena.until(|arena| arena.cfg.n_committed(last).0 > 1);
        }
        drop(replies);
        reply.iter().for_each(Held::deliver);
        arena.cfg.faults().heal(leader, away);
        let all = arena.all();
        arena.agree(&all);
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}

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

/// A log that takes several messages: a follower that has a rest of its own behind what it shares
/// with the leader must not take that rest for committed when the first of them comes (5.3).
pub(crate) fn large_commands(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    for _ in 0..LARGE_ROUNDS {
        let [old, a, b] = arena.roles();
        for _ in 0..LARGE_COMMANDS {
            let command = draw::letters(&mut arena.rng, LARGE_COMMAND_BYTES);
            arena.cfg.start(old, command);
        }
        let all = arena.all();
        arena.agree(&all);
        arena.cfg.faults().isolate(old);
        for _ in 0..2 * LARGE_COMMANDS {
            arena.start(old);
        }
        for _ in 0..LARGE_COMMANDS {
            arena.agree(&[a, b]);
        }
        arena.judge_all();
    }
    arena.end();
}

//! Staged delays: messages that arrive after newer ones.
//!
//! A fault shows when the next leader commits another entry at an index where a server has already
//! applied one. So each scenario ends with an agreement among the servers that have the committed
//! entries.

use config::{Kind, SNAPSHOT_INTERVAL, Setup, next_snapshot};
use labrpc::network::{Held, Interceptor, Messages};
use rand::RngExt;
use runner::Lab;

use crate::part_e::arena::Arena;
use crate::part_e::staging::{all_of, carries};

const SNAPSHOT_ROUNDS: usize = 4;
const TAIL_ROUNDS: usize = 3;
/// A server that led alone has this many entries of its own.
const TAIL: usize = 4;

/// An old AppendEntries arrives after a newer one: the entries of the newer one stay (5.3).
///
/// A leader's message is delivered twice: the second time after the follower has got and
/// acknowledged more entries. The leader is isolated before that, so it cannot repair anything. The
/// message is the one that brought an entry or the one after it. In some rounds the follower has
/// crashed in between.
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
    arena.note_tries("old entries", tried);
    arena.end();
}

/// Sends a new command to a follower. Returns the request that carries it, or the one after it, and
/// the reply, which was delivered if `is_heard`. None if the command was not sent or not answered.
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

/// Messages are held, newer ones overtake them, and then they arrive. Requests and replies of all
/// kinds are held, on one link after the other.
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
        // In every other round the follower has no entry after its snapshot.
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
    arena.note_tries("overtaken messages", tried);
    arena.end();
}

/// Starts some commands, each immediately after the one before, or when that one is committed.
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

/// A reply acknowledges the entries of its request, not those that the leader has got since (5.3,
/// 7).
pub(crate) fn late_acknowledgement(lab: &Lab) {
    late_acknowledgement_of_entries(lab);
    late_acknowledgement_of_a_tail(lab);
    late_acknowledgement_of_a_snapshot(lab);
}

/// The reply to a leader's message is held. Meanwhile the leader takes other commands, which reach
/// no other server; in some rounds it has tried to send them. Then it is isolated and gets the
/// reply, and the others commit other commands at their indices.
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
    arena.note_tries("a late acknowledgement of entries", tried);
    arena.end();
}

/// Waits until a leader has sent a command. All its messages are lost. A leader that waits for a
/// reply first never sends the command; then the follower hears nothing and stands for election.
fn until_sent(arena: &mut Arena<'_>, entries: &Interceptor, follower: usize, command: &[u8]) {
    let term = arena.term(follower);
    arena.poll(|arena| {
        let caught = all_of(entries);
        caught.iter().for_each(Held::lose);
        let is_sent = caught.iter().any(|request| carries(request, command));
        (is_sent || arena.term(follower) > term).then_some(())
    });
}

/// A server that led alone has entries of its own after those that it shares with the next leader.
/// Its reply to that leader's first message acknowledges none of them. The reply is held until the
/// leader has other entries at their indices, which reach no other server. Then the leader is
/// isolated.
fn late_acknowledgement_of_a_tail(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    for _ in arena.rounds(TAIL_ROUNDS) {
        let [old, a, b] = arena.roles();
        arena.cfg.faults().isolate(old);
        (0..TAIL).for_each(|_| {
            arena.start(old);
        });
        let leader = arena.leader_of(&[a, b]);
        let other = a + b - leader;
        arena.cfg.faults().isolate(other);
        let exchange = arena.exchange(leader, old, Kind::Entries);
        arena.cfg.faults().partition(&[&[leader, old]]);
        let first = arena.next_answered(&exchange, |_, _| true);
        if let Some(first) = first.filter(|_| arena.term(old) == arena.term(leader)) {
            tried += 1;
            (0..TAIL).for_each(|_| {
                arena.start(leader);
            });
            arena.cfg.faults().isolate(leader);
            first.reply.deliver();
            all_of(&exchange.requests).iter().for_each(Held::lose);
        }
        drop(exchange);
        arena.cfg.faults().partition(&[&[old, other]]);
        arena.agree(&[old, other]);
        arena.agree(&[old, other]);
        arena.judge_all();
    }
    arena.note_tries("a late acknowledgement of a tail", tried);
    arena.end();
}

/// The reply to a snapshot arrives when the leader has made another one. The receiver needs that
/// one, too. Otherwise it is stuck: the next commands make no snapshot that would help it.
///
/// It missed the first because it was down, so it is in the leader's term and does not depose the
/// leader.
fn late_acknowledgement_of_a_snapshot(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for _ in arena.rounds(SNAPSHOT_ROUNDS) {
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
    arena.note_tries("a late acknowledgement of a snapshot", tried);
    arena.end();
}

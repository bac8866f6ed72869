//! Staged snapshots that come late: they undo nothing (section 7).

use std::time::Duration;

use config::{Class, Failure, Kind, Rule, SNAPSHOT_INTERVAL, Setup, next_snapshot};
use labrpc::network::Held;
use runner::Lab;

use crate::part_e::again::elect;
use crate::part_e::arena::Arena;
use crate::part_e::staging::{MOMENT, all_of, carries};

/// The lab has made a snapshot after this many commands.
const COMMANDS_FOR_A_SNAPSHOT: usize = 12;
/// The service takes this long for an entry that it must not have applied yet.
const SLOW_SERVICE: Duration = Duration::from_secs(1);
/// How often a deposed leader's message is delivered.
const DEPOSED_ROUNDS: usize = 3;

/// An old InstallSnapshot removes no entry, and deposes no leader (7).
pub(crate) fn old_snapshot(lab: &Lab) {
    snapshot_after_entries(lab);
    snapshot_of_a_deposed_leader(lab);
}

/// An old InstallSnapshot arrives after newer entries: it removes none of them.
///
/// A server that missed many entries gets the same snapshot twice. Before the second copy arrives,
/// it gets more entries, which only it and the leader have. Then the leader is isolated. In one
/// round the receiver crashes before the second copy arrives, so it no longer knows what is
/// committed. In another the leader stays, and the two have to agree: that shows if the receiver
/// itself went back.
fn snapshot_after_entries(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for (stays, has_crashed) in [(false, false), (false, true), (true, false)] {
        let [leader, other, away] = arena.roles();
        arena.cfg.faults().isolate(away);
        for _ in 0..COMMANDS_FOR_A_SNAPSHOT {
            arena.agree(&[leader, other]);
        }
        // The server can depose the leader when it comes back.
        let snapshots = arena.cfg.network().intercept(Kind::Snapshots.requests().to(away));
        arena.cfg.faults().rejoin(away);
        let snapshot = arena.next_caught(&snapshots, |_, _| true);
        drop(snapshots);
        if let Some(snapshot) = snapshot
            && let Some(sender) = snapshot.from
        {
            tried += 1;
            let other = if sender == leader { other } else { leader };
            let before = arena.cfg.snapshots_applied(away);
            snapshot.deliver();
            arena.until(|arena| arena.cfg.snapshots_applied(away) > before);
            arena.cfg.faults().isolate(other);
            arena.start(sender);
            if let Some(index) = arena.start(sender) {
                arena.until(|arena| arena.cfg.n_committed(index).0 > 1);
            }
            if !stays {
                arena.cfg.faults().isolate(sender);
            }
            if has_crashed {
                arena.cfg.restart(away);
            }
            snapshot.deliver_again();
            if stays {
                arena.agree(&[sender, away]);
            }
            arena.cfg.faults().partition(&[&[away, other]]);
            arena.agree(&[away, other]);
        }
        arena.judge_all();
    }
    arena.note_tries("a snapshot that comes after entries", tried);
    arena.end();
}

/// A snapshot of a deposed leader reaches the server that leads now. That server must go on
/// leading.
///
/// **Sound**: the message is of an older term, which its receiver refuses and ignores (Figure 13).
/// A correct leader may step down without a new term if it hears from no majority. But this leader
/// hears from a majority, and a failure needs that it steps down each time, in the moment after
/// that message.
fn snapshot_of_a_deposed_leader(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let (mut tried, mut deposed) = (0, 0);
    for _ in arena.rounds(DEPOSED_ROUNDS) {
        let [old, heir, other] = arena.roles();
        arena.cfg.crash(heir);
        for _ in 0..COMMANDS_FOR_A_SNAPSHOT {
            arena.agree(&[old, other]);
        }
        let snapshots = arena.intercept(old, heir, Kind::Snapshots);
        arena.cfg.restart(heir);
        let snapshot = arena.next_caught(&snapshots, |_, _| true);
        drop(snapshots);
        if let Some(snapshot) = snapshot {
            snapshot.deliver();
            let all = arena.all();
            arena.agree(&all);
            arena.cfg.faults().isolate(old);
            if elect(&mut arena, heir, &[other]) {
                arena.agree(&[heir, other]);
                let term = arena.term(heir);
                let has_led = arena.leads(heir);
                snapshot.deliver_again();
                arena.sleep(MOMENT);
                if has_led && arena.term(heir) == term {
                    tried += 1;
                    deposed += usize::from(!arena.leads(heir));
                }
            }
        }
        arena.judge_all();
    }
    if deposed > 1 && deposed == tried {
        let sentence = format!(
            "{deposed} times a leader got a snapshot that the leader of an older term had sent, \
             and each time it stopped leading, although its term was the same"
        );
        lab.referee().stop(Failure::new(Class::Liveness, sentence).with_rule(Rule::L4));
    }
    arena.note_tries("a snapshot of a deposed leader", tried);
    arena.end();
}

/// What a follower knows when the late snapshot arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Entries of which it does not know that they are committed.
    Entries,
    /// Also that they are committed; its service is too slow to have applied them.
    Commit,
}

/// A snapshot arrives after entries that were sent before it, some of which it does not cover: it
/// removes none of these (7).
///
/// The entries are held. Meanwhile the leader commits the first of them with the third server,
/// discards them, and learns that the follower lacks them. So it sends a snapshot, which arrives
/// when the follower has all entries. In some rounds the follower does not know that any of them is
/// committed: the entries after the snapshot, which it has acknowledged, must stay. In the other
/// rounds it knows that all are committed, and is applying the entries that the snapshot covers
/// when the snapshot comes: no entry may be applied twice. Only the follower and the leader have
/// the last entries; then the leader is isolated.
pub(crate) fn overtaken_snapshot(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for known in [Known::Entries, Known::Commit, Known::Entries, Known::Commit, Known::Entries] {
        let [leader, follower, third] = arena.roles();
        let all = arena.all();
        let mut index = arena.agree(&all);
        for _ in 0..2 * SNAPSHOT_INTERVAL {
            if known == Known::Commit && next_snapshot(index) != index + 1 {
                index = arena.agree(&all);
            }
        }
        let snapshot = overtake(&mut arena, [leader, follower, third], index, known);
        if let Some(snapshot) = &snapshot {
            tried += 1;
            snapshot.deliver();
        }
        // This is needed also if no snapshot came.
        arena.cfg.apply_at_once(follower);
        if snapshot.is_some() {
            if known == Known::Commit {
                arena.sleep(SLOW_SERVICE);
            }
            arena.cfg.faults().partition(&[&[follower, third]]);
            arena.agree(&[follower, third]);
        }
        arena.judge_all();
    }
    arena.note_tries("a snapshot that is overtaken by entries", tried);
    arena.end();
}

/// Returns a snapshot that is on its way to a follower which has all entries by now, also those
/// after the snapshot. The leader is cut off. None if the leader does not send the entries in
/// several messages before it gets the first reply, or if it sends no snapshot. With
/// [`Known::Commit`] the caller has to end the delay of the follower's service, in either case.
fn overtake(
    arena: &mut Arena<'_>,
    [leader, follower, third]: [usize; 3],
    index: u64,
    known: Known,
) -> Option<Held> {
    let entries = arena.intercept(leader, follower, Kind::Entries);
    let snapshots = arena.intercept(leader, follower, Kind::Snapshots);
    let exchange = arena.exchange(leader, third, Kind::Entries);
    // The lab makes a snapshot at 9, 19 and so on, before it takes the entry after it.
    let last_included = next_snapshot(index + 1);
    let (mut held, mut started) = (Vec::new(), Vec::new());
    for commands in [1, last_included - index, 3] {
        started.extend((0..commands).filter_map(|_| arena.start_known(leader)));
        let (_, command) = started.last()?;
        arena.poll(|_| {
            held.extend(all_of(&entries));
            held.iter().any(|request| carries(request, command)).then_some(())
        })?;
    }
    let last = started.last()?.0;
    let late = started.split_off(started.len().checked_sub(3)?);
    let is_late = |request: &Held| late.iter().any(|(_, command)| carries(request, command));
    arena.bring_in_order(&exchange, |request| !is_late(request))?;
    if !arena.until_committed(started.last()?.0) {
        return None;
    }
    arena.cfg.faults().isolate(third);
    drop(exchange);
    // The follower refuses the second message, as it lacks the first.
    let refused = held.get(1)?;
    refused.deliver();
    let snapshot = arena.poll(|_| snapshots.try_next())?;
    if known == Known::Commit {
        arena.cfg.delay_applies(follower, SLOW_SERVICE);
    }
    let replies = arena.intercept_replies(follower, leader, Kind::Entries);
    for request in &held {
        if request.call == refused.call {
            let before = arena.cfg.rpc_count(follower);
            request.deliver_again();
            arena.until(|arena| arena.cfg.rpc_count(follower) > before);
        } else {
            request.deliver();
            arena.next_caught(&replies, |_, reply| reply.call == request.call)?.deliver();
        }
    }
    drop(replies);
    let is_committed = arena.until_committed(last);
    if known == Known::Commit {
        all_of(&entries).iter().for_each(Held::deliver);
        // Messages from now on carry the new commit index.
        let news = arena.poll(|_| entries.try_next())?;
        news.deliver();
        arena.sleep(MOMENT);
    }
    arena.cfg.faults().isolate(leader);
    [entries, snapshots].iter().flat_map(all_of).for_each(|request| request.lose());
    is_committed.then_some(snapshot)
}

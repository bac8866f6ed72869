//! Staged crashes, pauses and snapshots, each at a critical moment.

use config::{Kind, Setup, next_snapshot};
use labrpc::network::Held;
use rand::RngExt;
use runner::Lab;

use crate::part_e::arena::Arena;
use crate::part_e::staging::{all_of, carries};

/// A server saves several times for an election and a command; the crash is tried at each.
const SAVES_TRIED: u64 = 6;
/// The lab has made a snapshot after this many commands.
const COMMANDS_FOR_A_SNAPSHOT: usize = 12;
const SNAPSHOT_ROUNDS: usize = 3;
/// The crash of one server alone is soon over.
const LONELY_TRIES: usize = 20;

/// A server crashes between a save and what it says next, or between what it said and the save.
pub(crate) fn crash_at_every_save(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for saves in 1..=SAVES_TRIED {
        for is_kept in [true, false] {
            let [leader, follower, third] = arena.roles();
            let victim = if arena.rng.random_ratio(1, 3) { leader } else { follower };
            // Its answer is needed: the third server hears nothing.
            arena.cfg.faults().isolate(third);
            if is_kept {
                arena.cfg.faults().crash_at_save(victim, saves);
            } else {
                arena.cfg.faults().crash_before_save(victim, saves);
            }
            for _ in 0..SAVES_TRIED {
                if let Some(index) = arena.start(leader) {
                    let is_committed = |arena: &Arena<'_>| arena.cfg.n_committed(index).0 > 0;
                    arena.until(|arena| is_committed(arena) || !arena.cfg.is_running(victim));
                }
            }
            // An election is a reason to save as well.
            if arena.cfg.is_running(victim) {
                arena.cfg.faults().isolate(leader);
                arena.cfg.faults().rejoin(third);
                arena.until(|arena| !arena.cfg.is_running(victim));
            }
            tried += usize::from(!arena.cfg.is_running(victim));
            // The server that was told anything is gone. The two others have to know of it.
            arena.cfg.faults().partition(&[&[victim, third]]);
            arena.cfg.relieve(victim);
            if victim != leader {
                arena.agree(&[victim, third]);
            }
            arena.judge_all();
        }
    }
    arena.note_tries(tried);
    arena.end();
}

/// An old leader is paused while another is elected and goes on, then wakes and goes on where it
/// stopped: nothing that it says or takes counts.
pub(crate) fn woken_leader(lab: &Lab) {
    if !sim::is_virtual() {
        lab.find("a server can be paused in virtual time only: not tried".into());
        return;
    }
    let mut arena = Arena::new(lab, Setup::reliable(3));
    // Threads that servers share are known once two servers have led and called the others.
    let [first, a, b] = arena.roles();
    arena.cfg.faults().isolate(first);
    arena.agree(&[a, b]);
    arena.cfg.faults().rejoin(first);
    let mut tried = 0;
    for round in 0..SAVES_TRIED {
        let [old, a, b] = arena.roles();
        // What arrives during the pause deposes it when it wakes, unless nothing arrives.
        if round % 2 == 0 {
            arena.cfg.faults().shut(old);
        }
        for _ in 0..arena.rng.random_range(0..3) {
            arena.start(old);
        }
        if !arena.cfg.faults().pause(old) {
            lab.find("servers share threads, so none can be paused alone: not tried".into());
            break;
        }
        arena.agree(&[a, b]);
        arena.agree(&[a, b]);
        arena.cfg.faults().resume(old);
        tried += usize::from((0..3).filter_map(|_| arena.start(old)).count() > 0);
        arena.cfg.faults().rejoin(old);
        arena.until(|arena| !arena.leads(old));
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}

/// An old InstallSnapshot arrives when its receiver has got further: it takes nothing back (7).
///
/// A server that missed a lot is sent a snapshot, twice. Before the second arrives it gets more,
/// and only it and the leader have that; then the leader goes. In one round the receiver crashes
/// before the second arrives, and forgets what it knew to be committed; in another the leader stays
/// where it is: the receiver itself may have gone back.
pub(crate) fn old_snapshot(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for (stays, has_crashed) in [(false, false), (false, true), (true, false)] {
        let [leader, other, away] = arena.roles();
        arena.cfg.faults().isolate(away);
        for _ in 0..COMMANDS_FOR_A_SNAPSHOT {
            arena.agree(&[leader, other]);
        }
        // It may depose the leader when it comes back.
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
    arena.note_tries(tried);
    arena.end();
}

/// A snapshot arrives after entries that were sent before it and go further: what a follower has
/// behind the snapshot, and has acknowledged, stays (7).
///
/// The entries are held. Meanwhile the leader commits the first of them with the third server,
/// forgets them, and hears that the follower lacks them; so it sends a snapshot, which arrives
/// when the follower has got all entries, and knows of none that it is committed. Only it and the
/// leader have the last ones; the leader goes.
pub(crate) fn overtaken_snapshot(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for _ in 0..SNAPSHOT_ROUNDS {
        let [leader, follower, third] = arena.roles();
        let all = arena.all();
        let index = arena.agree(&all);
        if let Some(snapshot) = overtake(&mut arena, [leader, follower, third], index) {
            tried += 1;
            snapshot.deliver();
            arena.cfg.faults().partition(&[&[follower, third]]);
            arena.agree(&[follower, third]);
        }
        arena.judge_all();
    }
    arena.note_tries(tried);
    arena.end();
}

/// A snapshot on its way to a follower that has all entries by now, also those behind it; its
/// leader is cut off. None if the leader does not send the entries in several messages before it
/// hears of the first, or sends no snapshot.
fn overtake(
    arena: &mut Arena<'_>,
    [leader, follower, third]: [usize; 3],
    index: u64,
) -> Option<Held> {
    let entries = arena.intercept(leader, follower, Kind::Entries);
    let snapshots = arena.intercept(leader, follower, Kind::Snapshots);
    let exchange = arena.exchange(leader, third, Kind::Entries);
    // The lab makes a snapshot at 9, 19 and so on, before it takes the entry behind it.
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
    arena.cfg.faults().isolate(leader);
    [entries, snapshots].iter().flat_map(all_of).for_each(|request| request.lose());
    is_committed.then_some(snapshot)
}

/// A server that is a majority by itself crashes before it saves a command: if it has applied that,
/// nobody can ever apply another in its place.
pub(crate) fn alone(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(1));
    let mut tried = 0;
    for _ in 0..LONELY_TRIES {
        arena.agree(&[0]);
        arena.cfg.faults().crash_before_save(0, 1);
        arena.start(0);
        tried += usize::from(arena.until(|arena| !arena.cfg.is_running(0)));
        arena.cfg.relieve(0);
    }
    arena.note_tries(tried);
    arena.agree(&[0]);
    arena.end();
}

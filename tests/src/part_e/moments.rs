//! Staged crashes, pauses and snapshots: each at the moment at which it hurts.

use config::{Kind, Setup};
use labrpc::{Delay, Disturbance};
use rand::RngExt;

use crate::part_e::arena::Arena;
use runner::Lab;

/// A server saves several times for an election and a command; the crash is tried at each.
const SAVES_TRIED: u64 = 6;
/// The lab has made a snapshot when so many commands were applied.
const COMMANDS_FOR_A_SNAPSHOT: usize = 12;
const SNAPSHOT_ROUNDS: usize = 3;
/// The crash of one server alone is soon over.
const LONELY_TRIES: usize = 20;

/// A server crashes between a save and what it says next, or between what it said and the save.
pub(crate) fn crash_at_every_save(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    for saves in 1..=SAVES_TRIED {
        for is_kept in [true, false] {
            let [leader, follower, third] = arena.roles();
            let victim = if arena.rng.random_ratio(1, 3) { leader } else { follower };
            // Its word is needed: the third server hears nothing.
            arena.cfg.faults().isolate(third);
            if is_kept {
                arena.cfg.faults().crash_at_save(victim, saves);
            } else {
                arena.cfg.faults().crash_before_save(victim, saves);
            }
            for _ in 0..SAVES_TRIED {
                arena.start(leader);
                arena.sleep_ms(30);
            }
            // An election is a reason to save as well.
            if arena.cfg.is_running(victim) {
                arena.cfg.faults().isolate(leader);
                arena.cfg.faults().rejoin(third);
                arena.until_within(900, |arena| !arena.cfg.is_running(victim));
            }
            // Who was told anything is gone, and the two others have to know of it.
            arena.cfg.faults().partition(&[&[victim, third]]);
            arena.cfg.relieve(victim);
            if victim != leader {
                arena.agree(&[victim, third]);
            }
            arena.judge_all();
        }
    }
    arena.end();
}

/// An old leader is paused while another is elected and goes on, then wakes and goes on where it
/// stood: nothing of what it says and takes counts.
pub(crate) fn woken_leader(lab: &Lab) {
    if !sim::is_virtual() {
        lab.find("a server can be paused in virtual time only: not tried".into());
        return;
    }
    let mut arena = Arena::new(lab, Setup::reliable(3));
    for _ in 0..SAVES_TRIED {
        let [old, a, b] = arena.roles();
        for _ in 0..arena.rng.random_range(0..3) {
            arena.start(old);
        }
        arena.cfg.faults().pause(old);
        arena.agree(&[a, b]);
        arena.agree(&[a, b]);
        arena.cfg.faults().resume(old);
        (0..3).for_each(|_| {
            arena.start(old);
        });
        arena.sleep_ms(100);
        arena.judge_all();
    }
    arena.end();
}

/// An old InstallSnapshot arrives when its receiver has got further: it takes nothing back (7).
///
/// A server that missed a lot is sent a snapshot, twice. Before the second arrives it gets more,
/// and only it and the leader have that; then the leader goes.
pub(crate) fn old_snapshot(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    for round in 0..SNAPSHOT_ROUNDS {
        let [leader, other, away] = arena.roles();
        arena.cfg.faults().isolate(away);
        for _ in 0..COMMANDS_FOR_A_SNAPSHOT {
            arena.agree(&[leader, other]);
        }
        let late_ms = [250, 350, 900][round % 3];
        let twice = Disturbance {
            duplicate_permille: 1000,
            duplicate_delay_ms: Some(late_ms..=late_ms),
            ..Disturbance::default()
        };
        // The calls of before are over, so that what arrives twice is the snapshot.
        arena.sleep_ms(200);
        let Some(sender) = arena.latest_leader().filter(|sender| *sender != away) else { continue };
        let other = if sender == leader { other } else { leader };
        let before = arena.cfg.snapshots_applied(away);
        arena.cfg.faults().disturb(sender, away, twice);
        arena.cfg.faults().rejoin(away);
        arena.until(|arena| arena.cfg.snapshots_applied(away) > before);
        arena.cfg.faults().calm(sender, away);

        arena.cfg.faults().isolate(other);
        arena.start(sender);
        if let Some(index) = arena.start(sender) {
            arena.until_within(late_ms - 50, |arena| arena.cfg.n_committed(index).0 > 1);
        }
        // The longer wait leaves the leader where it is: the receiver itself may have gone back.
        if late_ms < 500 {
            arena.cfg.faults().isolate(sender);
        }
        arena.sleep_ms(late_ms + 20);
        arena.cfg.faults().partition(&[&[away, other]]);
        arena.agree(&[away, other]);
        arena.judge_all();
    }
    arena.end();
}

/// A snapshot arrives after entries that were sent before it and go further: what a follower has
/// behind the snapshot, and has acknowledged, stays (7).
///
/// The entries are slow. Meanwhile the leader commits the first of them with the third server,
/// forgets them, and is told that the follower lacks them; so it sends a snapshot, which arrives
/// when the follower has got all entries. Only it and the leader have the last ones; the leader
/// goes.
pub(crate) fn overtaken_snapshot(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    // What snapshots are called is seen when one is needed.
    let [leader, other, away] = arena.roles();
    arena.cfg.faults().isolate(away);
    for _ in 0..COMMANDS_FOR_A_SNAPSHOT {
        arena.agree(&[leader, other]);
    }
    arena.judge_all();
    let names = arena.cfg.names_of(Kind::Snapshots);
    let rounds = if names.is_empty() { 0 } else { SNAPSHOT_ROUNDS };
    for _ in 0..rounds {
        let [leader, follower, third] = arena.roles();
        let all = arena.all();
        let index = arena.agree(&all);
        arena.sleep_ms(150);
        let slow = |ms| Disturbance { delay: Some(Delay::Uniform(ms..=ms)), ..Default::default() };
        arena.cfg.faults().disturb(leader, follower, slow(400));
        arena.cfg.faults().disturb(leader, third, slow(150));
        // The lab makes a snapshot at 9, 19 and so on.
        for _ in index..(index + 1) / 10 * 10 + 9 {
            arena.start(leader);
        }
        arena.sleep_ms(5);
        arena.cfg.faults().cut(leader, third);
        for _ in 0..3 {
            arena.start(leader);
        }
        arena.sleep_ms(145);
        arena.cfg.faults().disturb(leader, follower, slow(350).only(&names));
        arena.sleep_ms(100);
        arena.cfg.faults().isolate(third);
        arena.cfg.faults().cut(leader, follower);
        arena.sleep_ms(320);
        arena.cfg.faults().isolate(leader);
        arena.cfg.faults().partition(&[&[follower, third]]);
        arena.agree(&[follower, third]);
        arena.judge_all();
    }
    arena.end();
}

/// A server that is a majority by itself crashes before it saves a command: if it has applied that,
/// nobody can ever apply another in its place.
pub(crate) fn alone(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(1));
    for _ in 0..LONELY_TRIES {
        arena.agree(&[0]);
        arena.cfg.faults().crash_before_save(0, 1);
        arena.start(0);
        arena.sleep_ms(20);
        arena.cfg.relieve(0);
    }
    arena.agree(&[0]);
    arena.end();
}

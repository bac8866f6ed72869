//! Staged crashes and pauses, each at a critical moment.

use config::Setup;
use rand::RngExt;
use runner::Lab;

use crate::part_e::arena::Arena;

/// A server saves several times for an election and a command; the crash is tried at each.
const SAVES_TRIED: u64 = 6;
const WOKEN_ROUNDS: usize = 6;
/// A cluster of one server recovers quickly from a crash: there is time for many tries.
const LONELY_TRIES: usize = 20;

/// A server crashes after a save and before its next message, or after a message and before its
/// next save.
pub(crate) fn crash_at_every_save(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for saves in 1..=SAVES_TRIED {
        for is_kept in [true, false] {
            let [leader, follower, third] = arena.roles();
            let victim = if arena.rng.random_ratio(1, 3) { leader } else { follower };
            // The victim's reply is needed for a majority: the third server is isolated.
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
            // An election is a reason to save, too.
            if arena.cfg.is_running(victim) {
                arena.cfg.faults().isolate(leader);
                arena.cfg.faults().rejoin(third);
                arena.until(|arena| !arena.cfg.is_running(victim));
            }
            tried += usize::from(!arena.cfg.is_running(victim));
            // The leader, which got the victim's messages, is cut off. The two others must have
            // what those promised.
            arena.cfg.faults().partition(&[&[victim, third]]);
            arena.cfg.relieve(victim);
            if victim != leader {
                arena.agree(&[victim, third]);
            }
            arena.judge_all();
        }
    }
    arena.note_tries("crashes around a save", tried);
    arena.end();
}

/// An old leader is paused while another is elected and goes on, then it resumes and continues
/// where it stopped. None of its messages, and none of the commands that it takes, may count.
pub(crate) fn woken_leader(lab: &Lab) {
    if !sim::is_virtual() {
        lab.find("a server can be paused only in virtual time: not tried".into());
        return;
    }
    let mut arena = Arena::new(lab, Setup::reliable(3));
    // Threads that servers share are known once two servers have led and called the others.
    let [first, a, b] = arena.roles();
    arena.cfg.faults().isolate(first);
    arena.agree(&[a, b]);
    arena.cfg.faults().rejoin(first);
    let mut tried = 0;
    for round in arena.rounds(WOKEN_ROUNDS) {
        let [old, a, b] = arena.roles();
        // Messages that arrive during the pause depose it when it resumes. In half of the rounds
        // none arrives.
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
    arena.note_tries("a leader that was paused", tried);
    arena.end();
}

/// A server that is a majority by itself crashes before it saves a command: if it has applied the
/// command, no other command may ever be applied at that index.
pub(crate) fn alone(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(1));
    let mut tried = 0;
    for _ in arena.rounds(LONELY_TRIES) {
        arena.agree(&[0]);
        arena.cfg.faults().crash_before_save(0, 1);
        arena.start(0);
        tried += usize::from(arena.until(|arena| !arena.cfg.is_running(0)));
        arena.cfg.relieve(0);
    }
    arena.note_tries("a server that is a majority by itself", tried);
    arena.agree(&[0]);
    arena.end();
}

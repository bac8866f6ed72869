//! When an election timer is reset (Figure 2, rules for followers). Wrong resets elect leaders too
//! often or too late.

use std::time::{Duration, Instant};

use config::{FindingKind, RAFT_ELECTION_TIMEOUT};
use labrpc::network::{Delay, Disturbance};

use crate::part_e::arena::{Arena, LEADER_LIMIT};
use crate::part_e::judgements::{self, Finding};

const ROUNDS: usize = 7;
/// The delay of a request, of its reply and of the next request.
const DELAY_MS: u64 = 60;
/// The time from a vote to the new leader's first message. The paper's shortest election timeout,
/// 150 ms, is longer.
const FIRST_HEARTBEAT_MS: u128 = 2 * DELAY_MS as u128;
/// How often a follower restarts.
const RESTARTS: usize = 5;
/// How long the test waits for an election after each restart: longer than two heartbeats.
const AFTER_RESTART: Duration = Duration::from_millis(300);
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// The leader is isolated, one of the two others stands, and the other one votes for it. The voter
/// has to wait a full timeout for the new leader. If the vote did not reset its timer, it often
/// stands before it can hear from that leader.
pub(crate) fn hasty_voters(arena: &mut Arena<'_>) -> Finding {
    let way = Delay::Uniform(DELAY_MS..=DELAY_MS);
    let mut hasty = Vec::new();
    for _ in 0..ROUNDS {
        let [leader, a, b] = arena.roles();
        let term = arena.term(leader);
        arena
            .cfg
            .faults()
            .disturb_all(&Disturbance { delay: Some(way.clone()), ..Default::default() });
        arena.cfg.faults().isolate(leader);
        hasty.extend(hasty_voter(arena, [a, b], term));
        arena.cfg.faults().heal_all();
        // The old leader hears of the new one.
        arena.until(|arena| arena.term(leader) > term);
    }
    judgements::hasty_voters(&hasty, ROUNDS, FIRST_HEARTBEAT_MS)
}

/// The server, if any, that entered the term after `term` and left it for the next one by itself,
/// before it can have heard from a leader.
fn hasty_voter(arena: &mut Arena<'_>, pair: [usize; 2], term: u64) -> Option<usize> {
    let end = Instant::now() + 2 * RAFT_ELECTION_TIMEOUT;
    let mut came: [Option<Instant>; 2] = [None; 2];
    while Instant::now() < end {
        let terms = pair.map(|server| arena.term(server));
        for (at, came) in came.iter_mut().enumerate() {
            if terms[at] > term && came.is_none() {
                *came = Some(Instant::now());
            }
        }
        if let [Some(a), Some(b)] = came {
            let later = usize::from(b > a);
            let ms = came[later].expect("both came").elapsed().as_millis();
            if ms >= FIRST_HEARTBEAT_MS {
                return None;
            }
            // It did not learn that term from the other one, which is still in the term before.
            if terms[later] == term + 2 && terms[1 - later] == term + 1 {
                return Some(pair[later]);
            }
        }
        arena.sleep(LOOK_INTERVAL);
    }
    None
}

/// The leader of an old term hears nothing, and still sends to two servers that have a new leader
/// and then lose it. Its messages must not keep them from electing another.
pub(crate) fn late_election(arena: &mut Arena<'_>) -> Finding {
    let mut finding = None;
    let [old, a, b] = arena.roles();
    arena.cfg.faults().isolate(old);
    let leader = arena.leader_of(&[a, b]);
    arena.cfg.faults().heal(old, a);
    arena.cfg.faults().heal(old, b);
    // It comes back as a follower, so that no server leads the new term.
    arena.cfg.restart(leader);
    let elected =
        arena.poll_within(LEADER_LIMIT, |arena| (arena.leads(a) || arena.leads(b)).then_some(()));
    if elected.is_none() && arena.leads(old) {
        arena.cfg.faults().isolate(old);
        arena.leader_of(&[a, b]);
        let (a, b) = (a.min(b), a.max(b));
        let sentence = format!(
            "servers {a} and {b} elected no leader for {} s, while they received messages from \
             server {old}, the leader of an old term: do these reset their election timers?",
            LEADER_LIMIT.as_secs()
        );
        finding = Some((FindingKind::LateElections, sentence));
    }
    arena.judge_all();
    finding
}

/// A follower of a healthy cluster restarts immediately after a crash. Its leader goes on leading.
/// A server that starts with an expired timer deposes that leader.
pub(crate) fn hasty_restarts(arena: &mut Arena<'_>) -> Finding {
    let mut deposed = 0;
    for _ in arena.rounds(RESTARTS) {
        let [leader, follower, _] = arena.roles();
        let term = arena.term(leader);
        arena.cfg.restart(follower);
        arena.sleep(AFTER_RESTART);
        deposed += usize::from(arena.term(leader) > term);
    }
    judgements::hasty_restarts(deposed, RESTARTS)
}

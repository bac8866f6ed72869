//! Clients that start commands at all servers, while leaders come and go and the lab is slow to
//! apply.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use choice::Stream;
use config::command::show;
use config::{Class, Config, RAFT_ELECTION_TIMEOUT, SNAPSHOT_INTERVAL, Setup, next_snapshot};
use rand::RngExt;
use runner::Lab;

use crate::clients::Client;
use crate::draw;
use crate::part_e::arena::Arena;

const SERVERS: usize = 5;
const CLIENTS: usize = 4;
const ROUNDS: usize = 12;
/// The longest time that the lab takes for one applied message.
const APPLY_DELAY_MS_MAX: u64 = 20;
/// The time between two faults, in which the clients work undisturbed.
const PEACE: Duration = Duration::from_millis(400);
/// A leader that crashes comes back after this time: often before another is elected.
const DOWN: Duration = Duration::from_millis(300);
/// A leader that is cut off misses at least this many entries: more than two of the lab's
/// snapshots, so that it gets one when it comes back.
const MISSED: u64 = 20;
/// A slow service takes this long for one message: long enough for the others to go on by
/// [`MISSED`] entries.
const SLOW_SERVICE: Duration = Duration::from_secs(2);
/// The interval at which a client checks whether its commands were committed.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// The maximum number of these checks.
const LOOKS: usize = 30;

/// Four clients start bursts of commands. A command that one of them saw committed stays committed.
pub(crate) fn client_storms(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(SERVERS).with_snapshots());
    let all = arena.all();
    arena.agree(&all);
    snapshot_while_one_is_made(&mut arena);
    let stop = AtomicBool::new(false);
    let cfg = Arc::clone(&arena.cfg);
    let seen: Vec<(u64, Vec<u8>)> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|me| {
                let (cfg, stop, rng) = (&cfg, &stop, lab.client_rng(me));
                Client::start(scope, me, move || client(cfg, rng, stop))
            })
            .collect();
        come_and_go(&mut arena);
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(Client::join).collect()
    });
    arena.judge_all();
    for (index, command) in seen {
        let (_, committed) = arena.cfg.n_committed(index);
        if committed.as_ref() != Some(&command) {
            let sentence = format!("a client saw {} committed, but it is lost", show(&command));
            lab.fail(Class::Safety, sentence);
        }
    }
    arena.end();
}

/// A server gets a snapshot while its service is about to make one of its own. The service calls
/// `snapshot` before it receives the other.
fn snapshot_while_one_is_made(arena: &mut Arena<'_>) {
    let roles: [usize; SERVERS] = arena.roles();
    let ([leader, slow, ..], all) = (roles, arena.all());
    let others: Vec<usize> = all.iter().copied().filter(|server| *server != slow).collect();
    // At the next entry the service makes a snapshot. An implementation with entries of its own may
    // never come to that point; then the scenario does not occur.
    let is_next = |index: u64| next_snapshot(index) == index + 1;
    if !(0..2 * SNAPSHOT_INTERVAL).any(|_| is_next(arena.agree(&all))) {
        return;
    }
    arena.cfg.delay_applies(slow, SLOW_SERVICE);
    let Some(index) = arena.start(leader) else { return };
    arena.until(|arena| arena.cfg.n_committed(index).0 >= others.len());
    // In this time the slow server learns that the entry is committed.
    arena.sleep(RAFT_ELECTION_TIMEOUT / 4);
    arena.cfg.faults().isolate(slow);
    for _ in 0..MISSED {
        arena.agree(&others);
    }
    arena.cfg.faults().rejoin(slow);
    arena.cfg.apply_at_once(slow);
    arena.sleep(SLOW_SERVICE);
    arena.judge_all();
}

/// Leaders are cut off and come back, and some servers are slow to apply.
fn come_and_go(arena: &mut Arena<'_>) {
    for _ in 0..ROUNDS {
        let slow = arena.rng.random_range(0..SERVERS);
        let time_ms = arena.rng.random_range(0..=APPLY_DELAY_MS_MAX);
        arena.cfg.delay_applies(slow, Duration::from_millis(time_ms));
        arena.sleep(PEACE);
        let Some(leader) = arena.latest_leader() else { continue };
        match arena.rng.random_range(0..3) {
            0 => {
                arena.cfg.faults().isolate(leader);
                let others = |arena: &Arena<'_>| {
                    (0..SERVERS).find(|one| *one != leader && arena.leads(*one))
                };
                if let Some(index) = arena.poll(others).and_then(|heir| arena.start(heir)) {
                    arena.until_committed(index + MISSED);
                }
                arena.cfg.faults().rejoin(leader);
            }
            1 => {
                arena.cfg.crash(leader);
                arena.sleep(DOWN);
                arena.cfg.restart(leader);
            }
            _ => {}
        }
    }
}

/// Starts bursts of commands at all servers. Returns the commands that it saw committed.
fn client(cfg: &Config, mut rng: Stream, stop: &AtomicBool) -> Vec<(u64, Vec<u8>)> {
    let mut seen = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let mut taken = Vec::new();
        for _ in 0..rng.random_range(1..=8) {
            for server in 0..cfg.n() {
                let command = draw::command(&mut rng);
                if let Some(started) = cfg.start(server, command.clone()) {
                    taken.push((started.index, command));
                }
            }
        }
        for _ in 0..LOOKS {
            cfg.sleep(LOOK_INTERVAL);
            taken.retain(|(index, command)| {
                let (count, committed) = cfg.n_committed(*index);
                if committed.as_ref() == Some(command) {
                    seen.push((*index, command.clone()));
                }
                count == 0
            });
            if taken.is_empty() {
                break;
            }
        }
        cfg.sleep(Duration::from_millis(rng.random_range(0..200)));
    }
    seen
}

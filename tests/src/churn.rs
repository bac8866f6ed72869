//! The churn of part 3C: clients that never pause, and servers that crash and come back.
//!
//! In the original each round crashes, restarts and disconnects servers by chance, so a run can do
//! none of that. Here each happens exactly as often as it does there on average, in random rounds.
//! The clients first get a second in which nothing fails. So it is also a failure if no client sees
//! a command of its own committed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use choice::Stream;
use config::command::show;
use config::{Class, Config, Failure, RAFT_ELECTION_TIMEOUT, Rule, Setup};
use rand::RngExt;
use rand::seq::IteratorRandom;
use runner::Lab;

use crate::clients::Client;
use crate::draw;

const CLIENTS: usize = 3;
const ROUNDS: usize = 20;
/// The number of rounds in which a server is disconnected.
const DISCONNECTS: usize = 4;
/// The number of rounds in which a server is connected, and started if it does not run.
const RETURNS: usize = 10;
/// The number of rounds in which a running server is crashed.
const CRASHES: usize = 4;
/// A client checks after each of these pauses whether its command was committed. The original also
/// checks immediately and after 10 ms, when nothing can be committed yet in real time. In virtual
/// time a command can be committed by then, and logs would get three times as long as in the
/// original.
const LOOKS_AFTER_MS: [u64; 4] = [30, 50, 100, 200];

/// `internalChurn` of 6.824.
pub(crate) fn churn(lab: &Lab, setup: Setup) {
    let servers = setup.servers;
    let cfg = lab.make_config(setup);
    let mut rng = lab.rng();
    let stop = AtomicBool::new(false);
    cfg.begin();
    cfg.check_one_leader();
    let seen: Vec<Vec<u8>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|me| {
                let (cfg, stop, rng) = (&cfg, &stop, lab.client_rng(me));
                Client::start(scope, me, move || client(cfg, me, rng, stop))
            })
            .collect();
        cfg.sleep(RAFT_ELECTION_TIMEOUT);
        come_and_go(&cfg, &mut rng);
        cfg.sleep(RAFT_ELECTION_TIMEOUT);
        cfg.network().reliable(true);
        for server in 0..servers {
            if !cfg.is_running(server) {
                cfg.start_server(server);
            }
            cfg.connect(server);
        }
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(Client::join).collect()
    });
    cfg.sleep(RAFT_ELECTION_TIMEOUT);

    let last = cfg.one(&draw::command(&mut rng), servers, true);
    let committed: Vec<Vec<u8>> =
        (1..=last).filter_map(|index| cfg.wait(index, servers, None)).collect();
    if let Some(lost) = seen.iter().find(|command| !committed.contains(command)) {
        let sentence = format!("a client saw {} committed, but it is in no log", show(lost));
        lab.fail(Class::Safety, sentence);
    }
    if seen.is_empty() {
        let sentence = "no client saw a command of its own committed, within 15 s";
        lab.referee().stop(Failure::new(Class::Liveness, sentence).with_rule(Rule::L2));
    }
    cfg.end();
}

/// Twenty rounds of crashes, restarts and disconnections.
fn come_and_go(cfg: &Config, rng: &mut Stream) {
    let disconnects = draw::in_some_rounds(rng, DISCONNECTS, ROUNDS);
    let returns = draw::in_some_rounds(rng, RETURNS, ROUNDS);
    let crashes = draw::in_some_rounds(rng, CRASHES, ROUNDS);
    for round in 0..ROUNDS {
        if disconnects[round] {
            cfg.disconnect(rng.random_range(0..cfg.n()));
        }
        if returns[round] {
            let server = rng.random_range(0..cfg.n());
            if !cfg.is_running(server) {
                cfg.start_server(server);
            }
            cfg.connect(server);
        }
        if crashes[round] {
            let running = (0..cfg.n()).filter(|server| cfg.is_running(*server));
            running.choose(rng).into_iter().for_each(|server| cfg.crash(server));
        }
        // Shorter than some elections, so that these do not finish.
        cfg.sleep(RAFT_ELECTION_TIMEOUT * 7 / 10);
    }
}

/// Starts commands until it has to stop. Returns the commands that it saw committed.
fn client(cfg: &Config, me: usize, mut rng: Stream, stop: &AtomicBool) -> Vec<Vec<u8>> {
    let mut seen = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let command = draw::command(&mut rng);
        let started = (0..cfg.n()).filter_map(|server| cfg.start(server, command.clone()));
        match started.last() {
            Some(started) if is_committed(cfg, started.index, &command) => seen.push(command),
            Some(_) => {}
            None => cfg.sleep(Duration::from_millis(79 + 17 * me as u64)),
        }
    }
    seen
}

/// Waits only a short time: if the leader is lost, the command is perhaps never committed.
fn is_committed(cfg: &Config, index: u64, command: &[u8]) -> bool {
    for pause_ms in LOOKS_AFTER_MS {
        cfg.sleep(Duration::from_millis(pause_ms));
        if let (1.., Some(committed)) = cfg.n_committed(index) {
            return committed == command;
        }
    }
    false
}

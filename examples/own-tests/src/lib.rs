//! Tests that the labs do not have, as a course or an engineer may add them.
//!
//! A test is a function that gets a [`Lab`]. A [`Suite`] lists tests with their parts and points.
//! `tests/labs.rs` runs them with the labs, and `src/bin/own-grade.rs` is a grader with them.

use std::time::Duration;

use config::command::number;
use config::{Class, Config, RAFT_ELECTION_TIMEOUT, Setup};
use runner::{Lab, Part, Suite, Test};

/// A leader has to be elected within this time.
const ELECTION_LIMIT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The part of these tests. Its points are extra points, like those of part 3E.
const OWN: Part = Part { name: "own", title: "Our own tests", edition: None, counts: false };

/// The tests of this crate.
pub const SUITE: Suite = Suite {
    name: "own tests",
    parts: &[OWN],
    tests: &[
        Test {
            part: OWN,
            words: "restarted follower",
            points: 2,
            original: None,
            purpose: "A follower that restarts with an up-to-date log does not depose the leader.",
            run: restarted_follower,
        },
        Test {
            part: OWN,
            words: "healed partition",
            points: 3,
            original: None,
            purpose: "A command of the majority is applied once, and one of the minority never.",
            run: healed_partition,
        },
    ],
};

/// Does the leader stay while each follower crashes and restarts?
fn restarted_follower(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    cfg.one(&number(101), servers, true);
    let leader = cfg.check_one_leader();
    let term = cfg.check_terms();

    for follower in (0..servers).filter(|server| *server != leader) {
        cfg.restart(follower);
        cfg.sleep(2 * RAFT_ELECTION_TIMEOUT);
        let now = (cfg.check_one_leader(), cfg.check_terms());
        if now != (leader, term) {
            let sentence = format!(
                "server {leader} led term {term}; after a restart of server {follower}, \
                 server {} leads term {}",
                now.0, now.1
            );
            lab.fail(Class::Liveness, sentence);
        }
    }
    cfg.end();
}

/// Is a command that a majority takes during a partition applied once by every server after it
/// heals, and a command of the minority by none?
fn healed_partition(lab: &Lab) {
    let servers = 5;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    cfg.one(&number(101), servers, true);
    let old = cfg.check_one_leader();
    let minority = [old, (old + 1) % servers];
    let majority = [2, 3, 4].map(|distance| (old + distance) % servers);
    cfg.faults().partition(&[&minority, &majority]);

    // The old leader takes a command, but cannot commit it.
    cfg.start_at_leader(old, &number(102));
    let new = wait_for_leader(lab, &cfg, &majority);
    let index = cfg.start_at_leader(new, &number(103)).index;
    cfg.wait(index, majority.len(), None);

    cfg.faults().heal_all();
    let last = cfg.one(&number(104), servers, true);
    let applied: Vec<_> = (1..=last).filter_map(|index| cfg.n_committed(index).1).collect();
    for (command, times) in [(102, 0), (103, 1)] {
        let found = applied.iter().filter(|other| **other == number(command)).count();
        if found != times {
            let sentence = format!("command {command} was applied {found} times; expected {times}");
            lab.fail(Class::Safety, sentence);
        }
    }
    cfg.end();
}

/// Waits until one of these servers says that it leads, and returns it.
fn wait_for_leader(lab: &Lab, cfg: &Config, group: &[usize]) -> usize {
    let leads = |server: usize| cfg.get_state(server).is_some_and(|(_, leads)| leads);
    let mut waited = Duration::ZERO;
    while waited < ELECTION_LIMIT {
        if let Some(leader) = group.iter().copied().find(|server| leads(*server)) {
            return leader;
        }
        cfg.sleep(POLL_INTERVAL);
        waited += POLL_INTERVAL;
    }
    let limit = ELECTION_LIMIT.as_secs();
    lab.fail(Class::Liveness, format!("the majority {group:?} elected no leader within {limit} s"))
}

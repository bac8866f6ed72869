//! Part 3A: leader election and heartbeats.

use std::time::Duration;

use config::{Class, FindingKind, RAFT_ELECTION_TIMEOUT, Setup};
use rand::seq::IndexedRandom;
use runner::Lab;

/// TestInitialElection3A: is a leader elected, and does it stay while nothing fails?
pub(crate) fn initial_election(lab: &Lab) {
    let cfg = lab.make_config(Setup::reliable(3));
    cfg.begin();
    cfg.check_one_leader();

    // The others may still have to learn of the election.
    cfg.sleep(Duration::from_millis(50));
    let term1 = cfg.check_terms();
    if term1 < 1 {
        let sentence = format!("a leader was elected in term {term1}; the first term is 1");
        lab.fail_at(
            Class::Contract,
            sentence,
            "where a server stands for election; it raises current_term from 0 to 1 first \
             (section 5.2)",
        );
    }

    cfg.sleep(2 * RAFT_ELECTION_TIMEOUT);
    let term2 = cfg.check_terms();
    if term1 != term2 {
        // The original only warns here, too.
        lab.note(
            FindingKind::NeedlessElections,
            format!("the term went from {term1} to {term2} although nothing had failed"),
        );
    }
    cfg.check_one_leader();
    cfg.end();
}

/// TestReElection3A: is a disconnected leader replaced, and is no leader elected without a
/// majority?
pub(crate) fn re_election(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();

    // If the leader is cut off, a new one is elected.
    let leader1 = cfg.check_one_leader();
    cfg.disconnect(leader1);
    cfg.check_one_leader();

    // If the old leader comes back, that does not disturb the new one.
    cfg.connect(leader1);
    let leader2 = cfg.check_one_leader();

    // Without a majority no server is elected.
    cfg.disconnect(leader2);
    cfg.disconnect((leader2 + 1) % servers);
    cfg.sleep(2 * RAFT_ELECTION_TIMEOUT);
    cfg.check_no_leader();

    // With a majority, a leader is elected.
    cfg.connect((leader2 + 1) % servers);
    cfg.check_one_leader();

    // The return of the last server changes nothing.
    cfg.connect(leader2);
    cfg.check_one_leader();
    cfg.end();
}

/// TestManyElections3A: nine times, three of seven servers are disconnected.
///
/// The original draws three servers, which can be the same one and need not include the leader. So
/// a round can test nothing. Here they are the leader and two others.
pub(crate) fn many_elections(lab: &Lab) {
    let servers = 7;
    let cfg = lab.make_config(Setup::reliable(servers));
    let mut rng = lab.rng();
    cfg.begin();
    let mut leader = cfg.check_one_leader();
    for _ in 1..10 {
        let others: Vec<usize> = (0..servers).filter(|server| *server != leader).collect();
        let mut away: Vec<usize> = others.sample(&mut rng, 2).copied().collect();
        away.push(leader);
        for server in &away {
            cfg.disconnect(*server);
        }
        // Either the current leader is still alive, or the other four elect a new one.
        cfg.check_one_leader();
        for server in &away {
            cfg.connect(*server);
        }
        leader = cfg.check_one_leader();
    }
    cfg.check_one_leader();
    cfg.end();
}

//! Part 3C: what survives a crash, and all of Raft on a network that loses, delays and reorders.
//!
//! The commands of the original's Figure 8 (unreliable) are below 10,000, so that two may be equal
//! and one be taken for the other. Here no two commands of a random test are.

use std::thread;

use config::command::number;
use config::{Config, RAFT_ELECTION_TIMEOUT, Setup};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use runner::Lab;

use crate::churn;
use crate::clients::Client;
use crate::draw;

/// The rounds of both tests of Figure 8.
const ROUNDS: usize = 1000;
/// From this round on the network reorders replies in the unreliable one.
const REORDERING_FROM: usize = 200;

/// TestPersist13C: does agreement go on after all have crashed, or the leader, or a follower?
pub(crate) fn persist_1(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    cfg.one(&number(11), servers, true);

    // All of them. Unlike the original's, none still runs when the first comes back.
    cfg.restart_all();
    cfg.one(&number(12), servers, true);

    let leader1 = cfg.check_one_leader();
    cfg.disconnect(leader1);
    cfg.restart(leader1);
    cfg.one(&number(13), servers, true);

    let leader2 = cfg.check_one_leader();
    cfg.disconnect(leader2);
    let index = cfg.one(&number(14), servers - 1, true);
    cfg.restart(leader2);
    // Before the next command, or that could hide a leader which forgot this one. The original
    // waits for index 4, which is another command's after a retry.
    cfg.wait(index, servers, None);

    let follower = (cfg.check_one_leader() + 1) % servers;
    cfg.disconnect(follower);
    cfg.one(&number(15), servers - 1, true);
    cfg.restart(follower);
    cfg.one(&number(16), servers, true);
    cfg.end();
}

/// TestPersist23C: does agreement go on while majorities crash and only partly come back?
///
/// In the original of 2024 two of the five are only cut off, so that no leader ever crashes. Here
/// they are restarted like the others, as in the edition of 2025.
pub(crate) fn persist_2(lab: &Lab) {
    let servers = 5;
    let cfg = lab.make_config(Setup::reliable(servers));
    let mut commands = (11..).map(number);
    let mut one = |servers| cfg.one(&commands.next().expect("numbers do not end"), servers, true);
    cfg.begin();
    for _ in 0..5 {
        one(servers);
        let leader = cfg.check_one_leader();
        let [leader, a, b, c, d] = [0, 1, 2, 3, 4].map(|k| (leader + k) % servers);

        // Two miss a command.
        cfg.disconnect(a);
        cfg.disconnect(b);
        one(3);

        // The three that have it go. The two come back, but they are no majority.
        for server in [leader, c, d] {
            cfg.disconnect(server);
        }
        cfg.restart(a);
        cfg.restart(b);
        cfg.sleep(RAFT_ELECTION_TIMEOUT);

        // With a third they are: it is the only one of them that has the command.
        cfg.restart(c);
        one(3);

        cfg.restart(d);
        cfg.restart(leader);
    }
    cfg.one(&number(1000), servers, true);
    cfg.end();
}

/// TestPersist33C: is a command kept that one server missed, when the other two crash and only one
/// of them comes back?
pub(crate) fn persist_3(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    cfg.one(&number(101), servers, true);

    let leader = cfg.check_one_leader();
    let [leader, follower, misses] = [0, 1, 2].map(|k| (leader + k) % servers);
    cfg.disconnect(misses);
    cfg.one(&number(102), 2, true);

    cfg.crash(leader);
    cfg.crash(follower);
    cfg.connect(misses);
    cfg.restart(leader);
    cfg.one(&number(103), 2, true);

    cfg.restart(follower);
    cfg.one(&number(104), servers, true);
    cfg.end();
}

/// TestFigure83C: is an entry of an older term only ever committed through one of the present?
///
/// The original's rounds reach the interleaving of Figure 8 only by chance, and rarely. So the
/// figure itself goes first, step by step.
pub(crate) fn figure_8(lab: &Lab) {
    let servers = 5;
    let cfg = lab.make_config(Setup::reliable(servers));
    let mut rng = lab.rng();
    cfg.begin();
    // By all, where the original wants one: the figure begins with logs that are alike.
    cfg.one(&draw::command(&mut rng), servers, true);
    the_figure(&cfg, &mut rng);
    for server in 0..servers {
        cfg.connect(server);
    }
    cfg.one(&draw::command(&mut rng), servers, true);

    let mut up = servers;
    for _ in 0..ROUNDS {
        // The last that takes a command is crashed, often before it could commit it.
        let leader = ask_all(&cfg, &mut rng).last().copied();
        cfg.sleep(draw::figure_8_pause(&mut rng));
        if let Some(leader) = leader {
            cfg.crash(leader);
            up -= 1;
        }
        if up < 3 {
            let server = rng.random_range(0..servers);
            if !cfg.is_running(server) {
                cfg.restart(server);
                up += 1;
            }
        }
    }
    for server in (0..servers).filter(|server| !cfg.is_running(*server)) {
        cfg.restart(server);
    }
    cfg.one(&draw::command(&mut rng), servers, true);
    cfg.end();
}

/// Asks every server that runs for agreement on a command of its own; those that took it.
fn ask_all(cfg: &Config, rng: &mut ChaCha8Rng) -> Vec<usize> {
    (0..cfg.n()).filter(|server| cfg.start(*server, draw::command(rng)).is_some()).collect()
}

/// Figure 8 of the paper, with its names for the servers. A leader that counts replicas of an
/// entry of an older term commits it in (c), and in (d) another takes its place.
fn the_figure(cfg: &Config, rng: &mut ChaCha8Rng) {
    // (a) S1 leads, and brings an entry to S2 alone.
    let leader = cfg.check_one_leader();
    let [s1, s2, others @ ..] = [0, 1, 2, 3, 4].map(|k| (leader + k) % cfg.n());
    for server in others {
        cfg.disconnect(server);
    }
    cfg.start_at_leader(s1, &draw::command(rng));
    cfg.sleep(RAFT_ELECTION_TIMEOUT / 2);

    // (b) S1 crashes. S5 is elected by S3, S4 and itself, and takes another entry at this index. It
    // is cut off before, so that it cannot bring it to anybody.
    cfg.crash(s1);
    cfg.disconnect(s2);
    for server in others {
        cfg.connect(server);
    }
    let s5 = cfg.check_one_leader();
    for server in others {
        cfg.disconnect(server);
    }
    cfg.start_at_leader(s5, &draw::command(rng));

    // (c) S5 crashes, S1 comes back. It is elected, or S2 is, by the two and S3, and brings its
    // entry to S3: now a majority has it.
    cfg.crash(s5);
    let [s3, s4] = match others {
        [a, b, c] if s5 == a => [b, c],
        [a, b, c] if s5 == b => [a, c],
        [a, b, _] => [a, b],
    };
    cfg.restart(s1);
    cfg.connect(s2);
    cfg.connect(s3);
    cfg.check_one_leader();
    cfg.sleep(RAFT_ELECTION_TIMEOUT / 2);

    // (d) S1 and S2 go, S5 comes back. It alone can be elected by S3, S4 and itself, and brings
    // them its entry in place of the other.
    cfg.crash(s1);
    cfg.disconnect(s2);
    cfg.restart(s5);
    cfg.connect(s4);
    cfg.one(&draw::command(rng), 3, true);
    cfg.restart(s1);
}

/// TestUnreliableAgree3C: do five clients get their commands agreed on although a fifth of all
/// calls fail?
pub(crate) fn unreliable_agree(lab: &Lab) {
    let servers = 5;
    let cfg = lab.make_config(Setup::unreliable(servers));
    cfg.begin();
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for round in 1..50 {
            for j in 0..4 {
                let (cfg, command) = (&cfg, number(100 * round + j));
                let work = move || cfg.one(&command, 1, true);
                clients.push(Client::start(scope, clients.len(), work));
            }
            cfg.one(&number(round), 1, true);
        }
        cfg.network().reliable(true);
        for client in clients {
            client.join();
        }
    });
    cfg.one(&number(100), servers, true);
    cfg.end();
}

/// TestFigure8Unreliable3C: the same on a network that loses and reorders, with leaders that are
/// cut off rather than crashed and go on taking commands.
pub(crate) fn figure_8_unreliable(lab: &Lab) {
    let servers = 5;
    let cfg = lab.make_config(Setup::unreliable(servers));
    let mut rng = lab.rng();
    cfg.begin();
    cfg.one(&draw::command(&mut rng), 1, true);

    let mut up = servers;
    for round in 0..ROUNDS {
        if round == REORDERING_FROM {
            cfg.network().long_reordering(true);
        }
        // Those that are cut off are asked, too.
        let took = ask_all(&cfg, &mut rng);
        let leader = took.into_iter().rfind(|server| cfg.is_connected(*server));
        cfg.sleep(draw::figure_8_pause(&mut rng));
        if let Some(leader) = leader
            && rng.random_ratio(1, 2)
        {
            cfg.disconnect(leader);
            up -= 1;
        }
        if up < 3 {
            let server = rng.random_range(0..servers);
            if !cfg.is_connected(server) {
                cfg.connect(server);
                up += 1;
            }
        }
    }
    for server in (0..servers).filter(|server| !cfg.is_connected(*server)) {
        cfg.connect(server);
    }
    cfg.one(&draw::command(&mut rng), servers, true);
    cfg.end();
}

/// TestReliableChurn3C: do three clients find what they saw committed, after servers came and went?
pub(crate) fn reliable_churn(lab: &Lab) {
    churn::churn(lab, Setup::reliable(5));
}

/// TestUnreliableChurn3C: the same on a network that loses and delays.
pub(crate) fn unreliable_churn(lab: &Lab) {
    churn::churn(lab, Setup::unreliable(5));
}

//! Part 3C: what survives a crash, and all of Raft on a network that loses, delays and reorders
//! messages.
//!
//! The original's Figure 8 (unreliable) draws commands below 10,000, so two commands can be equal,
//! and one can be taken for the other. Here no two commands of a random test are equal.

use std::thread;

use choice::Stream;
use config::command::number;
use config::{Config, RAFT_ELECTION_TIMEOUT, Setup};
use rand::RngExt;
use runner::Lab;

use crate::churn;
use crate::clients::Client;
use crate::draw;

/// The rounds of both tests of Figure 8.
const ROUNDS: usize = 1000;
/// From this round on, the network reorders replies in Figure 8 (unreliable).
const REORDERING_FROM: usize = 200;

/// TestPersist13C: does agreement go on after all servers crash, then the leader, then a follower?
pub(crate) fn persist_1(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    cfg.one(&number(11), servers, true);

    // All servers crash. Unlike in the original, none still runs when the first restarts.
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
    // This comes before the next command, which could hide that the leader forgot this one. The
    // original waits for index 4, which belongs to another command after a retry.
    cfg.wait(index, servers, None);

    let follower = (cfg.check_one_leader() + 1) % servers;
    cfg.disconnect(follower);
    cfg.one(&number(15), servers - 1, true);
    cfg.restart(follower);
    cfg.one(&number(16), servers, true);
    cfg.end();
}

/// TestPersist23C: does agreement go on while majorities crash and only a part of them comes back?
///
/// In the original of 2024 two of the five are only disconnected, so no leader ever crashes. Here
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

        // Two servers miss a command.
        cfg.disconnect(a);
        cfg.disconnect(b);
        one(3);

        // The three that have it are disconnected. The two come back, but they are no majority.
        for server in [leader, c, d] {
            cfg.disconnect(server);
        }
        cfg.restart(a);
        cfg.restart(b);
        cfg.sleep(RAFT_ELECTION_TIMEOUT);

        // With a third server they are a majority. Only that server has the command.
        cfg.restart(c);
        one(3);

        cfg.restart(d);
        cfg.restart(leader);
    }
    cfg.one(&number(1000), servers, true);
    cfg.end();
}

/// TestPersist33C: one server misses a command, the other two crash, and one of them comes back: is
/// the command still there?
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

/// TestFigure83C: is an entry of an older term committed only through one of the current term?
///
/// The original's rounds reach the interleaving of Figure 8 only by chance, and rarely. So the test
/// first stages the figure itself, step by step.
pub(crate) fn figure_8(lab: &Lab) {
    let servers = 5;
    let cfg = lab.make_config(Setup::reliable(servers));
    let mut rng = lab.rng();
    cfg.begin();
    // All servers apply it, where the original waits for one: the figure begins with equal logs.
    cfg.one(&draw::command(&mut rng), servers, true);
    the_figure(&cfg, &mut rng);
    for server in 0..servers {
        cfg.connect(server);
    }
    cfg.one(&draw::command(&mut rng), servers, true);

    let mut up = servers;
    for _ in 0..ROUNDS {
        // The last server that takes a command is crashed, often before it can commit the command.
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

/// Starts a new command at each running server. Returns the servers that took one.
fn ask_all(cfg: &Config, rng: &mut Stream) -> Vec<usize> {
    (0..cfg.n()).filter(|server| cfg.start(*server, draw::command(rng)).is_some()).collect()
}

/// Figure 8 of the paper, with its names for the servers. A leader that counts the replicas of an
/// entry of an older term commits it in (c). In (d) another entry replaces it.
fn the_figure(cfg: &Config, rng: &mut Stream) {
    // (a) S1 leads, and replicates an entry to S2 only.
    let leader = cfg.check_one_leader();
    let [s1, s2, others @ ..] = [0, 1, 2, 3, 4].map(|k| (leader + k) % cfg.n());
    for server in others {
        cfg.disconnect(server);
    }
    cfg.start_at_leader(s1, &draw::command(rng));
    cfg.sleep(RAFT_ELECTION_TIMEOUT / 2);

    // (b) S1 crashes. S5 is elected by S3, S4 and itself, and takes another entry at this index. It
    // is cut off first, so it cannot replicate that entry.
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

    // (c) S5 crashes, S1 comes back. S1 or S2 is elected, by S1, S2 and S3, and replicates the old
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

    // (d) S1 crashes, S2 is disconnected, S5 comes back. Only S5 can be elected by S3, S4 and
    // itself. It replaces the old entry by its own.
    cfg.crash(s1);
    cfg.disconnect(s2);
    cfg.restart(s5);
    cfg.connect(s4);
    cfg.one(&draw::command(rng), 3, true);
    cfg.restart(s1);
}

/// TestUnreliableAgree3C: are the commands of five clients committed although a fifth of all calls
/// fail?
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

/// TestFigure8Unreliable3C: Figure 8 on a network that loses and reorders messages. Leaders are
/// disconnected instead of crashed, and go on taking commands.
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
        // Disconnected servers are asked, too.
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

/// TestReliableChurn3C: are the commands that three clients saw committed in every log, after
/// crashes and disconnects?
pub(crate) fn reliable_churn(lab: &Lab) {
    churn::churn(lab, Setup::reliable(5));
}

/// TestUnreliableChurn3C: the same on a network that loses and delays messages.
pub(crate) fn unreliable_churn(lab: &Lab) {
    churn::churn(lab, Setup::unreliable(5));
}

//! Part 3B: the log, from the first command to its agreement after every kind of failure.
//!
//! Where the original starts a command at the leader that it has just found, it ignores a refusal.
//! Here a refusal is a failure: without that command the test would test nothing.

use std::thread;
use std::time::Duration;

use choice::Stream;
use config::command::{number, show};
use config::{Class, Config, Failure, FindingKind, RAFT_ELECTION_TIMEOUT, Rule, Setup};
use raftapi::Started;
use rand::RngExt;
use runner::Lab;

use crate::clients::Client;
use crate::draw;

/// The number of tries of a test that needs one term without an election.
const TRIES: usize = 5;
/// The pause between two tries, in which an implementation can settle.
const PAUSE_BETWEEN_TRIES: Duration = Duration::from_secs(3);
/// The bytes that 3B rpc bytes allows in addition to the commands.
const BYTES_SLACK: u64 = 50_000;
/// The maximum number of RPCs until the first leader is elected.
const RPCS_TO_ELECT_MAX: u64 = 30;
/// The maximum number of RPCs for each server in one idle second.
const IDLE_RPCS_MAX: u64 = 20;

/// TestBasicAgree3B: are commands committed one after the other, at the indices 1, 2 and 3?
pub(crate) fn basic_agree(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    for index in 1..=3 {
        expect_not_committed(lab, &cfg, index, "before any command was started there");
        expect_index(lab, index, cfg.one(&number(index * 100), servers, false));
    }
    cfg.end();
}

/// TestRPCBytes3B: is each command sent to each server only once?
pub(crate) fn rpc_bytes(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    let mut rng = lab.rng();
    cfg.begin();
    cfg.one(&number(99), servers, false);
    let before = cfg.bytes_total();
    let mut sent = 0;
    for index in 2..12 {
        let command = cfg.draw_letters(&mut rng, 5000);
        expect_index(lab, index, cfg.one(&command, servers, false));
        sent += command.len() as u64;
    }
    let used = cfg.bytes_total() - before;
    // As in the original: one copy more than the two that the followers need.
    let most = servers as u64 * sent + BYTES_SLACK;
    if used > most {
        let sentence = format!("{used} bytes for {sent} bytes of commands; the limit is {most}");
        lab.fail_at(
            Class::Contract,
            sentence,
            "what the leader puts into AppendEntries; each entry goes to each follower once, \
             from next_index on (section 5.3)",
        );
    }
    cfg.end();
}

/// TestFollowerFailure3B: does agreement go on without one follower, and stop without two?
pub(crate) fn follower_failure(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    cfg.one(&number(101), servers, false);

    // One follower is disconnected; the leader and the other follower agree.
    let leader1 = cfg.check_one_leader();
    cfg.disconnect((leader1 + 1) % servers);
    cfg.one(&number(102), servers - 1, false);
    cfg.sleep(RAFT_ELECTION_TIMEOUT);
    let last = cfg.one(&number(103), servers - 1, false);

    // The other is disconnected, too: the leader takes a command, but no server ever commits it.
    let leader2 = cfg.check_one_leader();
    cfg.disconnect((leader2 + 1) % servers);
    cfg.disconnect((leader2 + 2) % servers);
    let Started { index, .. } = cfg.start_at_leader(leader2, &number(104));
    expect_index(lab, last + 1, index);
    cfg.sleep(2 * RAFT_ELECTION_TIMEOUT);
    expect_not_committed(lab, &cfg, index, "without a majority");
    cfg.end();
}

/// TestLeaderFailure3B: does agreement go on under a new leader, and stop when that one is
/// disconnected, too?
pub(crate) fn leader_failure(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    cfg.one(&number(101), servers, false);

    // The first leader is disconnected; the others elect a new one and agree.
    let leader1 = cfg.check_one_leader();
    cfg.disconnect(leader1);
    cfg.one(&number(102), servers - 1, false);
    cfg.sleep(RAFT_ELECTION_TIMEOUT);
    let last = cfg.one(&number(103), servers - 1, false);

    // The second leader is disconnected, too.
    let leader2 = cfg.check_one_leader();
    cfg.disconnect(leader2);
    expect_index(lab, last + 1, cfg.start_at_leader(leader2, &number(104)).index);
    for server in (0..servers).filter(|server| *server != leader2) {
        cfg.start(server, number(104));
    }
    cfg.sleep(2 * RAFT_ELECTION_TIMEOUT);
    expect_not_committed(lab, &cfg, last + 1, "without a majority");
    cfg.end();
}

/// TestFailAgree3B: does a follower that comes back get the entries that it missed, and take part
/// again?
pub(crate) fn fail_agree(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    cfg.one(&number(101), servers, false);

    let leader = cfg.check_one_leader();
    cfg.disconnect((leader + 1) % servers);
    cfg.one(&number(102), servers - 1, false);
    cfg.one(&number(103), servers - 1, false);
    cfg.sleep(RAFT_ELECTION_TIMEOUT);
    cfg.one(&number(104), servers - 1, false);
    cfg.one(&number(105), servers - 1, false);

    // It comes back, perhaps with a higher term, so a new leader may be needed.
    cfg.connect((leader + 1) % servers);
    cfg.one(&number(106), servers, true);
    cfg.sleep(RAFT_ELECTION_TIMEOUT);
    cfg.one(&number(107), servers, true);
    cfg.end();
}

/// TestFailNoAgree3B: is nothing committed while three of five servers are disconnected, and does
/// agreement go on when they come back?
///
/// The original does not retry its first agreement. So the test fails if the leader is replaced in
/// the first two seconds, which is allowed. Here the agreement is retried.
pub(crate) fn fail_no_agree(lab: &Lab) {
    let servers = 5;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    let last = cfg.one(&number(10), servers, true);

    // Three of the four followers are disconnected.
    let leader = cfg.check_one_leader();
    let away = [1, 2, 3].map(|k| (leader + k) % servers);
    for server in away {
        cfg.disconnect(server);
    }
    let Started { index, .. } = cfg.start_at_leader(leader, &number(20));
    expect_index(lab, last + 1, index);
    cfg.sleep(2 * RAFT_ELECTION_TIMEOUT);
    expect_not_committed(lab, &cfg, index, "without a majority");

    // They come back. One of them can be elected, and it lacks the old leader's last entry.
    for server in away {
        cfg.connect(server);
    }
    let leader2 = cfg.check_one_leader();
    let Started { index, .. } = cfg.start_at_leader(leader2, &number(30));
    if !(last + 1..=last + 2).contains(&index) {
        let sentence =
            format!("server {leader2} took a command as index {index} after index {last}");
        lab.fail_at(
            Class::Contract,
            sentence,
            "start; it appends at the end of log and returns that index, and a new leader adds \
             at most one entry of its own (section 5.3)",
        );
    }
    cfg.one(&number(1000), servers, true);
    cfg.end();
}

/// TestConcurrentStarts3B: are five commands that come at the same time all committed?
pub(crate) fn concurrent_starts(lab: &Lab) {
    let cfg = lab.make_config(Setup::reliable(3));
    cfg.begin();
    in_one_term(lab, &cfg, || start_five_together(lab, &cfg));
    cfg.end();
}

/// None if the term changed meanwhile.
fn start_five_together(lab: &Lab, cfg: &Config) -> Option<()> {
    let leader = cfg.check_one_leader();
    let Started { term, .. } = cfg.start(leader, number(1))?;
    let commands: Vec<Vec<u8>> = (100..105).map(number).collect();
    let started: Vec<Option<Started>> = thread::scope(|scope| {
        let start = |client: usize, command: &Vec<u8>| {
            let command = command.clone();
            Client::start(scope, client, move || cfg.start(leader, command))
        };
        let clients: Vec<_> = commands.iter().enumerate().map(|(i, c)| start(i, c)).collect();
        clients.into_iter().map(Client::join).collect()
    });
    if !all_in_term(cfg, term) {
        return None;
    }
    let mut committed = Vec::new();
    for Started { index, .. } in started.into_iter().flatten().filter(|s| s.term == term) {
        committed.push(cfg.wait(index, cfg.n(), Some(term))?);
    }
    if let Some(missing) = commands.iter().find(|command| !committed.contains(command)) {
        let found: Vec<String> = committed.iter().map(|command| show(command)).collect();
        let missing = show(missing);
        let sentence = format!("{missing} was not committed: {}", found.join(", "));
        lab.fail(Class::Safety, sentence);
    }
    Some(())
}

/// TestRejoin3B: does a disconnected leader lose the entries that only it has, and get those that
/// it missed?
pub(crate) fn rejoin(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    cfg.begin();
    cfg.one(&number(101), servers, true);

    // The leader is cut off, and takes commands that it can never commit.
    let leader1 = cfg.check_one_leader();
    cfg.disconnect(leader1);
    for n in 102..=104 {
        cfg.start_at_leader(leader1, &number(n));
    }

    // The new leader commits another command at the same index, and is cut off, too.
    cfg.one(&number(103), servers - 1, true);
    let leader2 = cfg.check_one_leader();
    cfg.disconnect(leader2);

    // The old leader is back.
    cfg.connect(leader1);
    cfg.one(&number(104), servers - 1, true);

    // Now all are back.
    cfg.connect(leader2);
    cfg.one(&number(105), servers, true);
    cfg.end();
}

/// TestBackup3B: is a log with fifty wrong entries repaired within the time limit of one agreement?
pub(crate) fn backup(lab: &Lab) {
    let servers = 5;
    let cfg = lab.make_config(Setup::reliable(servers));
    let mut rng = lab.rng();
    cfg.begin();
    cfg.one(&draw::command(&mut rng), servers, true);

    // Only the leader and one follower are connected. They get many commands that they cannot
    // commit.
    let leader1 = cfg.check_one_leader();
    let pair = [0, 1].map(|k| (leader1 + k) % servers);
    let others = [2, 3, 4].map(|k| (leader1 + k) % servers);
    for server in others {
        cfg.disconnect(server);
    }
    start_fifty(&cfg, &mut rng, leader1);
    cfg.sleep(RAFT_ELECTION_TIMEOUT / 2);

    // These two are disconnected, and the others agree on many commands.
    for server in pair {
        cfg.disconnect(server);
    }
    for server in others {
        cfg.connect(server);
    }
    agree_on_fifty(&cfg, &mut rng);

    // One of the others is disconnected. Their leader and the third get many commands that they
    // cannot commit.
    let leader2 = cfg.check_one_leader();
    let other = if leader2 == others[0] { others[1] } else { others[0] };
    cfg.disconnect(other);
    start_fifty(&cfg, &mut rng, leader2);
    cfg.sleep(RAFT_ELECTION_TIMEOUT / 2);

    // The first leader and its follower come back, and so does the server that was disconnected
    // last.
    for server in 0..servers {
        cfg.disconnect(server);
    }
    for server in [pair[0], pair[1], other] {
        cfg.connect(server);
    }
    agree_on_fifty(&cfg, &mut rng);

    for server in 0..servers {
        cfg.connect(server);
    }
    cfg.one(&draw::command(&mut rng), servers, true);
    cfg.end();
}

fn start_fifty(cfg: &Config, rng: &mut Stream, leader: usize) {
    cfg.start_at_leader(leader, &draw::command(rng));
    for _ in 1..50 {
        cfg.start(leader, draw::command(rng));
    }
}

fn agree_on_fifty(cfg: &Config, rng: &mut Stream) {
    for _ in 0..50 {
        cfg.one(&draw::command(rng), 3, true);
    }
}

/// TestCount3B: do elections, agreement and idle time stay within their limits of RPCs?
pub(crate) fn count(lab: &Lab) {
    let servers = 3;
    let cfg = lab.make_config(Setup::reliable(servers));
    let mut rng = lab.rng();
    cfg.begin();
    cfg.check_one_leader();
    check_rpcs_to_elect(lab, &cfg);

    let before = in_one_term(lab, &cfg, || agree_on_ten(lab, &cfg, &mut rng));

    cfg.sleep(RAFT_ELECTION_TIMEOUT);
    let used = rpcs(&cfg) - before;
    let most = servers as u64 * IDLE_RPCS_MAX;
    if used > most {
        let sentence = format!("{used} RPCs in an idle second; the limit is {most}");
        lab.note(FindingKind::IdleCalls, sentence.clone());
        lab.fail_at(
            Class::Contract,
            sentence,
            "the heartbeat loop; the leader sends about ten heartbeats in a second to each \
             follower, and nothing else while there is nothing to say (section 5.2)",
        );
    }
    cfg.end();
}

/// Checks the number of RPCs that were handled before the first leader was seen.
fn check_rpcs_to_elect(lab: &Lab, cfg: &Config) {
    let used = rpcs(cfg);
    if (1..=RPCS_TO_ELECT_MAX).contains(&used) {
        return;
    }
    let by_server: Vec<String> = (0..cfg.n())
        .map(|server| format!("server {server} handled {}", cfg.rpc_count(server)))
        .collect();
    let methods: Vec<String> = cfg.network().methods().iter().map(ToString::to_string).collect();
    let sentence = format!(
        "{used} RPCs were handled before the first leader; the limit is {RPCS_TO_ELECT_MAX}: {} \
         ({})",
        by_server.join(", "),
        if methods.is_empty() { "no method was called".into() } else { methods.join(", ") }
    );
    if used > RPCS_TO_ELECT_MAX {
        lab.note(FindingKind::IdleCalls, sentence.clone());
    }
    lab.fail_at(
        Class::Contract,
        sentence,
        "the loops that ask for votes and send heartbeats; each waits between two rounds, and a \
         call that failed or was refused is not repeated immediately (section 5.2)",
    );
}

/// Checks the number of RPCs for ten commands. Returns the number of all RPCs so far; none if the
/// term changed meanwhile.
fn agree_on_ten(lab: &Lab, cfg: &Config, rng: &mut Stream) -> Option<u64> {
    const COMMANDS: u64 = 10;
    let servers = cfg.n();
    let leader = cfg.check_one_leader();
    let before = rpcs(cfg);
    let first = cfg.start(leader, number(1))?;
    // One command more than the test waits for, as in the original.
    let commands: Vec<Vec<u8>> =
        (0..=COMMANDS).map(|_| number(u64::from(rng.random::<u32>() >> 1))).collect();
    for (index, command) in (first.index + 1..).zip(&commands) {
        let started = cfg.start(leader, command.clone())?;
        if started.term != first.term {
            return None;
        }
        expect_index(lab, index, started.index);
    }
    for (index, command) in (first.index + 1..).zip(&commands[..COMMANDS as usize]) {
        let committed = cfg.wait(index, servers, Some(first.term))?;
        if committed != *command {
            let (committed, command) = (show(&committed), show(command));
            let sentence =
                format!("{committed} was committed at index {index}; expected {command}");
            lab.fail(Class::Safety, sentence);
        }
    }
    if !all_in_term(cfg, first.term) {
        return None;
    }
    let after = rpcs(cfg);
    let (used, most) = (after - before, (COMMANDS + 1 + 3) * 3);
    if used > most {
        let sentence = format!("{used} RPCs for {COMMANDS} commands; the limit is {most}");
        lab.fail_at(
            Class::Contract,
            sentence,
            "what start sends; commands that arrive together share an AppendEntries, and a \
             follower that has everything gets nothing but heartbeats (section 5.3)",
        );
    }
    Some(after)
}

/// The number of calls that reached any server.
fn rpcs(cfg: &Config) -> u64 {
    (0..cfg.n()).map(|server| cfg.rpc_count(server)).sum()
}

/// Tries until `work` begins and ends in the same term.
fn in_one_term<T>(lab: &Lab, cfg: &Config, mut work: impl FnMut() -> Option<T>) -> T {
    for attempt in 0..TRIES {
        if attempt > 0 {
            cfg.sleep(PAUSE_BETWEEN_TRIES);
        }
        if let Some(result) = work() {
            return result;
        }
    }
    let sentence = format!("the term changed in each of {TRIES} tries although nothing had failed");
    lab.referee().stop(Failure::new(Class::Liveness, sentence).with_rule(Rule::L4));
}

fn all_in_term(cfg: &Config, term: u64) -> bool {
    (0..cfg.n()).filter_map(|server| cfg.get_state(server)).all(|(now, _)| now == term)
}

fn expect_index(lab: &Lab, expected: u64, index: u64) {
    if index != expected {
        let sentence = format!("a command got index {index}; expected {expected}");
        lab.fail_at(
            Class::Contract,
            sentence,
            "start; the first command has index 1, and each index is that of the entry before \
             plus 1 (section 5.3)",
        );
    }
}

fn expect_not_committed(lab: &Lab, cfg: &Config, index: u64, why: &str) {
    if let (count @ 1.., Some(command)) = cfg.n_committed(index) {
        let command = show(&command);
        let sentence = format!("{count} servers applied {command} at index {index} {why}");
        lab.fail(Class::Safety, sentence);
    }
}

//! Staged replication: Figure 8, logs like those of Figure 7, and messages that come too late.
//!
//! What went wrong shows when the next leader commits something else where a server has applied
//! already; so each scenario ends with an agreement among those who should know better.

use config::{Kind, Setup};
use labrpc::{Delay, Disturbance};
use rand::RngExt;

use crate::draw;
use crate::part_e::arena::Arena;
use runner::Lab;

/// Long enough for a follower to be brought up to date by an ordinary Raft, with a heartbeat every
/// tenth of a second and a round or two.
const REPLICATION_MS: u64 = 350;
/// Messages take this long where a leader is to be caught before it has said anything.
const WAY_MS: u64 = 15;
/// A message and its answer are through by then; nobody misses a leader for twice as long.
const MOMENT_MS: u64 = 50;
/// The lab makes a snapshot at index 9, 19 and so on.
const COMMANDS_A_SNAPSHOT: u64 = 10;
const SNAPSHOT_ROUNDS: usize = 4;
const LATE_ANSWER_ROUNDS: usize = 2;
/// So many entries are acknowledged by an answer that is late.
const LATE_ANSWERS: usize = 6;
const ELECT_TRIES: usize = 20;
/// A server that is restarted as often as this never stands for election.
const RESTART_INTERVAL_MS: u64 = 120;
/// Four of these are more than an ordinary Raft puts into one message.
const LARGE_COMMAND_BYTES: usize = 400_000;
const LARGE_COMMANDS: usize = 4;
const LARGE_ROUNDS: usize = 2;
const FIGURE_8_ROUNDS: usize = 3;
const FIGURE_7_LEADERS: usize = 3;

/// Takes the leader that `group` elects away before it can bring anything to anybody, and gives it
/// commands that only it has; none if nobody was elected.
fn private_leader(arena: &mut Arena<'_>, group: &[usize], commands: usize) -> Option<usize> {
    let slow = Disturbance { delay: Some(Delay::Uniform(WAY_MS..=WAY_MS)), ..Default::default() };
    arena.cfg.faults().disturb_all(&slow);
    arena.cfg.faults().partition(&[group]);
    let elected = arena.until_within(5000, |arena| group.iter().any(|one| arena.leads(*one)));
    let leader = group.iter().copied().find(|one| elected && arena.leads(*one));
    arena.cfg.faults().partition(&[]);
    (0..arena.n()).for_each(|server| arena.cfg.faults().quicken(server));
    let leader = leader?;
    for _ in 0..commands {
        arena.start(leader);
    }
    Some(leader)
}

/// Figure 8, with the paper's names: (a) S1 brings an entry to S2 alone; (b) S5 is elected by S3
/// and S4, and takes another; (c) S1 or S2 is elected, and now a majority has the first entry, of
/// an old term; (d) S5 is elected once more, and puts its own in its place. Only if something of
/// the new term was committed in (c), S5 cannot be.
pub(crate) fn figure_8_staged(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(5));
    for _ in 0..FIGURE_8_ROUNDS {
        let [s1, s2, a, b, c] = arena.roles();
        arena.cfg.faults().partition(&[&[s1, s2]]);
        arena.start(s1);
        arena.sleep_ms(REPLICATION_MS);

        if let Some(s5) = private_leader(&mut arena, &[a, b, c], 1) {
            let [s3, s4] = match s5 {
                _ if s5 == a => [b, c],
                _ if s5 == b => [a, c],
                _ => [a, b],
            };
            arena.cfg.crash(s5);
            arena.cfg.faults().partition(&[&[s1, s2, s3]]);
            arena.leader_of(&[s1, s2, s3]);
            arena.sleep_ms(REPLICATION_MS);

            arena.cfg.faults().partition(&[&[s3, s4, s5]]);
            arena.cfg.restart(s5);
            arena.agree(&[s3, s4, s5]);
        }
        arena.judge_all();
    }
    arena.end();
}

/// Logs that lack entries, have too many, or both, of several terms, as in Figure 7: all become
/// the one that a majority has.
pub(crate) fn figure_7_logs(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(7));
    let all = arena.all();
    for _ in 0..3 {
        arena.agree(&all);
    }
    // (f), (e) and (d): leaders whose entries nobody else ever gets. Who was one is not voted for
    // by its newer log, but can elect nobody either: four of seven are needed.
    let mut fresh = arena.shuffled();
    for _ in 0..FIGURE_7_LEADERS {
        let commands = arena.rng.random_range(1..=6);
        let group: Vec<usize> = fresh.clone();
        if let Some(leader) = private_leader(&mut arena, &group, commands) {
            fresh.retain(|server| *server != leader);
        }
    }
    // (a) and (b): of those that are left some miss what the others agree on.
    let majority = arena.majority();
    fresh.truncate(majority);
    if fresh.len() == majority {
        arena.cfg.faults().partition(&[&fresh]);
        let commands = arena.rng.random_range(1..=6);
        for _ in 0..commands {
            arena.agree(&fresh);
        }
        // (c): its leader has one more than it can bring to anybody.
        let leader = arena.leader_of(&fresh);
        arena.cfg.faults().isolate(leader);
        arena.start(leader);
        // The longer logs come back first, one by one, and may not win.
        let kept: Vec<usize> = fresh.iter().copied().filter(|one| *one != leader).collect();
        for server in arena.shuffled().into_iter().filter(|one| !fresh.contains(one)) {
            let mut group = kept.clone();
            group.push(server);
            arena.cfg.faults().partition(&[&group]);
            arena.agree(&group);
        }
    }
    arena.judge_all();
    arena.end();
}

/// An old AppendEntries arrives after a newer one: what that brought stays (5.3).
///
/// A leader's first message is delivered twice, the second time when the follower has got more,
/// and acknowledged it; then the leader goes, before it could repair anything.
pub(crate) fn stale_entries(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    for (first_ms, late_ms) in [(15, 150), (15, 250), (115, 300), (115, 380), (25, 200)] {
        let [leader, follower, away] = arena.roles();
        arena.cfg.faults().isolate(away);
        let twice = Disturbance {
            duplicate_permille: 1000,
            duplicate_delay_ms: Some(late_ms..=late_ms),
            ..Disturbance::default()
        };
        arena.cfg.faults().disturb(leader, follower, twice);
        arena.start(leader);
        arena.sleep_ms(first_ms);
        arena.cfg.faults().calm(leader, follower);
        arena.start(leader);
        if let Some(index) = arena.start(leader) {
            let limit_ms = late_ms - first_ms - 20;
            arena.until_within(limit_ms, |arena| arena.cfg.n_committed(index).0 > 0);
        }
        arena.cfg.faults().isolate(leader);
        arena.sleep_ms(late_ms);
        arena.cfg.faults().partition(&[&[follower, away]]);
        arena.agree(&[follower, away]);
        arena.judge_all();
    }
    arena.end();
}

/// Messages are held, newer ones pass by them, and then they arrive: the same for entries, answers
/// and votes alike, on the way of one pair after the other.
pub(crate) fn overtaken_messages(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    for _ in 0..8 {
        let [leader, follower, other] = arena.roles();
        let is_answer = arena.rng.random_ratio(1, 2);
        let (from, to) = if is_answer { (follower, leader) } else { (leader, follower) };
        arena.cfg.faults().hold(from, to);
        for _ in 0..arena.rng.random_range(1..=4) {
            arena.start(leader);
            let pause_ms = arena.rng.random_range(0..=60);
            arena.sleep_ms(pause_ms);
        }
        arena.cfg.faults().pass(from, to);
        for _ in 0..arena.rng.random_range(1..=4) {
            arena.start(leader);
            let pause_ms = arena.rng.random_range(0..=60);
            arena.sleep_ms(pause_ms);
        }
        arena.cfg.faults().isolate(other);
        arena.start(leader);
        arena.sleep_ms(60);
        arena.cfg.faults().isolate(leader);
        arena.cfg.faults().release(from, to);
        arena.sleep_ms(60);
        arena.cfg.faults().partition(&[&[follower, other]]);
        arena.agree(&[follower, other]);
        arena.judge_all();
    }
    arena.end();
}

/// An acknowledgement says what its request brought, not what the leader has got since (5.3, 7).
pub(crate) fn late_acknowledgement(lab: &Lab) {
    late_acknowledgement_of_entries(lab);
    late_acknowledgement_of_a_snapshot(lab);
}

/// The answer to a leader's message is delayed; meanwhile the leader takes another command, which
/// can reach nobody. Then it goes, and the others commit something else in its place.
fn late_acknowledgement_of_entries(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    for (first_ms, late_ms) in [(15, 60), (15, 120), (115, 150), (115, 250), (30, 300)] {
        let [leader, follower, away] = arena.roles();
        arena.cfg.faults().isolate(away);
        let late = Delay::Uniform(late_ms..=late_ms);
        let late = Disturbance { delay: Some(late), ..Disturbance::default() };
        arena.cfg.faults().disturb(follower, leader, late);
        arena.start(leader);
        arena.sleep_ms(first_ms);
        arena.cfg.faults().cut(leader, follower);
        arena.start(leader);
        arena.start(leader);
        arena.sleep_ms(late_ms + 50);
        arena.cfg.faults().isolate(leader);
        arena.cfg.faults().quicken(leader);
        arena.cfg.faults().partition(&[&[follower, away]]);
        arena.agree(&[follower, away]);
        arena.agree(&[follower, away]);
        arena.judge_all();
    }
    arena.end();
}

/// The answer to a snapshot arrives when the leader has made another. Its receiver needs that, too,
/// or it gets no further: the next commands make no snapshot that would help it.
///
/// It missed the first because it was down: so it is in the leader's term, and deposes nobody.
fn late_acknowledgement_of_a_snapshot(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    for _ in 0..SNAPSHOT_ROUNDS {
        let [leader, other, away] = arena.roles();
        arena.cfg.crash(away);
        let mut index = 0;
        for _ in 0..COMMANDS_A_SNAPSHOT + 2 {
            index = arena.agree(&[leader, other]);
        }
        // What snapshots are called is seen when one was sent: in the first round none is late.
        let names = arena.cfg.names_of(Kind::Snapshots);
        if !names.is_empty() {
            let late = Delay::Uniform(2 * MOMENT_MS..=2 * MOMENT_MS);
            let late = Disturbance { delay: Some(late), ..Disturbance::default() };
            arena.cfg.faults().disturb(away, leader, late.only(&names));
        }
        let before = arena.cfg.snapshots_applied(away);
        arena.cfg.restart(away);
        arena.until(|arena| arena.cfg.snapshots_applied(away) > before);
        arena.cfg.faults().cut(leader, away);
        for _ in index..next_snapshot(index) {
            arena.start(leader);
        }
        arena.sleep_ms(2 * MOMENT_MS);
        arena.cfg.faults().heal(leader, away);
        let all = arena.all();
        arena.agree(&all);
        arena.judge_all();
    }
    arena.end();
}

/// The first index behind `index` at which the lab makes a snapshot: 9, 19 and so on.
fn next_snapshot(index: u64) -> u64 {
    (index + 1) / COMMANDS_A_SNAPSHOT * COMMANDS_A_SNAPSHOT + COMMANDS_A_SNAPSHOT - 1
}

/// Answers of an old term arrive when their receiver leads again: they say nothing of its present
/// log, nor of theirs who gave them (5.3).
///
/// Two followers take entries that are overwritten later; their answers are held until the leader
/// of then leads again, and takes others. One more has those, which is less than a majority.
pub(crate) fn late_answers(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(7));
    let all = arena.all();
    for _ in 0..LATE_ANSWER_ROUNDS {
        let [leader, a, b, c, d, e, f] = arena.roles();
        arena.cfg.faults().partition(&[&[leader, a, b]]);
        arena.cfg.faults().hold(a, leader);
        arena.cfg.faults().hold(b, leader);
        for _ in 0..LATE_ANSWERS {
            arena.start(leader);
        }
        arena.sleep_ms(REPLICATION_MS / 2);
        arena.cfg.faults().pass(a, leader);
        arena.cfg.faults().pass(b, leader);
        arena.cfg.faults().partition(&[&[c, d, e, f]]);
        arena.agree(&[c, d, e, f]);
        arena.cfg.faults().partition(&[&all]);
        arena.agree(&all);

        if elect(&mut arena, leader) {
            arena.cfg.faults().partition(&[&[leader, c]]);
            arena.cfg.faults().release(a, leader);
            arena.cfg.faults().release(b, leader);
            for _ in 0..LATE_ANSWERS + 2 {
                arena.start(leader);
            }
            arena.sleep_ms(REPLICATION_MS);
            arena.cfg.faults().partition(&[&[a, b, d, e, f]]);
            arena.agree(&[a, b, d, e, f]);
        }
        arena.judge_all();
    }
    arena.end();
}

/// Makes one server the leader: the others crash and come back before they could stand for
/// election, again and again. Whether it leads.
fn elect(arena: &mut Arena<'_>, wanted: usize) -> bool {
    for _ in 0..ELECT_TRIES {
        if arena.leads(wanted) {
            return true;
        }
        for other in arena.all().into_iter().filter(|other| *other != wanted) {
            arena.cfg.restart(other);
        }
        arena.sleep_ms(RESTART_INTERVAL_MS);
    }
    false
}

/// A log that takes several messages: a follower that has a rest of its own behind what it shares
/// with the leader must not take that rest for committed when the first of them comes (5.3).
pub(crate) fn large_commands(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    for _ in 0..LARGE_ROUNDS {
        let [old, a, b] = arena.roles();
        for _ in 0..LARGE_COMMANDS {
            let command = draw::letters(&mut arena.rng, LARGE_COMMAND_BYTES);
            arena.cfg.start(old, command);
        }
        let all = arena.all();
        arena.agree(&all);
        arena.cfg.faults().isolate(old);
        for _ in 0..2 * LARGE_COMMANDS {
            arena.start(old);
        }
        for _ in 0..LARGE_COMMANDS {
            arena.agree(&[a, b]);
        }
        arena.judge_all();
    }
    arena.end();
}

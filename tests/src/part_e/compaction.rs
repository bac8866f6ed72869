//! Staged logs whose beginning a snapshot has replaced (section 7).

use std::time::{Duration, Instant};

use config::{Kind, SNAPSHOT_INTERVAL, Setup, next_snapshot};
use labrpc::network::{Held, Interceptor};
use runner::Lab;

use crate::part_e::arena::{Arena, LEADER_LIMIT};
use crate::part_e::staging::{MOMENT, all_of, next_of};

/// Old messages bring this many entries.
const OLD_COMMANDS: usize = 3;
/// A deposed leader has this many entries of its own: more than others need for a snapshot.
const TAIL: u64 = 2 * SNAPSHOT_INTERVAL;
const TAIL_ROUNDS: usize = 2;
/// A server that has just started does not stand for election within this time.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(100);
/// How often a server that missed the first entry comes back.
const FIRST_ROUNDS: usize = 2;

/// How a follower got its snapshot.
#[derive(Clone, Copy)]
enum Compacted {
    /// Its service made it.
    ByItself,
    /// Its service made it, and then it crashed.
    BeforeACrash,
    /// Its leader sent it.
    ByTheLeader,
}

/// Entries that were sent before a snapshot arrive after it. They are in the snapshot, so they
/// change nothing: neither a log that ends with the snapshot nor what follows it.
pub(crate) fn entries_before_a_snapshot(lab: &Lab) {
    for compacted in [Compacted::ByItself, Compacted::BeforeACrash, Compacted::ByTheLeader] {
        let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
        let tried = old_entries(&mut arena, compacted);
        arena.judge_all();
        arena.note_tries("entries that come after a snapshot", usize::from(tried.is_some()));
        arena.end();
    }
}

/// A leader's first messages, which begin at the start of the log, are delivered again at two
/// moments: when the follower has only a snapshot, and when only it and the leader have an entry
/// after that. Then the leader is isolated. None if the moment does not come.
fn old_entries(arena: &mut Arena<'_>, compacted: Compacted) -> Option<()> {
    let mut old = first_messages(arena)?;
    let [leader, follower, third] = arena.roles();
    let (all, term) = (arena.all(), arena.term(leader));
    old.retain(|request| (request.from, request.to) == (Some(leader), Some(follower)));
    match compacted {
        Compacted::ByItself => until_snapshot(arena, &all)?,
        Compacted::BeforeACrash => {
            until_snapshot(arena, &all)?;
            arena.cfg.restart(follower);
        }
        Compacted::ByTheLeader => {
            let before = arena.cfg.snapshots_applied(follower);
            arena.cfg.crash(follower);
            until_snapshot(arena, &[leader, third])?;
            arena.cfg.restart(follower);
            arena.until(|arena| arena.cfg.snapshots_applied(follower) > before).then_some(())?;
        }
    }
    deliver_again(arena, &old);
    arena.agree(&all);

    arena.cfg.faults().isolate(third);
    let index = arena.start(leader)?;
    let is_committed = arena.until_committed(index);
    let is_their_term = arena.term(follower) == term;
    arena.cfg.faults().isolate(leader);
    deliver_again(arena, &old);
    arena.cfg.faults().partition(&[&[follower, third]]);
    arena.agree(&[follower, third]);
    (!old.is_empty() && is_committed && is_their_term).then_some(())
}

/// All AppendEntries of a new cluster up to those that bring its first commands to all servers.
fn first_messages(arena: &mut Arena<'_>) -> Option<Vec<Held>> {
    let entries = arena.cfg.network().intercept(Kind::Entries.requests());
    let mut old = Vec::new();
    let mut pass = |entries: &Interceptor| {
        while let Some(request) = entries.try_next() {
            request.deliver();
            old.push(request);
        }
    };
    let leader = arena.poll_within(LEADER_LIMIT, |arena| {
        pass(&entries);
        (0..arena.n()).find(|server| arena.leads(*server))
    })?;
    let last = (0..OLD_COMMANDS).filter_map(|_| arena.start(leader)).last()?;
    arena.poll(|arena| {
        pass(&entries);
        (arena.cfg.n_committed(last).0 == arena.n()).then_some(())
    })?;
    Some(old)
}

/// Has servers agree until the last command is the last that the lab's next snapshot covers. None
/// if it never is: an implementation may have entries of its own.
fn until_snapshot(arena: &mut Arena<'_>, servers: &[usize]) -> Option<()> {
    (0..2 * SNAPSHOT_INTERVAL).find(|_| {
        let index = arena.agree(servers);
        next_snapshot(index) == index
    })?;
    arena.sleep(MOMENT);
    Some(())
}

fn deliver_again(arena: &mut Arena<'_>, old: &[Held]) {
    for request in old {
        request.deliver_again();
        arena.sleep_ms(1);
    }
    arena.sleep(MOMENT);
}

/// A log continues after a snapshot, whatever entries it had before.
pub(crate) fn logs_after_a_snapshot(lab: &Lab) {
    snapshot_over_a_tail(lab);
    stale_candidate(lab);
    snapshot_of_the_first_entry(lab);
}

/// A deposed leader has a long tail of its own and gets a snapshot that covers a part of it. The
/// last entry that the snapshot covers differs from the one in its log, so the whole log has to be
/// discarded.
fn snapshot_over_a_tail(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for round in arena.rounds(TAIL_ROUNDS) {
        let [old, a, b] = arena.roles();
        let all = arena.all();
        arena.cfg.faults().isolate(old);
        let tail = (0..TAIL).filter_map(|_| arena.start(old)).last();
        if until_snapshot(&mut arena, &[a, b]).is_some() && tail.is_some() {
            let before = arena.cfg.snapshots_applied(old);
            arena.cfg.faults().rejoin(old);
            let is_installed = arena.until(|arena| arena.cfg.snapshots_applied(old) > before);
            tried += usize::from(is_installed);
            if round > 0 {
                arena.cfg.restart(old);
            }
            arena.agree(&all);
            arena.cfg.faults().partition(&[&[old, a]]);
            arena.agree(&[old, a]);
        }
        arena.judge_all();
    }
    arena.note_tries("a snapshot that covers a part of a tail", tried);
    arena.end();
}

/// A log that ends with a snapshot is as up to date as the last entry that the snapshot covers
/// (5.4.1): a server with such a log does not elect a deposed leader, whose own entries are of an
/// older term. In half of the rounds the voter crashes again and again, so that it does not stand
/// itself.
fn stale_candidate(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let mut tried = 0;
    for crashes in [false, true, false, true] {
        let [old, a, b] = arena.roles();
        arena.cfg.faults().isolate(old);
        arena.start(old);
        if until_snapshot(&mut arena, &[a, b]).is_some() {
            let voter = a + b - arena.leader_of(&[a, b]);
            let silence = arena.intercept(voter, old, Kind::Votes);
            let asking = arena.intercept(old, voter, Kind::Votes);
            arena.cfg.faults().partition(&[&[old, voter]]);
            let mut began = Instant::now();
            let request = arena.poll(|arena| {
                if crashes && began.elapsed() >= SHORTEST_TIMEOUT {
                    arena.cfg.restart(voter);
                    began = Instant::now();
                }
                next_of(&asking, |_| arena.term(old) > arena.term(voter))
            });
            if let Some(request) = request {
                tried += 1;
                request.deliver();
                arena.sleep(MOMENT);
            }
            all_of(&silence).iter().for_each(Held::lose);
            drop((silence, asking));
            arena.agree(&[old, voter]);
        }
        arena.judge_all();
    }
    arena.note_tries("a candidate whose log is older than a snapshot", tried);
    arena.end();
}

/// A snapshot covers only the first entry, and is sent to a server that has nothing.
fn snapshot_of_the_first_entry(lab: &Lab) {
    for _ in 0..FIRST_ROUNDS {
        let mut arena = Arena::new(lab, Setup::reliable(3));
        let [leader, other, away] = arena.roles();
        let all = arena.all();
        arena.cfg.crash(away);
        arena.agree(&[leader, other]);
        for server in [leader, other] {
            arena.cfg.make_snapshot(server);
        }
        arena.cfg.restart(away);
        arena.agree(&all);
        arena.note_tries(
            "a snapshot of the first entry",
            usize::from(arena.cfg.snapshots_applied(away) > 0),
        );
        for server in [other, away] {
            arena.cfg.restart(server);
        }
        arena.agree(&all);
        arena.end();
    }
}

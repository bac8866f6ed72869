//! What it costs to bring a server up to date: findings, never failures.
//!
//! The paper leaves the optimizations to the reader, and a correct Raft may do without them. The
//! lab asks for one: a leader that goes back over more than one entry at a time (section 5.3).

use std::time::Duration;

use config::{Kind, SNAPSHOT_INTERVAL, Setup};
use labrpc::network::Held;
use runner::Lab;

use crate::part_e::arena::Arena;
use crate::part_e::figures::private_leader;
use crate::part_e::judgements;
use crate::part_e::staging::all_of;
use crate::part_e::thrift::report;

/// The entries that a server lacks, and the entries of its own that it may have instead.
const ENTRIES: usize = 30;
/// All servers share a log of this many commands of this size, which need not be sent again.
const SHARED: usize = 20;
const SHARED_BYTES: usize = 2000;
/// Before a server comes back, its leader tries for this long to send it the new entries.
const AWAY: Duration = Duration::from_millis(300);
/// A snapshot is on its way for this long.
const SNAPSHOT_DELAY: Duration = Duration::from_millis(500);

/// A server whose log differs from the logs of the others, which reach one another.
struct Diverged {
    server: usize,
    /// What is wrong with its log.
    lacking: &'static str,
    others: [usize; 2],
    /// The last entry that the others agreed on.
    index: u64,
}

/// Servers that lack entries, that have their own, or that need a snapshot catch up.
pub(crate) fn catching_up(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3));
    let mut tried = 0;
    share_a_log(&mut arena);
    // The first of them needs the leader in whose term the shared log is.
    for diverge in [keeps_its_own_term, has_a_foreign_term, misses_entries] {
        if let Some(diverged) = diverge(&mut arena) {
            tried += usize::from(repair(lab, &mut arena, &diverged));
        }
        arena.judge_all();
    }
    arena.note_tries("catching up", tried);
    arena.end();
    note_snapshots(lab);
}

/// All servers have the same commands, in the term of a leader that goes on leading.
fn share_a_log(arena: &mut Arena<'_>) {
    let all = arena.all();
    let leader = arena.leader_of(&all);
    for _ in 0..SHARED {
        let command = arena.cfg.draw_letters(&mut arena.rng, SHARED_BYTES);
        arena.cfg.start(leader, command);
    }
    arena.agree(&all);
}

/// A leader that was cut off goes on taking commands, in the term of entries that all have.
fn keeps_its_own_term(arena: &mut Arena<'_>) -> Option<Diverged> {
    let [server, a, b] = arena.roles();
    arena.cfg.faults().isolate(server);
    for _ in 0..ENTRIES {
        arena.start(server);
    }
    let index = agree_on_some(arena, &[a, b]);
    let lacking = "had 30 entries of its own, of a term that its leader knows";
    Some(Diverged { server, lacking, others: [a, b], index })
}

/// A leader that could never replicate anything has entries of a term that no other server knows.
fn has_a_foreign_term(arena: &mut Arena<'_>) -> Option<Diverged> {
    let [leader, a, b] = arena.roles();
    arena.cfg.faults().isolate(leader);
    let server = private_leader(arena, &[a, b], ENTRIES)?;
    let others = [leader, if server == a { b } else { a }];
    arena.cfg.faults().partition(&[&others]);
    let index = agree_on_some(arena, &others);
    let lacking = "had 30 entries of its own, of a term that its leader does not know";
    Some(Diverged { server, lacking, others, index })
}

/// A server is down while the others agree, and have a new leader, which knows nothing about its
/// log.
fn misses_entries(arena: &mut Arena<'_>) -> Option<Diverged> {
    let [leader, other, server] = arena.roles();
    let others = [leader, other];
    arena.cfg.crash(server);
    agree_on_some(arena, &others);
    arena.cfg.restart(leader);
    let index = arena.agree(&others);
    Some(Diverged { server, lacking: "had missed 30 entries", others, index })
}

/// Returns the index of the last entry.
fn agree_on_some(arena: &mut Arena<'_>, servers: &[usize]) -> u64 {
    let leader = arena.leader_of(servers);
    for _ in 0..ENTRIES {
        arena.start(leader);
    }
    arena.agree(servers)
}

/// Brings the server back, and judges what its repair takes. False if the leader did not stay.
fn repair(lab: &Lab, arena: &mut Arena<'_>, diverged: &Diverged) -> bool {
    let Diverged { server, lacking, others, index } = diverged;
    arena.sleep(AWAY);
    let leader = arena.leader_of(others);
    let term = arena.term(leader);
    let (calls, bytes) = (arena.cfg.rpc_count(*server), arena.cfg.bytes_total());
    arena.cfg.relieve(*server);
    arena.cfg.faults().heal_all();
    let servers = arena.n();
    arena.until(|arena| arena.cfg.n_committed(*index).0 == servers);
    if arena.term(leader) != term || !arena.leads(leader) {
        return false;
    }
    let calls = arena.cfg.rpc_count(*server) - calls;
    let bytes = arena.cfg.bytes_total() - bytes;
    report(lab, judgements::rounds(*server, lacking, calls));
    report(lab, judgements::repair_bytes(*server, lacking, bytes, SHARED * SHARED_BYTES));
    true
}

/// A server needs a snapshot, and all messages of its leader are slow.
fn note_snapshots(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(3).with_snapshots());
    let [leader, other, away] = arena.roles();
    arena.cfg.crash(away);
    for _ in 0..SNAPSHOT_INTERVAL + 2 {
        arena.agree(&[leader, other]);
    }
    let snapshots = arena.intercept(leader, away, Kind::Snapshots);
    let entries = arena.intercept(leader, away, Kind::Entries);
    arena.cfg.restart(away);
    // Perhaps the leader has to learn first that entries do not help.
    let first = arena.poll(|_| {
        let snapshot = snapshots.try_next();
        if snapshot.is_none() {
            all_of(&entries).iter().for_each(Held::deliver);
        }
        snapshot
    });
    arena.note_tries(
        "a follower that needs a snapshot over slow links",
        usize::from(first.is_some()),
    );
    arena.sleep(SNAPSHOT_DELAY);
    let again = all_of(&snapshots);
    first.iter().chain(&again).for_each(Held::deliver);
    report(lab, judgements::snapshot_copies(1 + again.len(), SNAPSHOT_DELAY));
    drop((snapshots, entries));
    arena.judge_all();
    arena.end();
}

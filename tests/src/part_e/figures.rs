//! The paper's figures, staged: Figure 8, and logs like those of Figure 7.
//!
//! A fault shows when the next leader commits another entry at an index where a server has already
//! applied one. So each scenario ends with an agreement among the servers that have the committed
//! entries.

use config::{Kind, Setup};
use labrpc::network::Held;
use rand::RngExt;
use runner::Lab;

use crate::part_e::arena::{Arena, LEADER_LIMIT};
use crate::part_e::staging::all_of;

const FIGURE_8_ROUNDS: usize = 3;
const FIGURE_7_LEADERS: usize = 3;

/// Figure 8, with the paper's names: (a) S1 replicates an entry to S2 only; (b) S5 is elected by S3
/// and S4, and takes another; (c) S1 or S2 is elected, and now a majority has the first entry, of
/// an old term; (d) S5 is elected again, and replaces that entry by its own. S5 cannot be elected
/// only if an entry of the new term was committed in (c).
pub(crate) fn figure_8_staged(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(5));
    let mut tried = 0;
    for _ in arena.rounds(FIGURE_8_ROUNDS) {
        let [s1, s2, a, b, c] = arena.roles();
        arena.cfg.faults().partition(&[&[s1, s2]]);
        let exchange = arena.exchange(s1, s2, Kind::Entries);
        let old = arena.start_known(s1).map(|(_, command)| command);
        let old = old.filter(|command| arena.bring(&exchange, command));
        drop(exchange);
        if let Some(old) = old
            && let Some(s5) = private_leader(&mut arena, &[a, b, c], 1)
        {
            let [s3, s4] = match s5 {
                _ if s5 == a => [b, c],
                _ if s5 == b => [a, c],
                _ => [a, b],
            };
            arena.cfg.crash(s5);
            let exchange = arena.exchange_with(s3, Kind::Entries);
            arena.cfg.faults().partition(&[&[s1, s2, s3]]);
            tried += usize::from(arena.bring(&exchange, &old));
            drop(exchange);
            arena.leader_of(&[s1, s2, s3]);

            arena.cfg.faults().partition(&[&[s3, s4, s5]]);
            arena.cfg.restart(s5);
            arena.agree(&[s3, s4, s5]);
        }
        arena.judge_all();
    }
    arena.note_tries("figure 8", tried);
    arena.end();
}

/// Logs lack entries, have extra entries, or both, of several terms, as in Figure 7. All become
/// like the log that a majority has.
pub(crate) fn figure_7_logs(lab: &Lab) {
    let mut arena = Arena::new(lab, Setup::reliable(7));
    let all = arena.all();
    for _ in 0..3 {
        arena.agree(&all);
    }
    // (f), (e) and (d): leaders whose entries no other server ever gets. A former leader refuses
    // its vote because its log is newer, but it cannot be elected either: that takes four of seven.
    let mut fresh = arena.shuffled();
    for _ in arena.rounds(FIGURE_7_LEADERS) {
        let commands = arena.rng.random_range(1..=6);
        let group: Vec<usize> = fresh.clone();
        if let Some(leader) = private_leader(&mut arena, &group, commands) {
            fresh.retain(|server| *server != leader);
        }
    }
    // (a) and (b): some of the other servers miss what the rest agree on.
    let majority = arena.majority();
    fresh.truncate(majority);
    arena.note_tries("the logs of figure 7", usize::from(fresh.len() == majority));
    if fresh.len() == majority {
        arena.cfg.faults().partition(&[&fresh]);
        let commands = arena.rng.random_range(1..=6);
        for _ in 0..commands {
            arena.agree(&fresh);
        }
        // (c): its leader has one entry more than it can replicate.
        let leader = arena.leader_of(&fresh);
        arena.cfg.faults().isolate(leader);
        arena.start(leader);
        // The longer logs come back first, one by one, and must not win.
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

/// Isolates the leader that `group` elects before it can replicate anything, and gives it commands
/// that only it has. None if no server was elected.
pub(crate) fn private_leader(
    arena: &mut Arena<'_>,
    group: &[usize],
    commands: usize,
) -> Option<usize> {
    let entries = arena.cfg.network().intercept(Kind::Entries.requests());
    arena.cfg.faults().partition(&[group]);
    let leader = arena
        .poll_within(LEADER_LIMIT, |arena| group.iter().copied().find(|one| arena.leads(*one)));
    arena.cfg.faults().partition(&[]);
    all_of(&entries).iter().for_each(Held::lose);
    drop(entries);
    let leader = leader?;
    for _ in 0..commands {
        arena.start(leader);
    }
    Some(leader)
}

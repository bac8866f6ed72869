//! Part 3D: snapshots, and a log that stays short because of them.
//!
//! A server that comes back needs a snapshot only if the others have discarded the entries that it
//! missed. In the original that is left to chance: some rounds of a test, or all, can do without a
//! snapshot. Here the rounds 0, 10 and 20 make sure that one is needed. The entries that the server
//! misses there are larger than a log may be, so they have to come in a snapshot, however an
//! implementation sends it.
//!
//! Every correct Raft passes the check of the log's size. Section 7 allows a log to keep some of
//! the entries that a snapshot covers: many keep the last one as the log's first. So the large
//! command of a round is not among the last entries that a snapshot covers when the size is
//! checked: a whole interval of small commands follows it. At most two intervals of small commands
//! can be left, as in the original.

use std::time::Duration;

use choice::Stream;
use config::{
    Class, Config, FindingKind, RAFT_ELECTION_TIMEOUT, SNAPSHOT_INTERVAL, Setup, next_snapshot,
};
use rand::RngExt;
use runner::Lab;

use crate::draw;

const SERVERS: usize = 3;
const ROUNDS: usize = 30;
/// Every round whose number is a multiple of this makes sure that a snapshot is needed. Every third
/// round cuts off the leader, and so does one of these.
const SURE_ROUND_INTERVAL: usize = 10;
const SECOND_LOOK_AFTER: Duration = Duration::from_millis(100);
/// The saved Raft state of a server must have fewer bytes: 6.824's MAXLOGSIZE.
const LOG_SIZE_LIMIT: usize = 2000;
/// The size of a command that no log of the allowed size holds. Its letters and digits carry 5.95
/// bits each, so a log that is saved in compressed form does not hold it either.
const LARGE_COMMAND_BYTES: usize = 2 * LOG_SIZE_LIMIT;

/// What happens to one server in every round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It takes part.
    None,
    /// It is cut off, and misses the round.
    Disconnect,
    /// It crashes, and misses the round.
    Crash,
}

/// TestSnapshotBasic3D: do logs stay short when the lab makes snapshots?
pub(crate) fn snapshot_basic(lab: &Lab) {
    snap_common(lab, Setup::reliable(SERVERS), Fault::None);
}

/// TestSnapshotInstall3D: does a server that was cut off catch up by a snapshot?
pub(crate) fn snapshot_install(lab: &Lab) {
    snap_common(lab, Setup::reliable(SERVERS), Fault::Disconnect);
}

/// TestSnapshotInstallUnreliable3D: the same on a network that loses and delays messages.
pub(crate) fn snapshot_install_unreliable(lab: &Lab) {
    snap_common(lab, Setup::unreliable(SERVERS), Fault::Disconnect);
}

/// TestSnapshotInstallCrash3D: does a server that crashed catch up by a snapshot?
pub(crate) fn snapshot_install_crash(lab: &Lab) {
    snap_common(lab, Setup::reliable(SERVERS), Fault::Crash);
}

/// TestSnapshotInstallUnCrash3D: the same on a network that loses and delays messages.
pub(crate) fn snapshot_install_unreliable_crash(lab: &Lab) {
    snap_common(lab, Setup::unreliable(SERVERS), Fault::Crash);
}

/// 6.824's snapcommon.
fn snap_common(lab: &Lab, setup: Setup, fault: Fault) {
    let cfg = lab.make_config(setup.with_snapshots());
    let mut rng = lab.rng();
    cfg.begin();
    cfg.one(&draw::command(&mut rng), SERVERS, true);
    let mut leader = cfg.check_one_leader();
    for round in 0..ROUNDS {
        let next = (leader + 1) % SERVERS;
        let (victim, sender) = if round % 3 == 1 { (leader, next) } else { (next, leader) };
        match fault {
            Fault::None => {
                start_some(&cfg, &mut rng, sender);
                cfg.one(&draw::command(&mut rng), SERVERS, true);
                check_log_size(lab, &cfg);
            }
            Fault::Disconnect => {
                cfg.disconnect(victim);
                leader = miss_a_round(lab, &cfg, &mut rng, round, [victim, sender]);
            }
            Fault::Crash => {
                cfg.crash(victim);
                leader = miss_a_round(lab, &cfg, &mut rng, round, [victim, sender]);
            }
        }
    }
    cfg.end();
}

/// The others agree on some commands; then the victim comes back and catches up. Returns the leader
/// at the end.
fn miss_a_round(
    lab: &Lab,
    cfg: &Config,
    rng: &mut Stream,
    round: usize,
    [victim, sender]: [usize; 2],
) -> usize {
    let others = SERVERS - 1;
    let is_sure = round.is_multiple_of(SURE_ROUND_INTERVAL);
    let snapshots = cfg.snapshots_applied(victim);
    let mut index = if is_sure {
        cfg.one(&cfg.draw_letters(rng, LARGE_COMMAND_BYTES), others, true)
    } else {
        cfg.one(&draw::command(rng), others, true)
    };
    let covered_at = next_snapshot(index + SNAPSHOT_INTERVAL);
    start_some(cfg, rng, sender);
    index = index.max(cfg.one(&draw::command(rng), others, true));
    // One index after the snapshot: a server that has applied it has made the snapshot before.
    while is_sure && index <= covered_at {
        index = index.max(cfg.one(&draw::command(rng), others, true));
    }
    check_log_size(lab, cfg);

    if cfg.is_running(victim) {
        cfg.connect(victim);
    } else {
        cfg.restart(victim);
    }
    cfg.one(&draw::command(rng), SERVERS, true);
    if is_sure && cfg.snapshots_applied(victim) == snapshots {
        // This is no failure: the size of the saved log was checked above, and a leader may keep
        // entries in memory that it is sending to a follower.
        let sentence = format!(
            "server {victim} caught up with index {index} and applied no snapshot, although no \
             saved log can still have the entries that it missed"
        );
        lab.referee().note(FindingKind::KeptEntries, sentence);
    }
    cfg.check_one_leader()
}

fn start_some(cfg: &Config, rng: &mut Stream, sender: usize) {
    // The sender is perhaps not the leader; then it refuses them.
    for _ in 0..rng.random_range(5..15) {
        cfg.start(sender, draw::command(rng));
    }
}

/// The original checks once. Here an implementation that saves a moment later passes the second
/// check.
fn check_log_size(lab: &Lab, cfg: &Config) {
    if cfg.log_size() >= LOG_SIZE_LIMIT {
        cfg.sleep(SECOND_LOOK_AFTER);
    }
    let size = cfg.log_size();
    if size >= LOG_SIZE_LIMIT {
        let sentence = format!(
            "a server saved {size} bytes of Raft state; the limit is {LOG_SIZE_LIMIT}: does it cut \
             its log at a snapshot?"
        );
        lab.fail_at(
            Class::Contract,
            sentence,
            "snapshot; it drops log up to the index that it gets, and saves the rest with the \
             snapshot (section 7)",
        );
    }
}

/// TestSnapshotAllCrash3D: does agreement go on from where it was after all servers have crashed?
pub(crate) fn snapshot_all_crash(lab: &Lab) {
    let cfg = lab.make_config(Setup::reliable(SERVERS).with_snapshots());
    let mut rng = lab.rng();
    cfg.begin();
    cfg.one(&draw::command(&mut rng), SERVERS, true);
    for _ in 0..5 {
        for _ in 0..rng.random_range(5..15) {
            cfg.one(&draw::command(&mut rng), SERVERS, true);
        }
        let before = cfg.one(&draw::command(&mut rng), SERVERS, true);
        cfg.restart_all();
        let after = cfg.one(&draw::command(&mut rng), SERVERS, true);
        if after <= before {
            let sentence = format!(
                "after all servers had crashed, a command got index {after}; index {before} was \
                 taken before the crash"
            );
            lab.fail(Class::Safety, sentence);
        }
    }
    check_snapshot_saved(lab, &cfg);
    cfg.end();
}

/// TestSnapshotInit3D: does a server that has just started from its snapshot still have it when it
/// crashes again?
pub(crate) fn snapshot_init(lab: &Lab) {
    let cfg = lab.make_config(Setup::reliable(SERVERS).with_snapshots());
    let mut rng = lab.rng();
    cfg.begin();
    cfg.one(&draw::command(&mut rng), SERVERS, true);
    // Enough for a snapshot at index 9.
    for _ in 0..11 {
        cfg.one(&draw::command(&mut rng), SERVERS, true);
    }
    check_snapshot_saved(lab, &cfg);
    cfg.restart_all();
    // One command, so that every server saves its state.
    cfg.one(&draw::command(&mut rng), SERVERS, true);
    cfg.restart_all();
    // One more command shows whether a server forgot the snapshot.
    cfg.one(&draw::command(&mut rng), SERVERS, true);
    cfg.end();
}

/// Without a snapshot in any persister a restart tests nothing here; the original does not check
/// that.
fn check_snapshot_saved(lab: &Lab, cfg: &Config) {
    if cfg.snapshot_size() == 0 {
        // An implementation may save it a moment later.
        cfg.sleep(RAFT_ELECTION_TIMEOUT);
    }
    if cfg.snapshot_size() == 0 {
        let sentence =
            "no server has a snapshot in its persister, although the lab made one at index 9";
        lab.fail_at(
            Class::Contract,
            sentence,
            "snapshot; it saves the snapshot with the state, in one call of Persister::save \
             (section 7)",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounds_that_need_a_snapshot_cut_off_a_leader_and_followers() {
        let sure = (0..ROUNDS).step_by(SURE_ROUND_INTERVAL);
        let of_the_leader = sure.filter(|round| round % 3 == 1).count();
        assert_eq!(of_the_leader, 1);
    }
}

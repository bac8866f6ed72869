//! Part D in the appliers (6.824's applierSnap and ingestSnap), on servers that apply what the test
//! says and save every snapshot that the lab gives them.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::support::{Fake, Fakes, bounded};
use config::command::number;
use config::{Class, Config, Failure, Rule, Setup};
use parking_lot::Mutex;
use raftapi::ApplyMsg;

/// Most of these tests do not wait.
const LIMIT: Duration = Duration::from_secs(30);
/// The limit of `snapshot` is 10 s.
const HANG_LIMIT: Duration = Duration::from_secs(60);
const SETUP: Setup = Setup { servers: 3, unreliable: false, snapshots: true, invariants: true };

#[track_caller]
fn passes(test: impl FnOnce(&Config, &Fakes) + Send + 'static) {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|_, _| ());
        let cfg = fakes.cluster(SETUP);
        test(&cfg, &fakes);
        assert_eq!(fakes.referee.verdict(), None);
    });
}

/// Runs a test in which server 1 breaks a rule of the applier.
#[track_caller]
fn fails(rule: Rule, sentence: &'static str, body: impl FnOnce(&Config, &Fakes) + Send + 'static) {
    fails_with(Failure::of(1, Class::Safety, sentence).with_rule(rule), body);
}

#[track_caller]
fn fails_with(expected: Failure, body: impl FnOnce(&Config, &Fakes) + Send + 'static) {
    bounded(LIMIT, move || {
        let failure = Fakes::new(|_, _| ()).failure(SETUP, |cfg, fakes| {
            body(cfg, fakes);
            // The appliers work later; their failure ends this wait.
            cfg.wait(1000, 1, None);
        });
        assert_eq!(failure, expected);
    });
}

/// Hands entries to the lab. When this returns, all but the last are counted.
fn apply(fake: &Fake, indices: std::ops::RangeInclusive<u64>) {
    for index in indices {
        let message = ApplyMsg::Command { index, command: number(index * 100) };
        fake.context.apply.send(message).unwrap();
    }
}

fn install(fake: &Fake, index: u64, snapshot: Vec<u8>) {
    fake.context.apply.send(ApplyMsg::Snapshot { index, term: 1, snapshot }).unwrap();
}

/// The lab's own snapshot up to index 9, from server 0.
fn snapshot(cfg: &Config, fakes: &Fakes) -> Vec<u8> {
    let fake = fakes.of(0);
    apply(&fake, 1..=10);
    cfg.wait(10, 1, None);
    fake.context.persister.read_snapshot()
}

/// applierSnap: SnapShotInterval is 10, and 9, 19 and 29 are the indices that it gives.
#[test]
fn the_lab_makes_a_snapshot_before_every_tenth_index() {
    passes(|_, fakes| {
        let fake = fakes.of(0);
        let size = || fake.context.persister.snapshot_size();
        apply(&fake, 1..=9);
        apply(&fake, 10..=10);
        let first = size();
        assert!(first > 0);
        apply(&fake, 11..=18);
        assert_eq!(size(), first);
        apply(&fake, 19..=20);
        assert!(size() > first, "it covers everything, not only what is new");
    });
}

/// applierSnap is for part D only.
#[test]
fn without_snapshots_in_the_setup_there_are_none() {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|_, _| ());
        let cfg = fakes.cluster(Setup::reliable(1));
        apply(&fakes.of(0), 1..=10);
        cfg.wait(10, 1, None);
        assert_eq!(cfg.snapshot_size(), 0);
    });
}

/// ingestSnap: what a snapshot covers counts as applied.
#[test]
fn an_installed_snapshot_brings_its_entries_and_the_next_entry_follows_it() {
    passes(|cfg, fakes| {
        let snapshot = snapshot(cfg, fakes);
        install(&fakes.of(1), 9, snapshot);
        apply(&fakes.of(1), 10..=10);
        assert_eq!(cfg.wait(10, 2, None), Some(number(1000)));
        for index in 1..=9 {
            assert_eq!(cfg.n_committed(index), (2, Some(number(index * 100))));
        }
    });
}

#[test]
fn a_snapshot_that_brings_something_new_is_counted() {
    passes(|cfg, fakes| {
        let snapshot = snapshot(cfg, fakes);
        install(&fakes.of(1), 9, snapshot.clone());
        assert_eq!(cfg.wait(9, 2, None), Some(number(900)));
        install(&fakes.of(1), 9, snapshot);
        apply(&fakes.of(1), 10..=10);
        assert_eq!([0, 1].map(|server| cfg.snapshots_applied(server)), [0, 1]);
    });
}

/// ingestSnap, when a server starts.
#[test]
fn a_server_that_saved_a_snapshot_restarts_after_it() {
    passes(|cfg, fakes| {
        snapshot(cfg, fakes);
        cfg.start_server(0);
        apply(&fakes.of(0), 10..=11);
        assert_eq!(cfg.wait(11, 1, None), Some(number(1100)));
    });
}

/// applierSnap: "apply out of order" after a restart.
#[test]
fn a_server_that_saved_a_snapshot_does_not_apply_again_what_it_covers() {
    let sentence = "server 1 restarted and then applied index 1, but index 10 was next: the lab's \
                    service restarts from the saved snapshot, which ends with index 9, and expects \
                    all later entries";
    let expected = Failure::of(1, Class::Contract, sentence).with_rule(Rule::S9);
    fails_with(expected, |cfg, fakes| {
        let snapshot = snapshot(cfg, fakes);
        fakes.of(1).context.persister.save(Vec::new(), snapshot);
        cfg.start_server(1);
        apply(&fakes.of(1), 1..=1);
    });
}

/// applierSnap: "apply out of order" after a snapshot.
#[test]
fn a_gap_after_a_snapshot_is_out_of_order() {
    fails(Rule::S9, "server 1 applied index 11, but index 10 was next", |cfg, fakes| {
        let snapshot = snapshot(cfg, fakes);
        install(&fakes.of(1), 9, snapshot);
        apply(&fakes.of(1), 11..=11);
    });
}

/// ingestSnap: "snapshot doesn't match m.SnapshotIndex".
#[test]
fn a_snapshot_under_another_index_is_refused() {
    let sentence = "server 1 has a snapshot that covers index 9, but was applied as 8";
    fails(Rule::S14, sentence, |cfg, fakes| {
        let snapshot = snapshot(cfg, fakes);
        install(&fakes.of(1), 8, snapshot);
    });
}

/// ingestSnap: "snapshot decode error".
#[test]
fn a_snapshot_that_the_lab_never_made_is_refused() {
    let sentence = "server 1 has a snapshot that the lab never made: \"\"";
    fails(Rule::S14, sentence, |_, fakes| install(&fakes.of(1), 9, Vec::new()));
}

/// 6.824 accepts a snapshot that ends before an applied entry.
#[test]
fn a_snapshot_that_ends_before_an_applied_entry_is_refused() {
    let sentence =
        "server 1 has a snapshot that covers index 9, but it has applied index 10 already";
    fails(Rule::S14, sentence, |cfg, fakes| {
        let snapshot = snapshot(cfg, fakes);
        apply(&fakes.of(1), 1..=10);
        install(&fakes.of(1), 9, snapshot);
    });
}

/// applierSnap calls `snapshot` on its own thread. If a peer holds a lock while it hands over an
/// entry, and takes that lock in `snapshot`, it is a deadlock.
#[test]
fn a_peer_that_applies_while_it_holds_the_lock_of_snapshot_hangs() {
    let lock = Arc::new(Mutex::new(()));
    let held = Arc::clone(&lock);
    let act = move |_: &Fake, method: &'static str| {
        if method == "snapshot" {
            drop(lock.lock());
        }
    };
    let failure = snapshot_fails(act, move |_, fakes| {
        let _guard = held.lock();
        apply(&fakes.of(1), 1..=10);
    });
    let sentence = "server 1 has not returned from `snapshot` for 10 s";
    let note = "server 1's thread `applier` has waited 10.5 s for a lock".into();
    assert_eq!(failure, Failure::of(1, Class::Timeout, sentence).with_notes([note]));
}

/// `snapshot` runs on the applier's thread, but its panic is not the applier's fault.
#[test]
fn a_panic_in_snapshot_is_the_peers() {
    let act = |_: &Fake, method: &'static str| assert!(method != "snapshot", "out of luck");
    let failure = snapshot_fails(act, |cfg, fakes| {
        apply(&fakes.of(1), 1..=9);
        cfg.wait(10, 1, None);
    });
    let sentence = "server 1 panicked in `snapshot`: out of luck";
    assert_eq!(failure, Failure::of(1, Class::Panic, sentence));
}

#[track_caller]
fn snapshot_fails(
    act: impl Fn(&Fake, &'static str) + Send + Sync + 'static,
    body: impl FnOnce(&Config, &Fakes) + Send + 'static,
) -> Failure {
    let (failed, failure) = mpsc::channel();
    bounded(HANG_LIMIT, move || failed.send(Fakes::new(act).failure(SETUP, body)).unwrap());
    failure.recv().unwrap()
}

/// crash1: a snapshot of a killed server does not count either.
#[test]
fn a_snapshot_of_a_crashed_incarnation_is_received_and_ignored() {
    passes(|cfg, fakes| {
        let snapshot = snapshot(cfg, fakes);
        let old = fakes.of(1);
        cfg.start_server(1);
        install(&old, 9, snapshot);
        // Once this entry is received, the one before it has been handled.
        apply(&old, 20..=20);
        assert_eq!(cfg.n_committed(1).0, 1);
        apply(&fakes.of(1), 1..=1);
        assert_eq!(cfg.wait(1, 2, None), Some(number(100)));
    });
}

//! Peers that break the contract of `RaftPeer`. Each one leads to a verdict that names the server,
//! and none crashes the test. `panics.rs` has the panics that only a panic hook can see.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::meeting::meet;
use crate::support::{Fake, Fakes, bounded};
use config::{Class, Config, Failure, Rule, SAVED_BYTES_MAX, Setup};
use labrpc::CallError;
use labrpc::network::UNDER_WAY_BYTES_MAX;
use parking_lot::Mutex;
use raftapi::{ApplyMsg, Started};

const LIMIT: Duration = Duration::from_secs(30);
/// The limit of `make` is a second, of every other call 10 s. The calls are checked twice a second.
const HANG_LIMIT: Duration = Duration::from_secs(60);
const TERM_MAX: u64 = 1 << 32;

/// Checks the failure of three peers that do `act`, during `body`.
#[track_caller]
fn fails(
    limit: Duration,
    act: impl Fn(&Fake, &'static str) + Send + Sync + 'static,
    body: impl FnOnce(&Config, &Fakes) + Send + 'static,
    expected: Failure,
) {
    bounded(limit, move || {
        assert_eq!(Fakes::new(act).failure(Setup::reliable(3), body), expected);
    });
}

/// Checks the failure of a peer that gives these answers to `get_state`.
#[track_caller]
fn says(states: &'static [(u64, bool)], expected: Failure) {
    let ask = move |cfg: &Config, fakes: &Fakes| {
        meet(fakes, 3);
        fakes.of(1).script.lock().states = states.iter().copied().collect();
        for _ in states {
            cfg.get_state(1);
        }
    };
    fails(LIMIT, |_, _| (), ask, expected);
}

/// Checks the failure of a peer that gives this answer to `start`.
#[track_caller]
fn starts(index: u64, term: u64, sentence: &str) {
    let ask = move |cfg: &Config, fakes: &Fakes| {
        fakes.of(1).script.lock().started = Some(Started { index, term });
        cfg.start(1, vec![1]);
    };
    fails(LIMIT, |_, _| (), ask, Failure::of(1, Class::Contract, sentence));
}

/// Checks the failure of server 1, which panics in a method that `body` makes the lab call.
#[track_caller]
fn panics(method: &'static str, body: impl FnOnce(&Config) + Send + 'static) {
    let act = move |fake: &Fake, called: &'static str| {
        assert!(called != method || fake.context.me != 1, "out of luck");
    };
    let sentence = format!("server 1 panicked in `{method}`: out of luck");
    fails(LIMIT, act, |cfg, _| body(cfg), Failure::of(1, Class::Panic, sentence));
}

fn hang() -> ! {
    loop {
        thread::park();
    }
}

#[test]
fn a_peer_that_panics_in_a_method_is_named_even_without_a_hook() {
    panics("make", |_| unreachable!("there is a cluster"));
    panics("service", |_| unreachable!("there is a cluster"));
    panics("start", |cfg| _ = cfg.start(1, vec![1]));
    panics("get_state", |cfg| _ = cfg.check_terms());
    panics("kill", |cfg| cfg.crash(1));
}

/// cleanup.
#[test]
fn a_panic_in_kill_at_the_end_does_not_stop_the_kill_of_other_peers() {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|fake, method| {
            assert!(method != "kill" || fake.context.me != 0, "out of luck");
        });
        drop(fakes.cluster(Setup::reliable(3)));
        let sentence = "server 0 panicked in `kill`: out of luck";
        let failure = Failure::of(0, Class::Panic, sentence);
        assert_eq!(fakes.referee.verdict(), Some(Err(failure)));
        let kills = [0, 1, 2].map(|server| fakes.of(server).script.lock().kills);
        assert_eq!(kills, [0, 1, 1]);
    });
}

#[test]
fn a_peer_that_never_returns_from_make_fails_after_a_second() {
    let act = |fake: &Fake, method: &'static str| {
        if method == "make" && fake.context.me == 1 {
            hang();
        }
    };
    let body = |_: &Config, _: &Fakes| unreachable!("there is a cluster");
    let sentence = "server 1 has not returned from `make` for 1 s";
    let expected = Failure::of(1, Class::Timeout, sentence);
    let note = "an unnamed thread of server 1 has waited 1.5 s".into();
    fails(HANG_LIMIT, act, body, expected.with_notes([note]));
}

#[test]
fn a_peer_that_never_returns_from_start_fails_after_ten_seconds() {
    let act = |_: &Fake, method: &'static str| {
        if method == "start" {
            hang();
        }
    };
    let body = |cfg: &Config, _: &Fakes| _ = cfg.start(2, vec![1]);
    let sentence = "server 2 has not returned from `start` for 10 s";
    let expected = Failure::of(2, Class::Timeout, sentence);
    let note = "an unnamed thread of server 2 has waited 10.5 s".into();
    fails(HANG_LIMIT, act, body, expected.with_notes([note]));
}

/// For example, the call waits for a thread that has ended after the kill. The lab's thread waits
/// for the call.
#[test]
fn a_call_that_hangs_after_the_kill_says_so() {
    let act = |fake: &Fake, method: &'static str| {
        if method == "get_state" && fake.context.me == 1 {
            hang();
        }
    };
    let body = |cfg: &Config, _: &Fakes| {
        thread::scope(|scope| {
            scope.spawn(|| cfg.get_state(1));
            cfg.sleep(Duration::from_secs(1));
            cfg.crash(1);
        });
    };
    let sentence = "server 1 has not returned from `get_state` for 10 s, after it was killed";
    let expected = Failure::of(1, Class::Timeout, sentence);
    let note = "an unnamed thread of server 1 has waited 10.5 s".into();
    fails(HANG_LIMIT, act, body, expected.with_notes([note]));
}

#[test]
fn no_thread_waits_for_a_snapshot_that_a_killed_peer_never_takes() {
    bounded(HANG_LIMIT, || {
        let fakes = Fakes::new(|_, method| {
            if method == "snapshot" {
                hang();
            }
        });
        let cfg = fakes.cluster(Setup::reliable(3).with_snapshots());
        for index in 1..=9 {
            let message = ApplyMsg::Command { index, command: vec![1] };
            fakes.of(1).context.apply.send(message).unwrap();
        }
        cfg.sleep(Duration::from_secs(1));
        cfg.restart(1);
        cfg.sleep(HANG_LIMIT / 2);
        assert_eq!(fakes.referee.verdict(), None);
    });
}

/// The waits of an earlier incarnation do not explain why the present one hangs.
#[test]
fn the_notes_on_a_hang_leave_out_threads_of_killed_incarnations() {
    let act = |fake: &Fake, method: &'static str| match method {
        "make" if fake.context.me == 1 => drop(thread::spawn(|| hang())),
        "start" => hang(),
        _ => {}
    };
    let body = |cfg: &Config, _: &Fakes| {
        cfg.restart(1);
        _ = cfg.start(1, vec![1]);
    };
    let expected =
        Failure::of(1, Class::Timeout, "server 1 has not returned from `start` for 10 s");
    let note = || "an unnamed thread of server 1 has waited 10.5 s".to_owned();
    // The caller's thread, and the one that the second `make` has started.
    fails(HANG_LIMIT, act, body, expected.with_notes([note(), note()]));
}

/// 6.824 warns of it: a lock must not be held across a call.
#[test]
fn a_peer_that_calls_itself_while_it_holds_its_lock_is_a_deadlock() {
    let (locked, is_locked) = mpsc::channel();
    let lock = Arc::new(Mutex::new(()));
    let act = move |fake: &Fake, method: &'static str| match method {
        "start" => {
            let (lock, locked) = (Arc::clone(&lock), locked.clone());
            let own_end = fake.context.ends[fake.context.me].clone();
            thread::spawn(move || {
                let _guard = lock.lock();
                locked.send(()).unwrap();
                own_end.call::<str, String>("Raft.Echo", "me")
            });
        }
        "Echo" | "get_state" => drop(lock.lock()),
        _ => {}
    };
    let body = move |cfg: &Config, _: &Fakes| {
        cfg.start(1, vec![1]);
        is_locked.recv().unwrap();
        cfg.get_state(1);
    };
    let sentence = "server 1 has not returned from `get_state` for 10 s: it calls Raft.Echo of \
                    itself and its handler never returns; is a lock held across the call?";
    let notes = [
        "an unnamed thread of server 1 has waited 10.5 s for a lock".into(),
        "server 1's thread `rpc` has waited 10.5 s for a lock".into(),
    ];
    fails(HANG_LIMIT, act, body, Failure::of(1, Class::Deadlock, sentence).with_notes(notes));
}

/// The time in the note depends on the clock.
#[test]
fn a_handler_that_hangs_is_noted_when_there_is_no_leader() {
    bounded(HANG_LIMIT, || {
        let (entered, is_entered) = mpsc::channel();
        let fakes = Fakes::new(move |_, method| {
            if method == "Echo" {
                entered.send(()).unwrap();
                hang();
            }
        });
        let failure = fakes.failure(Setup::reliable(3), move |cfg, fakes| {
            let end = fakes.of(0).context.ends[1].clone();
            thread::spawn(move || end.call::<str, String>("Raft.Echo", "you"));
            is_entered.recv().unwrap();
            cfg.check_one_leader();
        });
        assert_eq!(failure.class, Class::Liveness);
        let [note] = &failure.notes[..] else { panic!("{:?}", failure.notes) };
        let seconds = note
            .strip_prefix("server 1 has not answered the Raft.Echo of server 0 for ")
            .and_then(|rest| rest.strip_suffix(" s"))
            .unwrap_or_else(|| panic!("{note}"));
        assert!(seconds.parse::<f64>().unwrap() >= 4.5, "{note}");
    });
}

#[test]
fn a_leader_of_term_0_breaks_the_contract() {
    says(
        &[(0, false), (0, true)],
        Failure::of(
            1,
            Class::Contract,
            "server 1 says that it leads term 0; the first term to lead is 1",
        ),
    );
}

/// The paper's figure 2: the current term increases monotonically.
#[test]
fn a_term_that_falls_breaks_safety() {
    let sentence = "server 1 is in term 4 after it was in term 5";
    let expected = Failure::of(1, Class::Safety, sentence).with_rule(Rule::S12);
    says(&[(5, false), (4, false)], expected);
}

#[test]
fn a_term_above_the_limit_breaks_the_contract() {
    says(
        &[(TERM_MAX, true), (TERM_MAX + 1, true)],
        Failure::of(
            1,
            Class::Contract,
            "server 1 is in term 4294967297; the highest term that the lab accepts is 4294967296",
        ),
    );
}

#[test]
fn a_command_taken_at_an_impossible_index_or_term_breaks_the_contract() {
    let first = "the first index and the first term are 1";
    let highest = "the highest term that the lab accepts is 4294967296";
    for (index, term, limit) in [(0, 1, first), (1, 0, first), (1, TERM_MAX + 1, highest)] {
        let sentence = format!("server 1 took a command as index {index} of term {term}; {limit}");
        starts(index, term, &sentence);
    }
}

/// 6.824's labrpc ends the process and prints the known names.
#[test]
fn a_call_of_an_unknown_rpc_breaks_the_contract_even_if_the_caller_ignores_the_error() {
    let calls = |method: &'static str| {
        move |cfg: &Config, fakes: &Fakes| {
            let _: Result<(), CallError> = fakes.of(2).context.ends[1].call(method, &());
            cfg.sleep(LIMIT);
        }
    };
    fails(
        LIMIT,
        |_, _| (),
        calls("Raft.Ehco"),
        Failure::of(
            2,
            Class::Contract,
            "server 2 called server 1: unknown method \"Raft.Ehco\"; the service offers Echo",
        ),
    );
    fails(
        LIMIT,
        |_, _| (),
        calls("Paxos.Prepare"),
        Failure::of(
            2,
            Class::Contract,
            "server 2 called server 1: unknown service \"Paxos\" in a call of \"Paxos.Prepare\"; \
             the server offers Raft",
        ),
    );
}

#[test]
fn a_server_that_saves_too_much_is_named() {
    let saves = |_: &Config, fakes: &Fakes| {
        let persister = &fakes.of(1).context.persister;
        persister.save(vec![1; SAVED_BYTES_MAX / 2], vec![2; SAVED_BYTES_MAX / 2]);
        persister.save(vec![1; SAVED_BYTES_MAX / 2], vec![2; SAVED_BYTES_MAX / 2 + 1]);
    };
    let sentence = "server 1 saved more than 32 MiB: 33554433 bytes";
    fails(LIMIT, |_, _| (), saves, Failure::of(1, Class::Limit, sentence));
}

/// The handlers take a second, so both requests are in flight at the same time.
#[test]
fn a_server_with_too_many_bytes_in_flight_is_named() {
    let waits = |_: &Fake, called: &'static str| {
        if called == "Echo" {
            thread::sleep(Duration::from_secs(1));
        }
    };
    let calls = |cfg: &Config, fakes: &Fakes| {
        for to in [0, 1] {
            let end = fakes.of(2).context.ends[to].clone();
            let text = "x".repeat(UNDER_WAY_BYTES_MAX / 2 + 1);
            thread::spawn(move || end.call::<String, String>("Raft.Echo", &text));
        }
        cfg.sleep(LIMIT);
    };
    let sentence = "server 2 had more than 64 MiB of messages in flight";
    fails(LIMIT, waits, calls, Failure::of(2, Class::Limit, sentence));
}

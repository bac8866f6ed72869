//! Crashed servers and dropped clusters have no further effect.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::support::{Fake, Fakes, bounded};
use config::Setup;
use labrpc::{CallError, ClientEnd};
use parking_lot::Mutex;
use raftapi::ApplyMsg;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn a_bad_snapshot_of_a_crashed_incarnation_is_ignored() {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|_, _| ());
        let cfg = fakes.cluster(Setup::reliable(3));
        let old = fakes.of(1);
        cfg.crash(1);
        for _ in 0..2 {
            let bad = ApplyMsg::Snapshot { index: 9, term: 1, snapshot: Vec::new() };
            old.context.apply.send(bad).unwrap();
        }
        assert_eq!(fakes.referee.verdict(), None);
    });
}

#[test]
fn a_late_answer_of_an_old_incarnation_does_not_count_for_the_new_one() {
    bounded(LIMIT, || {
        let (entered, is_entered) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let may_go = Mutex::new(Some(may_go));
        let fakes = Fakes::new(move |fake, method| {
            let gate = if method == "get_state" && fake.context.me == 0 {
                may_go.lock().take()
            } else {
                None
            };
            if let Some(may_go) = gate {
                entered.send(()).unwrap();
                may_go.recv().unwrap();
            }
        });
        let cfg = Arc::new(fakes.cluster(Setup::reliable(3)));
        fakes.of(0).script.lock().states = [(9, false)].into();
        let asker = {
            let cfg = Arc::clone(&cfg);
            std::thread::spawn(move || cfg.get_state(0))
        };
        is_entered.recv().unwrap();
        cfg.start_server(0);
        fakes.of(0).script.lock().states = [(1, false)].into();
        go.send(()).unwrap();
        asker.join().unwrap();
        let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cfg.get_state(0)));
        assert_eq!(fakes.referee.verdict(), None);
        assert!(stopped.is_ok());
    });
}

#[test]
fn connecting_a_crashed_server_does_not_give_the_zombie_its_ends_back() {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|_, _| ());
        let cfg = fakes.cluster(Setup::reliable(3));
        cfg.network().long_delays(false);
        cfg.crash(1);
        cfg.connect(1);
        let call: Result<String, CallError> = fakes.of(1).context.ends[0].call("Raft.Echo", "x");
        assert_eq!(call, Err(CallError::NoAnswer));
    });
}

/// A peer owns the network through its ends, and the network owns the peer through its service.
#[test]
fn a_dropped_cluster_frees_its_peers() {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|_, _| ());
        let cfg = fakes.cluster(Setup::reliable(1));
        let peer = Arc::downgrade(&fakes.of(0));
        drop(cfg);
        drop(fakes);
        assert!(peer.upgrade().is_none());
    });
}

#[test]
fn what_is_applied_after_the_end_of_the_cluster_is_ignored() {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|_, _| ());
        drop(fakes.cluster(Setup::reliable(1)));
        for index in [7, 8] {
            let message = ApplyMsg::Command { index, command: vec![1] };
            fakes.of(0).context.apply.send(message).unwrap();
        }
        assert_eq!(fakes.referee.verdict(), None);
    });
}

fn echo(end: &ClientEnd) -> Result<String, CallError> {
    end.call("Raft.Echo", "x")
}

/// Starts a thread that never ends. Every 10 ms it calls each server, each call on a new thread.
fn call_without_end(fake: &Fake, method: &'static str) {
    if method != "make" {
        return;
    }
    let ends = fake.context.ends.clone();
    thread::spawn(move || {
        loop {
            for end in ends.clone() {
                thread::spawn(move || echo(&end));
            }
            thread::sleep(Duration::from_millis(10));
        }
    });
}

/// The crashes and restarts of figure 8, on peers that ignore the kill. This is only a finding, so
/// it must not end the run at the limit of threads. Each incarnation has one thread, and six that
/// call.
#[test]
fn calls_of_threads_that_outlive_the_kill_do_not_pile_up() {
    const CRASHES: usize = 60;
    bounded(LIMIT, || {
        let fakes = Fakes::new(call_without_end);
        let cfg = fakes.cluster(Setup::reliable(3));
        for crash in 0..CRASHES {
            cfg.restart(crash % 3);
            cfg.sleep(Duration::from_millis(100));
        }
        let threads = sim::threads().len();
        assert!(threads < 10 * (CRASHES + 3), "{threads} threads");
        assert_eq!(fakes.referee.verdict(), None);
    });
}

/// A retry loop without a pause that outlives its cluster must neither stop the clock nor use up
/// the machine's time.
#[test]
fn a_retry_loop_that_outlives_its_cluster_takes_no_time_of_the_machine() {
    bounded(LIMIT, || {
        let calls = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&calls);
        let fakes = Fakes::new(move |fake, method| {
            if method == "kill" {
                let (end, counted) = (fake.context.ends[0].clone(), Arc::clone(&counted));
                thread::spawn(move || {
                    while echo(&end).is_err() {
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        drop(fakes.cluster(Setup::reliable(3)));
        thread::sleep(Duration::from_secs(10));
        let calls = calls.load(Ordering::Relaxed);
        assert!((3 * 400..=3 * 501).contains(&calls), "{calls} calls in 10 s");
    });
}

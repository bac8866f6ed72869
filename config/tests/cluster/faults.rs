//! The faults that part 3E injects: each verb, with the one that ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Fake, Fakes, bounded};
use config::{Config, Setup};
use history::{ServerEvent, What};
use labrpc::network::Disturbance;
use parking_lot::Mutex;
use raftapi::{ApplyMsg, Started};

/// A failed call takes up to a tenth of a second.
const LIMIT: Duration = Duration::from_secs(60);

#[track_caller]
fn on(servers: usize, test: impl FnOnce(Config, &Fakes) + Send + 'static) {
    bounded(LIMIT, move || {
        let fakes = Fakes::new(|_, _| ());
        let cfg = fakes.cluster(Setup::reliable(servers));
        cfg.network().long_delays(false);
        test(cfg, &fakes);
        assert_eq!(fakes.referee.verdict(), None);
    });
}

/// Runs a test in virtual time, on three fakes that do `act`.
#[track_caller]
fn in_virtual_time(
    act: impl Fn(&Fake, &'static str) + Send + Sync + 'static,
    test: impl FnOnce(Config, &Fakes) + Send + 'static,
) {
    let report = sim::run(sim::Options::new(), move || {
        let fakes = Fakes::new(act);
        test(fakes.cluster(Setup::reliable(3)), &fakes);
        assert_eq!(fakes.referee.verdict(), None);
    });
    assert_eq!(report.halt, sim::Halt::Finished, "{:?}", report.panics);
}

fn reaches(fakes: &Fakes, from: usize, to: usize) -> bool {
    fakes.of(from).context.ends[to].call::<str, String>("Raft.Echo", "x").is_ok()
}

/// Which servers each server reaches, one line for each server.
fn ways(fakes: &Fakes, n: usize) -> Vec<String> {
    let line = |from| (0..n).map(|to| if reaches(fakes, from, to) { 'x' } else { '.' }).collect();
    (0..n).map(line).collect()
}

#[test]
fn a_partition_cuts_its_groups_apart_and_the_next_one_replaces_it() {
    on(4, |cfg, fakes| {
        cfg.faults().partition(&[&[0, 1], &[2, 3]]);
        assert_eq!(ways(fakes, 4), ["xx..", "xx..", "..xx", "..xx"]);
        cfg.faults().partition(&[&[0, 1, 2], &[2, 3]]);
        assert_eq!(ways(fakes, 4), ["xxx.", "xxx.", "xxxx", "..xx"], "2 is a bridge");
        cfg.faults().partition(&[&[1, 3]]);
        assert_eq!(ways(fakes, 4), ["x...", ".x.x", "..x.", ".x.x"]);
        cfg.faults().heal_all();
        assert_eq!(ways(fakes, 4), ["xxxx"; 4]);
    });
}

#[test]
fn an_isolated_server_stays_alone_until_it_rejoins_even_through_a_restart() {
    on(3, |cfg, fakes| {
        cfg.faults().isolate(1);
        assert!(cfg.is_connected(1), "the lab goes on talking to it");
        assert_eq!(ways(fakes, 3), ["x.x", ".x.", "x.x"]);
        cfg.restart(1);
        assert_eq!(ways(fakes, 3), ["x.x", ".x.", "x.x"]);
        cfg.faults().rejoin(1);
        assert_eq!(ways(fakes, 3), ["xxx"; 3]);
    });
}

/// A call needs both links, but its handler runs with only one.
#[test]
fn a_mute_server_handles_calls_and_one_that_is_shut_does_not() {
    bounded(LIMIT, || {
        let handled = [0, 0].map(AtomicUsize::new);
        let handled = Arc::new(handled);
        let counts = Arc::clone(&handled);
        let fakes = Fakes::new(move |fake, what| {
            if what == "Echo" {
                counts[fake.context.me].fetch_add(1, Ordering::Relaxed);
            }
        });
        let cfg = fakes.cluster(Setup::reliable(2));
        cfg.network().long_delays(false);
        let counted = || [0, 1].map(|server: usize| handled[server].load(Ordering::Relaxed));
        cfg.faults().mute(1);
        assert!(!reaches(&fakes, 0, 1) && !reaches(&fakes, 1, 0));
        assert_eq!(counted(), [0, 1]);
        cfg.faults().rejoin(1);
        cfg.faults().shut(1);
        assert!(!reaches(&fakes, 0, 1) && !reaches(&fakes, 1, 0));
        assert_eq!(counted(), [1, 1]);
        cfg.faults().rejoin(1);
        assert!(reaches(&fakes, 0, 1) && reaches(&fakes, 1, 0));
    });
}

#[test]
fn a_slow_server_delays_what_it_sends_and_gets_until_it_is_quickened() {
    on(2, |cfg, fakes| {
        let time = || {
            let start = Instant::now();
            (0..10).for_each(|_| assert!(reaches(fakes, 0, 1) && reaches(fakes, 1, 0)));
            start.elapsed()
        };
        let normal = time();
        cfg.faults().slow(1, 50);
        assert!(time() > normal + Duration::from_millis(200), "20 calls with two delays each");
        cfg.faults().quicken(1);
        assert!(time() < normal + Duration::from_millis(20));
    });
}

#[test]
fn heal_all_ends_every_fault_of_the_network() {
    on(3, |cfg, fakes| {
        let lose = Disturbance { lose_permille: 1000, ..Disturbance::default() };
        cfg.faults().disturb_all(&lose);
        assert_eq!(ways(fakes, 3), ["x..", ".x.", "..x"]);
        cfg.faults().hold(0, 1);
        cfg.faults().isolate(2);
        cfg.network().reliable(false);
        cfg.faults().heal_all();
        assert_eq!(ways(fakes, 3), ["xxx"; 3]);
        assert!(cfg.network().is_reliable());
    });
}

/// A message that was sent before a crash reaches the next incarnation only under this fault, and
/// the history records when the fault began and ended.
#[test]
fn a_message_outlives_the_crash_of_its_receiver_until_it_expires_or_all_is_healed() {
    on(2, |cfg, fakes| {
        let verbs = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&verbs);
        cfg.history().listen(move |event| {
            if let What::Server(of, ServerEvent::Fault(verb @ ("outlive" | "expire"))) = event.what
            {
                heard.lock().push((of.server, verb));
            }
        });
        let is_heard = |fakes: &Fakes| {
            let caller = fakes.of(0);
            cfg.faults().hold(0, 1);
            let caller = thread::spawn(move || {
                caller.context.ends[1].call::<str, String>("Raft.Echo", "x").is_ok()
            });
            thread::sleep(Duration::from_millis(10));
            cfg.restart(1);
            cfg.faults().release(0, 1);
            caller.join().unwrap()
        };
        assert!(!is_heard(fakes));
        cfg.faults().outlive(1);
        assert!(is_heard(fakes) && is_heard(fakes));
        cfg.faults().expire(1);
        assert!(!is_heard(fakes));
        cfg.faults().outlive(1);
        cfg.faults().heal_all();
        cfg.faults().heal_all();
        assert!(!is_heard(fakes));
        let [began, ended] = ["outlive", "expire"].map(|verb| (1, verb));
        assert_eq!(*verbs.lock(), [began, ended, began, ended]);
    });
}

#[test]
fn a_disturbance_can_be_limited_to_one_kind_of_call() {
    on(2, |cfg, fakes| {
        assert_eq!(cfg.names_of(config::Kind::Votes), Vec::<String>::new(), "none was made yet");
        assert!(reaches(fakes, 0, 1));
        let lose = Disturbance { lose_permille: 1000, ..Disturbance::default() };
        cfg.faults().disturb(0, 1, lose.clone().only(&["RequestVote".into()]));
        assert!(reaches(fakes, 0, 1));
        cfg.faults().disturb(0, 1, lose.only(&["RequestVote".into(), "Echo".into()]));
        assert!(!reaches(fakes, 0, 1));
        cfg.faults().calm(0, 1);
        assert!(reaches(fakes, 0, 1));
    });
}

/// The save is kept. No server hears the answer that depends on it, or anything else.
#[test]
fn a_crash_at_a_save_keeps_that_save_and_nothing_later() {
    bounded(LIMIT, || {
        let fakes = Fakes::new(|fake, what| {
            let persister = &fake.context.persister;
            if what == "Echo" || what == "start" {
                let saves = persister.read_raft_state().len();
                persister.save(vec![7; saves + 1], Vec::new());
                persister.save(vec![7; saves + 2], Vec::new());
            }
        });
        let cfg = fakes.cluster(Setup::reliable(2));
        cfg.network().long_delays(false);
        for (saves, is_kept, left) in [(1, true, 1), (2, true, 2), (1, false, 0), (2, false, 1)] {
            cfg.restart(1);
            let before = fakes.of(1).context.persister.raft_state_size();
            match is_kept {
                true => cfg.faults().crash_at_save(1, saves),
                false => cfg.faults().crash_before_save(1, saves),
            }
            let old = fakes.of(1);
            assert!(cfg.is_running(1));
            assert!(!reaches(&fakes, 0, 1), "its answer is not heard");
            assert!(!cfg.is_running(1) && !cfg.is_connected(1));
            assert_eq!((cfg.get_state(1), cfg.start(1, vec![1])), (None, None));
            old.context.persister.save(vec![9; 99], Vec::new());
            assert_eq!(old.script.lock().kills, 0, "it is killed when the lab comes by");
            cfg.restart(1);
            assert_eq!(old.script.lock().kills, 1);
            assert_eq!(fakes.of(1).context.persister.read_raft_state().len(), before + left);
        }
        // The same happens in `start`: the caller gets no answer.
        fakes.of(1).script.lock().started = Some(Started { index: 1, term: 1 });
        cfg.faults().crash_at_save(1, 1);
        assert_eq!(cfg.start(1, vec![1]), None);
        assert!(!cfg.is_running(1));
        // After `spare` the server runs on.
        cfg.relieve(1);
        cfg.faults().crash_at_save(1, 1);
        cfg.faults().spare(1);
        assert!(reaches(&fakes, 0, 1) && cfg.is_running(1));
        assert_eq!(fakes.referee.verdict(), None);
    });
}

#[test]
fn a_peer_that_crashed_at_a_save_is_killed_at_the_end() {
    on(1, |cfg, fakes| {
        let peer = fakes.of(0);
        cfg.faults().crash_at_save(0, 1);
        peer.context.persister.save(vec![1], Vec::new());
        drop(cfg);
        assert_eq!(peer.script.lock().kills, 1);
    });
}

#[test]
fn a_paused_server_does_not_answer_and_continues_where_it_stopped() {
    in_virtual_time(
        |_, _| (),
        |cfg, fakes| {
            let peer = fakes.of(1);
            assert!(cfg.faults().pause(1) && cfg.is_paused(1));
            let caller = thread::spawn(move || {
                let reply = peer.context.ends[1].call::<str, String>("Raft.Echo", "x");
                reply.is_ok()
            });
            cfg.sleep(Duration::from_secs(2));
            assert_eq!((cfg.get_state(1), cfg.start(1, vec![1])), (None, None));
            assert!(!caller.is_finished() && cfg.is_running(1));
            cfg.faults().resume(1);
            assert!(caller.join().unwrap());
            assert_eq!(cfg.get_state(1), Some((0, false)));
            cfg.faults().pause(2);
            cfg.crash(2);
            cfg.restart(2);
            assert!(!cfg.is_paused(2), "a crash ends a pause");
            cfg.faults().pause(0);
        },
    );
}

/// A `start` that sleeps shows which clock it uses.
#[test]
fn a_rushed_clock_is_that_of_its_server_only() {
    in_virtual_time(
        |_, what| {
            if what == "get_state" {
                thread::sleep(Duration::from_secs(1));
            }
        },
        |cfg, _| {
            let takes_ms = |server| {
                let start = Instant::now();
                cfg.get_state(server);
                start.elapsed().as_millis()
            };
            assert!(cfg.faults().rush_clock(1, 2.0));
            assert_eq!([0, 1, 2].map(takes_ms), [1000, 500, 1000]);
            cfg.restart(1);
            assert_eq!(takes_ms(1), 500);
            cfg.faults().steady_clock(1);
            assert_eq!(takes_ms(1), 1000);
        },
    );
}

/// Server 0 starts the thread of a pool, which saves for every server that takes a command. Server
/// 1 also has a thread of its own.
#[test]
fn servers_that_share_a_thread_are_not_stopped_alone() {
    let (jobs, queue) = crossbeam_channel::unbounded::<Box<dyn FnOnce() + Send>>();
    let ticks = Arc::new(AtomicUsize::new(0));
    let ticking = Arc::clone(&ticks);
    in_virtual_time(
        move |fake, what| match (what, fake.context.me) {
            ("make", 0) => {
                let queue = queue.clone();
                let pool = thread::Builder::new().name("pool".into());
                drop(pool.spawn(move || queue.iter().for_each(|job| job())));
            }
            ("make", 1) => {
                let ticks = Arc::clone(&ticking);
                drop(thread::spawn(move || {
                    for _ in 0..1000 {
                        thread::sleep(Duration::from_millis(10));
                        ticks.fetch_add(1, Ordering::Relaxed);
                    }
                }));
            }
            ("start", _) => {
                let persister = Arc::clone(&fake.context.persister);
                jobs.send(Box::new(move || persister.save(vec![1], vec![]))).unwrap();
            }
            _ => {}
        },
        move |cfg, fakes| {
            let second = Duration::from_secs(1);
            let ticks_in_a_second = || {
                let before = ticks.load(Ordering::Relaxed);
                cfg.sleep(second);
                ticks.load(Ordering::Relaxed) - before
            };
            cfg.start(0, vec![1]);
            cfg.sleep(second);
            assert_eq!(fakes.referee.findings(), [""; 0], "so far it is the thread of server 0");
            assert!(cfg.faults().rush_clock(1, 2.0));
            assert!((199..=201).contains(&ticks_in_a_second()));
            assert!(cfg.faults().pause(1));
            assert_eq!(ticks_in_a_second(), 0);
            cfg.start(2, vec![1]);
            assert!((99..=101).contains(&ticks_in_a_second()), "both faults have ended");
            assert!(!cfg.faults().pause(1) && !cfg.faults().rush_clock(1, 2.0));
            cfg.faults().resume(1);
            assert!(!cfg.faults().pause(1) && !cfg.is_paused(1));
            cfg.start(1, vec![1]);
            assert!((99..=101).contains(&ticks_in_a_second()));
            assert_eq!(
                fakes.referee.findings(),
                ["shared threads: the thread `pool` of server 0 made a save of server 2, so \
                  servers share threads. No server is paused alone, and a panic may name no \
                  server. When graded, each server has its own process and threads"]
            );
        },
    );
}

#[test]
fn a_slow_lab_delays_a_server_that_applies() {
    in_virtual_time(
        |_, _| (),
        |cfg, fakes| {
            let apply = |from: u64| {
                let start = Instant::now();
                for index in from..from + 3 {
                    let command = config::command::number(index);
                    let message = ApplyMsg::Command { index, command };
                    fakes.of(0).context.apply.send(message).unwrap();
                }
                start.elapsed().as_millis()
            };
            cfg.delay_applies(0, Duration::from_millis(50));
            assert_eq!(apply(1), 100, "the third is taken after two waits");
            cfg.apply_at_once(0);
            cfg.sleep(Duration::from_secs(1));
            assert_eq!(apply(4), 0);
        },
    );
}

/// In real time a thread cannot be stopped: nothing happens, and the test gets false.
#[test]
fn faults_that_need_virtual_time_do_nothing_in_real_time() {
    let cfg = Fakes::new(|_, _| ()).cluster(Setup::reliable(1));
    assert!(!cfg.faults().pause(0) && !cfg.is_paused(0));
    assert!(!cfg.faults().rush_clock(0, 2.0));
    assert_eq!(cfg.get_state(0), Some((0, false)));
    cfg.faults().resume(0);
}

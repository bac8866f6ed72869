//! Panics in threads of the peers that only the panic hook sees.
//!
//! `report_to` sets a hook for the whole process. So these tests have a process of their own, run
//! one at a time, and compare nothing while their hook is set: a panic of the test itself would
//! also be reported.

mod support;

use std::panic;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use config::{Class, Config, Failure, FindingKind, Setup};
use labrpc::{CallError, ClientEnd};
use parking_lot::Mutex;
use support::{Fake, Fakes, bounded};
use verdict::label::{self, Label};
use verdict::panics::report_to;

const LIMIT: Duration = Duration::from_secs(30);
/// Held while a hook is set.
static HOOK: Mutex<()> = Mutex::new(());

/// Checks what the hook reports while three peers do `act` and `body` runs, without the place of
/// the panic, which is in this file.
#[track_caller]
fn reports(
    act: impl Fn(&Fake, &'static str) + Send + Sync + 'static,
    body: impl FnOnce(&Config, &Fakes) + Send + 'static,
    expected: &Failure,
) {
    let (reported, report) = mpsc::channel();
    let one_at_a_time = HOOK.lock();
    bounded(LIMIT, move || {
        let fakes = Fakes::new(act);
        report_to(fakes.referee.clone());
        let failure = fakes.failure(Setup::reliable(3), |cfg, fakes| {
            body(cfg, fakes);
            // Another thread panics, and its report ends this sleep.
            cfg.sleep(LIMIT);
        });
        reported.send(failure).unwrap();
    });
    // Restores the hook of the standard library.
    drop(panic::take_hook());
    drop(one_at_a_time);
    let failure = report.recv().unwrap();
    let sentence = without_place(&failure.sentence);
    assert_eq!(&Failure { sentence, ..failure }, expected);
}

/// Checks the findings of a run without a failure, while three peers do `act` and `body` runs.
/// `sentences` leave out the place of the panic.
#[track_caller]
fn finds(
    act: impl Fn(&Fake, &'static str) + Send + Sync + 'static,
    body: impl FnOnce(&Config, &Fakes) + Send + 'static,
    sentences: &[&str],
) {
    let (reported, report) = mpsc::channel();
    let one_at_a_time = HOOK.lock();
    bounded(LIMIT, move || {
        let fakes = Fakes::new(act);
        report_to(fakes.referee.clone());
        let cfg = fakes.cluster(Setup::reliable(3));
        body(&cfg, &fakes);
        thread::sleep(LIMIT / 2);
        reported.send((fakes.referee.verdict(), fakes.referee.findings())).unwrap();
    });
    drop(panic::take_hook());
    drop(one_at_a_time);
    let (verdict, findings) = report.recv().unwrap();
    assert_eq!(verdict, None);
    let late = findings.iter().filter(|finding| FindingKind::LatePanic.is_in(finding));
    let late: Vec<String> = late.map(|finding| without_place(finding)).collect();
    let expected: Vec<String> = sentences
        .iter()
        .map(|sentence| format!("{}: {sentence}", FindingKind::LatePanic))
        .collect();
    assert_eq!(late, expected);
}

/// Removes the file, which must be this one, with its line and column.
#[track_caller]
fn without_place(sentence: &str) -> String {
    let here = format!(" at {}:", file!());
    let (before, place) = sentence.split_once(&here).unwrap_or_else(|| panic!("{sentence}"));
    // The place ends with a colon, or with a space before further words about the panic.
    let end = place.find(": ").into_iter().chain(place.find(' ')).min();
    let end = end.unwrap_or_else(|| panic!("{sentence}"));
    format!("{before}{}", &place[end..])
}

/// An act of server 1 only, in one method.
fn in_method(
    method: &'static str,
    act: impl Fn() + Send + Sync + 'static,
) -> impl Fn(&Fake, &'static str) + Send + Sync + 'static {
    move |fake, called| {
        if called == method && fake.context.me == 1 {
            act();
        }
    }
}

fn nothing(_: &Config, _: &Fakes) {}

fn panics_in_1(sentence: &str) -> Failure {
    Failure::of(1, Class::Panic, sentence)
}

/// The hook reports before the caller does, so its sentence with the place counts.
#[test]
fn a_panic_in_a_method_is_reported_with_its_place() {
    let act = in_method("make", || panic!("out of luck"));
    reports(act, nothing, &panics_in_1("server 1 panicked in `make`: out of luck"));
    reports(
        in_method("get_state", || panic!("out of luck")),
        |cfg, _| _ = cfg.get_state(1),
        &panics_in_1("server 1 panicked in `get_state`: out of luck"),
    );
}

/// The caller sees only that there is no answer.
#[test]
fn a_panic_in_an_rpc_handler_is_the_handlers_servers() {
    let (answered, answer) = mpsc::channel();
    reports(
        in_method("Echo", || panic!("out of luck")),
        move |_, fakes| {
            let call = fakes.of(0).context.ends[1].call::<str, String>("Raft.Echo", "you");
            answered.send(call).unwrap();
        },
        &panics_in_1("server 1 panicked in an RPC handler: out of luck"),
    );
    assert_eq!(answer.recv().unwrap(), Err(CallError::NoAnswer));
}

/// A thread belongs to the same server as the thread that started it, whichever method the lab
/// called.
#[test]
fn a_panic_in_a_peers_own_thread_is_reported_with_its_server() {
    let unnamed = || drop(thread::spawn(|| panic!("out of luck")));
    let named = || {
        let ticker = thread::Builder::new().name("ticker".into());
        drop(ticker.spawn(|| panic!("out of luck")).unwrap());
    };
    let call = |_: &Config, fakes: &Fakes| {
        let _ = fakes.of(0).context.ends[1].call::<str, String>("Raft.Echo", "you");
    };
    let start = |cfg: &Config, _: &Fakes| {
        cfg.start(1, vec![1]);
    };
    let of_unnamed = panics_in_1("server 1 panicked in an unnamed thread of its own: out of luck");
    reports(in_method("make", unnamed), nothing, &of_unnamed);
    reports(in_method("Echo", unnamed), call, &of_unnamed);
    reports(in_method("start", unnamed), start, &of_unnamed);
    let of_named = panics_in_1("server 1 panicked in its thread `ticker`: out of luck");
    reports(in_method("make", named), nothing, &of_named);
    reports(in_method("start", named), start, &of_named);
}

#[test]
fn a_panic_without_a_text_is_reported_too() {
    let spawn = || drop(thread::spawn(|| panic::panic_any(7)));
    let sentence = "server 1 panicked in an unnamed thread of its own: a panic without a text";
    reports(in_method("make", spawn), nothing, &panics_in_1(sentence));
}

/// Panics after a second, on a new thread.
fn panic_soon() {
    let ticker = thread::Builder::new().name("ticker".into());
    let panics = || {
        thread::sleep(Duration::from_secs(1));
        panic!("out of luck");
    };
    drop(ticker.spawn(panics).unwrap());
}

/// If the server had a process of its own, the thread would end with it.
#[test]
fn a_panic_after_the_kill_is_a_finding_that_says_so() {
    let sentence = "server 1 panicked in its thread `ticker` after it was killed: out of luck";
    for method in ["make", "kill"] {
        let crash = |cfg: &Config, _: &Fakes| cfg.crash(1);
        finds(in_method(method, panic_soon), crash, &[sentence]);
    }
    let twice = in_method("make", || (0..2).for_each(|_| panic_soon()));
    finds(twice, |cfg, _| cfg.crash(1), &[sentence]);
}

/// A thread of an earlier incarnation is distinguished from the threads of the one that runs, even
/// if a call of the lab has started it.
#[test]
fn a_panic_of_an_earlier_incarnation_is_a_finding() {
    let sentence = "server 1 panicked in its thread `ticker` after it was killed: out of luck";
    let restart = |cfg: &Config, _: &Fakes| {
        cfg.start(1, vec![1]);
        cfg.restart(1);
    };
    finds(in_method("start", panic_soon), restart, &[sentence]);
    let echo = |cfg: &Config, fakes: &Fakes| {
        let _ = fakes.of(0).context.ends[1].call::<str, String>("Raft.Echo", "x");
        cfg.restart(1);
    };
    finds(in_method("Echo", panic_soon), echo, &[sentence]);
}

#[test]
fn a_panic_of_the_incarnation_that_runs_is_a_failure() {
    let restarted = |cfg: &Config, _: &Fakes| {
        cfg.restart(1);
        cfg.start(1, vec![1]);
    };
    let expected = panics_in_1("server 1 panicked in its thread `ticker`: out of luck");
    reports(in_method("start", panic_soon), restarted, &expected);
}

/// Until `kill` has returned the server has work to do.
#[test]
fn a_panic_during_the_kill_is_a_failure() {
    let meanwhile = || {
        panic_soon();
        thread::sleep(Duration::from_secs(2));
    };
    let crash = |cfg: &Config, _: &Fakes| cfg.crash(1);
    let sentence =
        "server 1 panicked in its thread `ticker` while it was being killed: out of luck";
    reports(in_method("kill", meanwhile), crash, &panics_in_1(sentence));
    let expected = panics_in_1("server 1 panicked in `kill`: out of luck");
    reports(in_method("kill", || panic!("out of luck")), crash, &expected);
}

/// Its later saves are lost, which a running peer cannot expect.
#[test]
fn a_panic_after_a_crash_at_a_save_is_a_finding_but_a_failure_in_kill() {
    let crash_at_save = |cfg: &Config, fakes: &Fakes| {
        cfg.faults().crash_at_save(1, 1);
        fakes.of(1).context.persister.save(vec![1], vec![]);
    };
    let sentence = "server 1 panicked in its thread `ticker` after it crashed at a save: \
                    out of luck";
    finds(in_method("make", panic_soon), crash_at_save, &[sentence]);
    let and_restart = move |cfg: &Config, fakes: &Fakes| {
        crash_at_save(cfg, fakes);
        cfg.restart(1);
    };
    let expected = panics_in_1("server 1 panicked in `kill`: out of luck");
    reports(in_method("kill", || panic!("out of luck")), and_restart, &expected);
}

/// The test goes on as if the server had not run.
#[test]
fn a_call_of_the_lab_that_panics_after_the_kill_has_no_answer() {
    let slowly = in_method("get_state", || {
        thread::sleep(Duration::from_secs(1));
        panic!("out of luck");
    });
    let ask = |cfg: &Config, _: &Fakes| {
        thread::scope(|scope| {
            let asker = scope.spawn(|| cfg.get_state(1));
            thread::sleep(Duration::from_millis(500));
            cfg.crash(1);
            assert_eq!(asker.join().unwrap(), None);
        });
    };
    finds(slowly, ask, &["server 1 panicked in `get_state` after it was killed: out of luck"]);
}

/// Server 0 starts the thread of a pool. At each `start` that thread makes a call for the server
/// that is asked. The third call panics.
fn share_a_thread() -> impl Fn(&Fake, &'static str) + Send + Sync + 'static {
    let (jobs, queue) = crossbeam_channel::unbounded::<ClientEnd>();
    let pool = move || {
        for (made, end) in queue.iter().enumerate() {
            assert!(made < 2, "out of luck");
            let _ = end.call::<str, String>("Raft.Echo", "x");
        }
    };
    let pool = Mutex::new(Some(pool));
    move |fake, called| match called {
        "make" => {
            if let Some(pool) = pool.lock().take() {
                let named = thread::Builder::new().name("pool".into());
                drop(named.spawn(pool).unwrap());
            }
        }
        "start" => jobs.send(fake.context.ends[1].clone()).unwrap(),
        _ => {}
    }
}

/// The thread may have worked for any of the servers, even for a dead one.
#[test]
fn a_panic_of_a_thread_that_servers_share_names_none() {
    let start = |cfg: &Config, _: &Fakes| (0..3).for_each(|server| _ = cfg.start(server, vec![1]));
    let sentence = "a server panicked in its thread `pool`: out of luck";
    reports(share_a_thread(), start, &Failure::new(Class::Panic, sentence));
    let sentence = format!("{sentence}; servers share threads, and some were killed");
    let crash_and_start = move |cfg: &Config, fakes: &Fakes| {
        cfg.crash(2);
        cfg.restart(2);
        start(cfg, fakes);
    };
    finds(share_a_thread(), crash_and_start, &[&sentence]);
}

#[test]
fn a_panic_of_the_kit_costs_no_points() {
    let body = |_: &Config, _: &Fakes| {
        let _label = label::enter(Label::Kit, "a test");
        panic!("out of luck");
    };
    let sentence = "the kit itself panicked: out of luck";
    reports(|_, _| (), body, &Failure::new(Class::Infra, sentence));
}

//! Panics in threads of the peers, where nobody but the panic hook sees them.
//!
//! `report_to` sets a hook for the whole process. So these tests have a process of their own, run
//! one at a time, and compare nothing while their hook is set: a test's own panic would be
//! reported as well.

mod support;

use std::panic;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use config::label::{self, Label};
use config::panics::report_to;
use config::{Class, Config, Failure, Setup};
use labrpc::CallError;
use parking_lot::Mutex;
use support::{Fake, Fakes, bounded};

const LIMIT: Duration = Duration::from_secs(30);
/// Held while a hook is set.
static HOOK: Mutex<()> = Mutex::new(());

/// What the hook reports while three peers do `act` and `body` runs, but for the place of the
/// panic, which is in this file.
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
            // The panic is another thread's, and its report ends this.
            cfg.sleep(LIMIT);
        });
        reported.send(failure).unwrap();
    });
    // Back to the hook of the standard library.
    drop(panic::take_hook());
    drop(one_at_a_time);
    let failure = report.recv().unwrap();
    let sentence = without_place(&failure.sentence);
    assert_eq!(&Failure { sentence, ..failure }, expected);
}

/// Leaves out the file, which must be this one, with its line and column.
#[track_caller]
fn without_place(sentence: &str) -> String {
    let here = format!(" at {}:", file!());
    let (before, place) = sentence.split_once(&here).unwrap_or_else(|| panic!("{sentence}"));
    let (_line_and_column, after) = place.split_once(": ").unwrap_or_else(|| panic!("{sentence}"));
    format!("{before}: {after}")
}

/// An act of server 1 alone, in one method.
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

/// The hook comes first, so its sentence with the place counts.
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

/// The caller sees no more than that no answer comes.
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

/// A thread belongs to whom the thread that started it belongs to, whatever the lab called.
#[test]
fn a_panic_in_a_thread_of_its_own_is_its_servers() {
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
fn a_panic_without_a_text_is_reported_all_the_same() {
    let spawn = || drop(thread::spawn(|| panic::panic_any(7)));
    let sentence = "server 1 panicked in an unnamed thread of its own: a panic without a text";
    reports(in_method("make", spawn), nothing, &panics_in_1(sentence));
}

#[test]
fn a_panic_of_the_kit_costs_nobody_points() {
    let body = |_: &Config, _: &Fakes| {
        let _label = label::enter(Label::Kit, "a test");
        panic!("out of luck");
    };
    let sentence = "the kit itself panicked: out of luck";
    reports(|_, _| (), body, &Failure::new(Class::Infra, sentence));
}

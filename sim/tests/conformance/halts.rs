//! Every way in which a run can end, and the report of each.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::common::reports;
use sim::{Halt, Label, Output, ThreadState};

const MS: Duration = Duration::from_millis(1);

/// After a deadlock of two locks taken in two orders, the report names both threads and their
/// places in the code.
#[test]
fn deadlock() {
    for report in reports(
        "deadlock",
        |o| o,
        || {
            let locks = Arc::new((Mutex::new(()), Mutex::new(())));
            let other = Arc::clone(&locks);
            let _guard = sim::label(Label { group: 2, incarnation: 1 });
            let builder = thread::Builder::new().name("backwards".to_owned());
            let handle = builder.spawn(move || takes_backwards(&other)).unwrap();
            let _first = locks.0.lock().unwrap();
            thread::sleep(2 * MS);
            let _second = locks.1.lock().unwrap();
            handle.join().unwrap();
        },
    ) {
        assert_eq!(report.halt, Halt::Deadlock, "{report}");
        assert_eq!(report.threads.len(), 2);
        let other = &report.threads[1];
        assert_eq!(other.name, "backwards");
        assert_eq!(other.label, Label { group: 2, incarnation: 1 });
        assert_eq!(other.state, ThreadState::Waiting { deadline: None });
        let backtrace = other.backtrace.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(backtrace.contains("takes_backwards"), "{backtrace}");
        let frames = other.frames();
        assert!(frames.iter().any(|frame| frame.contains("takes_backwards")), "{frames:#?}");
        assert!(!frames.iter().any(|frame| frame.starts_with("sim::")), "{frames:#?}");
        assert!(report.to_string().contains("thread 1 `backwards` of 2.1: waiting"));
    }
}

#[inline(never)]
fn takes_backwards(locks: &(Mutex<()>, Mutex<()>)) {
    let _second = locks.1.lock().unwrap();
    thread::sleep(2 * MS);
    let _first = locks.0.lock().unwrap();
}

/// A loop that calls nothing is found by the CPU time that it uses, and its thread is named.
#[test]
fn spin() {
    for report in reports(
        "spin",
        |o| o.cpu_limit(100 * MS),
        || {
            let builder = thread::Builder::new().name("spinner".to_owned());
            let _handle = builder.spawn(spins_without_end).unwrap();
            thread::sleep(Duration::from_secs(1));
        },
    ) {
        assert_eq!(report.halt, Halt::Spin { thread: 1 }, "{report}");
        let spinner = &report.threads[1];
        assert_eq!(spinner.name, "spinner");
        let backtrace = spinner.backtrace.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(backtrace.contains("spins_without_end"), "{backtrace}");
        assert!(report.threads[0].backtrace.is_some());
    }
}

#[inline(never)]
fn spins_without_end() {
    loop {
        std::hint::spin_loop();
    }
}

/// A real call that blocks is found by the real time that it takes, and its thread is named.
#[test]
fn blocked_outside() {
    for report in reports(
        "blocked",
        |o| o.wall_limit(200 * MS),
        || {
            reads_from_an_empty_pipe();
        },
    ) {
        assert_eq!(report.halt, Halt::BlockedOutside { thread: 0 }, "{report}");
        let backtrace = report.threads[0].backtrace.as_ref();
        let backtrace = backtrace.map(ToString::to_string).unwrap_or_default();
        assert!(backtrace.contains("reads_from_an_empty_pipe"), "{backtrace}");
    }
}

/// The watchdog ignores an intended wait outside, and the wait takes no virtual time.
#[test]
fn an_intended_wait_outside_does_not_end_the_run() {
    for report in reports(
        "waits on purpose",
        |o| o.wall_limit(100 * MS),
        || {
            let (mut near, _far) = std::os::unix::net::UnixStream::pair().unwrap();
            near.set_read_timeout(Some(500 * MS)).unwrap();
            let start = std::time::Instant::now();
            let result = sim::wait_outside(|| near.read(&mut [0]));
            assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
            assert!(start.elapsed() < MS);
        },
    ) {
        assert!(report.finished(), "{report}");
    }
}

#[inline(never)]
fn reads_from_an_empty_pipe() {
    let (mut reader, _writer) = std::io::pipe().unwrap();
    let _ = std::io::Read::read(&mut reader, &mut [0]);
}

/// Each limit has its own `Halt`.
#[test]
fn limits() {
    for report in reports(
        "time limit",
        |o| o.time_limit(Duration::from_secs(5)),
        || {
            loop {
                thread::sleep(Duration::from_secs(1));
            }
        },
    ) {
        assert_eq!(report.halt, Halt::TimeLimit);
        assert_eq!(report.elapsed, Duration::from_secs(5));
    }
    for report in reports(
        "step limit",
        |o| o.step_limit(1000),
        || {
            loop {
                thread::yield_now();
            }
        },
    ) {
        assert_eq!(report.halt, Halt::StepLimit);
        assert_eq!(report.steps, 1000);
    }
    for report in reports(
        "thread limit",
        |o| o.thread_limit(50),
        || {
            loop {
                thread::spawn(thread::park);
            }
        },
    ) {
        assert_eq!(report.halt, Halt::ThreadLimit);
        assert_eq!(report.threads_peak, 50);
    }
}

/// Threads left behind are counted by label, and another run in the same process works.
#[test]
fn leaked_threads() {
    for report in reports(
        "leaked",
        |o| o,
        || {
            for group in 1..=3 {
                let _guard = sim::label(Label { group, incarnation: 0 });
                for _ in 0..group {
                    thread::spawn(|| {
                        let pair = (Mutex::new(()), Condvar::new());
                        let _guard = pair.1.wait(pair.0.lock().unwrap());
                    });
                }
            }
            thread::spawn(|| ());
            thread::sleep(MS);
        },
    ) {
        assert!(report.finished());
        let label = |group| Label { group, incarnation: 0 };
        assert_eq!(report.leaked(), [(label(1), 1), (label(2), 2), (label(3), 3)]);
    }
}

/// Threads that can end when the closure returns are not leaked.
#[test]
fn threads_that_end_with_the_closure_are_not_leaked() {
    for report in reports(
        "drain",
        |o| o,
        || {
            let (sender, receiver) = std::sync::mpsc::channel::<()>();
            thread::spawn(move || while receiver.recv().is_ok() {});
            thread::sleep(MS);
            drop(sender);
        },
    ) {
        assert!(report.finished() && report.threads.is_empty(), "{report}");
    }
}

/// The state and the backtrace of any thread can be read at any moment.
#[test]
fn threads_seen_from_inside() {
    for report in reports(
        "threads",
        |o| o,
        || {
            let lock = Arc::new(Mutex::new(()));
            let _held = lock.lock().unwrap();
            let other = Arc::clone(&lock);
            let builder = thread::Builder::new().name("ticker".to_owned());
            builder.spawn(move || waits_for_the_lock(&other)).unwrap();
            thread::sleep(4100 * MS);
            let ticker = &sim::threads_with_backtraces()[1];
            assert_eq!(ticker.name, "ticker");
            assert_eq!(ticker.state, ThreadState::Waiting { deadline: None });
            assert!((4_099..=4_100).contains(&ticker.waited.as_millis()), "{ticker}");
            assert!(ticker.backtrace.as_ref().unwrap().to_string().contains("waits_for_the_lock"));
        },
    ) {
        assert!(report.finished(), "{report}");
    }
}

#[inline(never)]
fn waits_for_the_lock(lock: &Mutex<()>) {
    drop(lock.lock().unwrap());
}

/// Lines are whole, stamped and in order, even if several threads write parts of them in turns.
#[test]
fn output_is_stamped() {
    for report in reports(
        "output",
        |o| o.output(Output::Captured),
        || {
            let _guard = sim::label(Label { group: 2, incarnation: 1 });
            let builder = thread::Builder::new().name("ticker".to_owned());
            let handle = builder.spawn(|| {
                thread::sleep(MS);
                eprint!("be");
                thread::sleep(MS);
                eprintln!("gun");
            });
            thread::sleep(MS + MS / 2);
            eprintln!("one {}\ntwo", 1);
            handle.unwrap().join().unwrap();
            eprint!("open");
        },
    ) {
        let lines: Vec<&str> = report.output.iter().map(String::as_str).collect();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[0].ends_with(" 2.1 #0] one 1"), "{lines:?}");
        assert!(lines[1].ends_with(" 2.1 #0] two"), "{lines:?}");
        assert!(lines[2].starts_with("[     0.002") && lines[2].ends_with(" 2.1 ticker] begun"));
        assert!(lines[3].ends_with("] open"), "{lines:?}");
    }
}

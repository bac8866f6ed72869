//! Locks shared with threads outside the simulation, both ways.

use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::common::{ENGINES, limit, options};
use sim::{Halt, Report};

/// Runs `inside` while `outside` runs on an ordinary thread.
fn both(
    inside: impl Fn() + Clone + Send + 'static,
    outside: impl Fn() + Clone + Send + 'static,
) -> Vec<Report> {
    limit("border");
    let run = |engine| {
        let (inside, outside) = (inside.clone(), outside.clone());
        let (go, gone) = mpsc::channel();
        let thread = thread::spawn(move || {
            gone.recv().expect("the run starts");
            outside();
        });
        let report = sim::run(options(engine), move || {
            go.send(()).expect("the thread is there");
            inside();
        });
        thread.join().expect("the thread outside ends");
        report
    };
    ENGINES.into_iter().map(run).collect()
}

/// A simulated thread waits for a lock that a thread outside holds, and gets it.
#[test]
fn waits_for_a_lock_held_outside() {
    let lock = Arc::new((Mutex::new(0), Condvar::new()));
    let other = Arc::clone(&lock);
    let reports = both(
        move || {
            let mut state = lock.0.lock().expect("not poisoned");
            while *state % 2 == 0 {
                state = lock.1.wait(state).expect("not poisoned");
            }
            *state += 1;
            drop(state);
            lock.1.notify_all();
        },
        move || {
            // Real work while the lock is held. The simulation has to wait for it.
            let mut state = other.0.lock().expect("not poisoned");
            std::hint::black_box((0..3_000_000_u64).map(std::hint::black_box).sum::<u64>());
            *state += 1;
            drop(state);
            other.1.notify_all();
        },
    );
    for report in reports {
        assert!(report.finished(), "{report}");
    }
}

/// A thread outside waits for a lock that a simulated one holds, and gets it.
#[test]
fn waited_for_by_a_thread_outside() {
    let rounds = Arc::new((Mutex::new(0), Condvar::new()));
    let other = Arc::clone(&rounds);
    let reports = both(
        move || {
            for _ in 0..100 {
                let mut state = rounds.0.lock().expect("not poisoned");
                thread::sleep(Duration::from_millis(1));
                *state += 1;
                rounds.1.notify_all();
            }
            let state = rounds.0.lock().expect("not poisoned");
            let wait = rounds.1.wait_while(state, |state| *state != 0);
            drop(wait.expect("not poisoned"));
        },
        move || {
            let state = other.0.lock().expect("not poisoned");
            let wait = other.1.wait_while(state, |state| *state < 100);
            *wait.expect("not poisoned") = 0;
            other.1.notify_all();
        },
    );
    for report in reports {
        assert!(report.finished(), "{report}");
    }
}

/// A parking_lot lock works for threads on both sides of the border.
#[test]
fn contended_from_both_sides() {
    let count = Arc::new(parking_lot::Mutex::new(0_u64));
    let work = {
        let count = Arc::clone(&count);
        move || {
            for _ in 0..20_000 {
                *count.lock() += 1;
            }
        }
    };
    let inside = {
        let work = work.clone();
        move || {
            let other = work.clone();
            let handle = thread::spawn(other);
            work();
            handle.join().expect("the thread ends");
        }
    };
    for report in both(inside, work) {
        assert!(report.finished(), "{report}");
    }
    assert_eq!(*count.lock(), 2 * 60_000);
}

/// Messages go to a thread outside and back.
#[test]
fn channel_to_the_outside_and_back() {
    let (to_outside, at_outside) = crossbeam_channel::unbounded::<u32>();
    let (to_inside, at_inside) = crossbeam_channel::unbounded::<u32>();
    let reports = both(
        move || {
            for i in 0..50 {
                to_outside.send(i).expect("the thread is there");
                assert_eq!(at_inside.recv(), Ok(i + 1));
            }
        },
        move || {
            for _ in 0..50 {
                let i = at_outside.recv().expect("the simulation is there");
                to_inside.send(i + 1).expect("the simulation is there");
            }
        },
    );
    for report in reports {
        assert!(report.finished(), "{report}");
    }
}

/// A deadlock is found even if a thread outside sleeps the whole time.
#[test]
fn deadlock_with_a_sleeping_thread_outside() {
    limit("deadlock with a sleeper");
    let (keep, never) = mpsc::channel::<()>();
    let sleeper = thread::spawn(move || never.recv());
    for engine in ENGINES {
        let report = sim::run(options(engine), thread::park);
        assert_eq!(report.halt, Halt::Deadlock);
    }
    drop(keep);
    assert!(sleeper.join().expect("the sleeper ends").is_err());
}

/// A handle can leave the simulation. A thread that has ended can be joined outside. The join of a
/// thread that was left behind fails and does not wait.
#[test]
fn handles_that_leave() {
    limit("handles");
    for engine in ENGINES {
        let handles = Arc::new(Mutex::new(Vec::new()));
        let inside = Arc::clone(&handles);
        let report = sim::run(options(engine), move || {
            let ended = thread::spawn(|| 7);
            let left = thread::spawn(|| {
                thread::park();
                8
            });
            thread::sleep(Duration::from_millis(1));
            inside.lock().expect("not poisoned").extend([left, ended]);
        });
        assert!(report.finished() && report.threads.len() == 1, "{report}");
        let mut handles = handles.lock().expect("not poisoned");
        assert_eq!(handles.pop().expect("two handles").join().expect("it ended"), 7);
        let left = handles.pop().expect("two handles");
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| left.join()));
        assert!(refused.is_err());
    }
}

/// A second run waits for the first. Runs from many threads all end.
#[test]
fn runs_take_turns() {
    limit("turns");
    let runs: Vec<_> = (0..8)
        .map(|seed| {
            thread::spawn(move || {
                let engine = ENGINES[seed % 2];
                sim::run(options(engine).seed(seed as u64), || {
                    thread::scope(|scope| {
                        for _ in 0..3 {
                            scope.spawn(|| thread::sleep(Duration::from_secs(1)));
                        }
                    });
                })
            })
        })
        .collect();
    for run in runs {
        assert!(run.join().expect("the run ends").finished());
    }
}

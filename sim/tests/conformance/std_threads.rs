//! Threads of the standard library: start, end, names, panics, thread-locals.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::common::{check, reports};
use sim::Halt;

const MS: Duration = Duration::from_millis(1);

/// Scoped threads can borrow, and are joined at the end of the scope.
#[test]
fn scoped() {
    check("scoped", || {
        let mut counts = [0; 4];
        thread::scope(|scope| {
            for (i, count) in counts.iter_mut().enumerate() {
                scope.spawn(move || {
                    thread::sleep(MS);
                    *count = i + 1;
                });
            }
        });
        assert_eq!(counts, [1, 2, 3, 4]);
    });
}

/// A join returns the result, or the payload of the panic.
#[test]
fn results_and_panics() {
    check("results", || {
        assert_eq!(thread::spawn(|| "result").join().unwrap(), "result");
        let payload = thread::spawn(|| panic::resume_unwind(Box::new(42_u8))).join().unwrap_err();
        assert_eq!(payload.downcast_ref::<u8>(), Some(&42));
        let caught = panic::catch_unwind(|| {
            thread::sleep(MS);
            panic::resume_unwind(Box::new("caught"));
        });
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"caught"));
        assert!(!thread::panicking());
    });
}

/// A panic of the closure ends the run; a panic of another thread is only listed.
#[test]
fn panics_are_reported() {
    for report in reports(
        "panics",
        |o| o.output(sim::Output::Captured),
        || {
            let thread = thread::Builder::new().name("breaker".to_owned());
            let _ = thread.spawn(|| panic!("broken {}", 1)).unwrap().join();
            panic!("closure {}", 2);
        },
    ) {
        assert_eq!(report.halt, Halt::Panicked { message: "closure 2".to_owned() });
        assert_eq!(report.panics.len(), 2);
        assert_eq!(report.panics[0].name, "breaker");
        assert_eq!(report.panics[0].message, "broken 1");
        assert!(report.panics[0].location.contains("std_threads.rs"));
        assert_eq!(report.panics[1].thread, 0);
    }
}

/// Dropping a handle detaches the thread. The thread continues, and its simulated thread is used
/// again.
#[test]
fn detached() {
    check("detached", || {
        let (sender, receiver) = mpsc::channel();
        for i in 0..20 {
            let sender = sender.clone();
            drop(thread::spawn(move || {
                thread::sleep(MS * (i % 3));
                sender.send(i).unwrap();
            }));
        }
        drop(sender);
        let mut all: Vec<u32> = receiver.iter().collect();
        all.sort_unstable();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
    });
}

/// The thread knows its name, and so does the simulation.
#[test]
fn names() {
    check("names", || {
        let builder = thread::Builder::new().name("ticker".to_owned());
        let handle = builder.spawn(|| {
            assert_eq!(thread::current().name(), Some("ticker"));
            thread::sleep(5 * MS);
        });
        thread::sleep(MS);
        let infos = sim::threads();
        assert_eq!(infos.len(), 2);
        assert_eq!(infos[1].name, "ticker");
        assert!(matches!(infos[1].state, sim::ThreadState::Sleeping { .. }));
        handle.unwrap().join().unwrap();
    });
}

struct Noisy(&'static str, mpsc::Sender<String>);

impl Drop for Noisy {
    fn drop(&mut self) {
        // Inside the simulation: otherwise this would sleep in real time.
        let before = sim::now();
        thread::sleep(MS);
        let passed = sim::is_virtual() && sim::now() - before >= MS;
        let _ = self.1.send(format!("{} {passed}", self.0));
    }
}

thread_local! {
    static FIRST: RefCell<Option<Noisy>> = const { RefCell::new(None) };
    static SECOND: RefCell<Option<Noisy>> = const { RefCell::new(None) };
    static COUNT: RefCell<u32> = const { RefCell::new(1) };
}

/// Destructors of thread-locals run once, the last registered first, inside the simulation and
/// before a join returns. A simulated thread that is used again starts with fresh values.
#[test]
fn thread_locals() {
    check("thread_locals", || {
        for _ in 0..10 {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                COUNT.with_borrow_mut(|count| {
                    assert_eq!(*count, 1);
                    *count += 1;
                });
                FIRST.set(Some(Noisy("first", sender.clone())));
                SECOND.set(Some(Noisy("second", sender)));
            })
            .join()
            .unwrap();
            let events: Vec<String> = receiver.try_iter().collect();
            assert_eq!(events, ["second true", "first true"]);
        }
    });
}

/// The ordinary stack is enough for deep recursion, and a bigger stack for deeper recursion.
#[test]
fn deep_recursion_and_big_stacks() {
    fn depth(left: u32) -> u64 {
        let page = std::hint::black_box([u64::from(left); 100]);
        if left == 0 { 0 } else { depth(left - 1) + page[50] / u64::from(left) }
    }
    check("recursion", || {
        assert_eq!(thread::spawn(|| depth(800)).join().unwrap(), 800);
        let builder = thread::Builder::new().stack_size(128 << 20);
        assert_eq!(builder.spawn(|| depth(60_000)).unwrap().join().unwrap(), 60_000);
        let small = thread::Builder::new().stack_size(16 << 10);
        assert_eq!(small.spawn(|| 1).unwrap().join().unwrap(), 1);
    });
}

/// Ten thousand threads can be alive at the same time.
#[test]
fn ten_thousand_threads() {
    for report in reports(
        "ten_thousand",
        |o| o,
        || {
            static LIVE: AtomicUsize = AtomicUsize::new(0);
            LIVE.store(0, Ordering::Relaxed);
            let gate = Arc::new(Mutex::new(()));
            let closed = gate.lock().unwrap();
            let handles: Vec<_> = (0..10_000)
                .map(|_| {
                    let gate = Arc::clone(&gate);
                    let builder = thread::Builder::new().stack_size(64 << 10);
                    let handle = builder.spawn(move || {
                        LIVE.fetch_add(1, Ordering::Relaxed);
                        drop(gate.lock().unwrap());
                    });
                    handle.unwrap()
                })
                .collect();
            thread::sleep(Duration::from_secs(1));
            assert_eq!(LIVE.load(Ordering::Relaxed), 10_000);
            drop(closed);
            handles.into_iter().for_each(|handle| handle.join().unwrap());
        },
    ) {
        assert!(report.finished() && report.threads_peak == 10_001, "{report}");
    }
}

/// The seed determines the order of a `HashMap` and random numbers, and they differ between seeds.
#[test]
fn hash_order_and_random_numbers_follow_the_seed() {
    static SEEN: Mutex<Vec<(Vec<u32>, u64)>> = Mutex::new(Vec::new());
    crate::common::limit("hash_order");
    let look = || {
        let map: HashMap<u32, ()> = (0..50).map(|i| (i, ())).collect();
        let order: Vec<u32> = map.keys().copied().collect();
        let mut rng = rand::rng();
        SEEN.lock().unwrap().push((order, rand::Rng::next_u64(&mut rng)));
    };
    for engine in crate::common::ENGINES {
        for seed in [1, 1, 2] {
            assert!(sim::run(crate::common::options(engine).seed(seed), look).finished());
        }
    }
    let seen = SEEN.lock().unwrap();
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[3]);
    assert_ne!(seen[0].0, seen[2].0);
    assert_ne!(seen[0].1, seen[2].1);
}

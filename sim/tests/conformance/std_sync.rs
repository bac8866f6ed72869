//! The synchronisation types of the standard library, unmodified, on both engines.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::check;

const MS: Duration = Duration::from_millis(1);

/// A contended mutex excludes other threads, although they ask for it during the sleep inside.
#[test]
fn mutex() {
    check("mutex", || {
        let shared = Arc::new(Mutex::new((0, false)));
        let work = |shared: Arc<Mutex<(u32, bool)>>| {
            for _ in 0..5 {
                let mut guard = shared.lock().unwrap();
                assert!(!guard.1, "two threads are inside");
                guard.1 = true;
                thread::sleep(MS);
                guard.1 = false;
                guard.0 += 1;
            }
        };
        let handles: Vec<_> = (0..4)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || work(shared))
            })
            .collect();
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        assert_eq!(shared.lock().unwrap().0, 20);
    });
}

/// Notified waiters wake, and `notify_all` wakes all of them.
#[test]
fn condvar() {
    check("condvar", || {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let handles: Vec<_> = (0..3)
            .map(|_| {
                let pair = Arc::clone(&pair);
                thread::spawn(move || {
                    let guard = pair.0.lock().unwrap();
                    drop(pair.1.wait_while(guard, |open| !*open).unwrap());
                })
            })
            .collect();
        thread::sleep(MS);
        *pair.0.lock().unwrap() = true;
        pair.1.notify_all();
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    });
}

/// A wait with a limit ends by the virtual clock, and reports how it ended.
#[test]
fn condvar_timeout() {
    check("condvar_timeout", || {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let start = Instant::now();
        let guard = pair.0.lock().unwrap();
        let (guard, result) = pair.1.wait_timeout(guard, 500 * MS).unwrap();
        assert!(result.timed_out());
        assert!(start.elapsed() >= 500 * MS && start.elapsed() < 501 * MS);
        let other = Arc::clone(&pair);
        let handle = thread::spawn(move || {
            thread::sleep(10 * MS);
            drop(other.0.lock().unwrap());
            other.1.notify_one();
        });
        let (_guard, result) = pair.1.wait_timeout(guard, 500 * MS).unwrap();
        assert!(!result.timed_out());
        handle.join().unwrap();
    });
}

/// Readers share the lock, and a writer excludes all others.
#[test]
fn rwlock() {
    check("rwlock", || {
        let lock = Arc::new(RwLock::new(0));
        let inside = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let guard = lock.read().unwrap();
                    let readers = inside.fetch_add(1, Ordering::Relaxed) + 1;
                    most.fetch_max(readers, Ordering::Relaxed);
                    let before = *guard;
                    thread::sleep(5 * MS);
                    assert_eq!(before, *guard);
                    inside.fetch_sub(1, Ordering::Relaxed);
                });
            }
            scope.spawn(|| {
                thread::sleep(MS);
                let mut guard = lock.write().unwrap();
                assert_eq!(inside.load(Ordering::Relaxed), 0);
                *guard += 1;
            });
        });
        assert_eq!(*lock.read().unwrap(), 1);
        assert!(
            most.load(Ordering::Relaxed) >= 2,
            "two readers never held the lock at the same time"
        );
    });
}

/// Initialisers run once, and other threads wait for them.
#[test]
fn once() {
    check("once", || {
        let once = Arc::new(Once::new());
        let lock: Arc<OnceLock<u32>> = Arc::new(OnceLock::new());
        let runs = Arc::new(AtomicUsize::new(0));
        let lazy = Arc::new(LazyLock::new(|| {
            thread::sleep(MS);
            7
        }));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    once.call_once(|| {
                        thread::sleep(MS);
                        runs.fetch_add(1, Ordering::Relaxed);
                    });
                    assert_eq!(runs.load(Ordering::Relaxed), 1);
                    let value = lock.get_or_init(|| {
                        thread::sleep(MS);
                        5
                    });
                    assert_eq!(*value + **lazy, 12);
                });
            }
        });
    });
}

/// No thread passes a barrier before the last one arrives, and exactly one is the leader.
#[test]
fn barrier() {
    check("barrier", || {
        let barrier = Arc::new(Barrier::new(5));
        let start = Instant::now();
        let handles: Vec<_> = (1..=5)
            .map(|i| {
                let barrier = Arc::clone(&barrier);
                thread::spawn(move || {
                    thread::sleep(i * 10 * MS);
                    let leads = barrier.wait().is_leader();
                    assert!(start.elapsed() >= 50 * MS);
                    leads
                })
            })
            .collect();
        let leads = handles.into_iter().filter_map(|handle| handle.join().unwrap().then_some(()));
        assert_eq!(leads.count(), 1);
    });
}

/// A token given before `park` is kept, and a park with a time limit ends.
#[test]
fn park() {
    check("park", || {
        thread::current().unpark();
        thread::park();
        let start = Instant::now();
        thread::park_timeout(20 * MS);
        assert!(start.elapsed() >= 20 * MS);
        let me = thread::current();
        let handle = thread::spawn(move || {
            thread::sleep(30 * MS);
            me.unpark();
        });
        thread::park();
        assert!(start.elapsed() >= 50 * MS);
        handle.join().unwrap();
    });
}

/// Channels keep order, report a hang-up, hand over without capacity, and receive with a time
/// limit.
#[test]
fn mpsc_channels() {
    check("mpsc", || {
        let (sender, receiver) = mpsc::channel();
        for i in 0..3 {
            let sender = sender.clone();
            thread::spawn(move || (0..10).for_each(|j| sender.send((i, j)).unwrap()));
        }
        drop(sender);
        let mut next = [0; 3];
        for (i, j) in receiver {
            assert_eq!(next[i], j);
            next[i] += 1;
        }
        assert_eq!(next, [10; 3]);

        let (sender, receiver) = mpsc::sync_channel(0);
        let handle = thread::spawn(move || {
            let start = Instant::now();
            sender.send(1).unwrap();
            start.elapsed()
        });
        thread::sleep(40 * MS);
        assert_eq!(receiver.recv(), Ok(1));
        assert!(handle.join().unwrap() >= 39 * MS);
        assert_eq!(receiver.recv(), Err(mpsc::RecvError));

        let (_sender, receiver) = mpsc::channel::<()>();
        assert_eq!(receiver.recv_timeout(MS), Err(mpsc::RecvTimeoutError::Timeout));
    });
}

/// A thread that unlocks and locks in a loop does not starve one that waits for the lock.
#[test]
fn relock_loop_against_a_waiter() {
    check("relock", || {
        let lock = Arc::new(Mutex::new(false));
        let waiter = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || *lock.lock().unwrap() = true)
        };
        let mut rounds = 0;
        loop {
            let guard = lock.lock().unwrap();
            if *guard {
                break;
            }
            thread::sleep(MS);
            drop(guard);
            rounds += 1;
            assert!(rounds < 10_000, "the waiter starves");
        }
        waiter.join().unwrap();
    });
}

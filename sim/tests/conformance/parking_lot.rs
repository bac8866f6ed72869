//! `parking_lot`, unmodified, on both engines.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::check;
use parking_lot::{Condvar, Mutex, ReentrantMutex, RwLock};

const MS: Duration = Duration::from_millis(1);

/// Contended sections exclude each other, and a lock with a time limit gives up in virtual time.
#[test]
fn mutex() {
    check("parking_lot mutex", || {
        let shared = Arc::new(Mutex::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let mut guard = shared.lock();
                        let before = *guard;
                        thread::sleep(MS);
                        *guard = before + 1;
                    }
                });
            }
        });
        let guard = shared.lock();
        assert_eq!(*guard, 20);
        thread::scope(|scope| {
            scope.spawn(|| {
                let start = Instant::now();
                assert!(shared.try_lock_for(30 * MS).is_none());
                assert!(start.elapsed() >= 30 * MS);
            });
        });
    });
}

/// Readers share the lock, and a writer excludes all others.
#[test]
fn rwlock() {
    check("parking_lot rwlock", || {
        let lock = RwLock::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let guard = lock.read();
                    let before = *guard;
                    thread::sleep(5 * MS);
                    assert_eq!(before, *guard);
                });
            }
            scope.spawn(|| {
                thread::sleep(MS);
                *lock.write() += 1;
            });
        });
        assert_eq!(lock.into_inner(), 1);
    });
}

/// Waits end with and without a time limit. `notify_one` wakes one thread, `notify_all` the rest.
#[test]
fn condvar() {
    check("parking_lot condvar", || {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let mut guard = pair.0.lock();
        assert!(pair.1.wait_for(&mut guard, 100 * MS).timed_out());
        drop(guard);
        let handles: Vec<_> = (0..4)
            .map(|_| {
                let pair = Arc::clone(&pair);
                thread::spawn(move || {
                    let mut guard = pair.0.lock();
                    pair.1.wait(&mut guard);
                    *guard += 1;
                })
            })
            .collect();
        thread::sleep(MS);
        assert!(pair.1.notify_one());
        thread::sleep(MS);
        assert_eq!(*pair.0.lock(), 1);
        assert_eq!(pair.1.notify_all(), 3);
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        assert_eq!(*pair.0.lock(), 4);
    });
}

/// The owner of a reentrant mutex can lock it again, and other threads cannot.
#[test]
fn reentrant_mutex() {
    check("parking_lot reentrant", || {
        let lock = ReentrantMutex::new(());
        let _outer = lock.lock();
        let _inner = lock.lock();
        thread::scope(|scope| {
            scope.spawn(|| assert!(lock.try_lock().is_none()));
        });
    });
}

//! The virtual clock: how it moves, and that everything reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::common::{check, reports};

const MS: Duration = Duration::from_millis(1);

/// `Instant` and `SystemTime` advance together, never go back, and take no real time.
#[test]
fn clocks_agree() {
    check("clocks", || {
        let (instant, system) = (Instant::now(), SystemTime::now());
        thread::sleep(Duration::from_secs(1000));
        let (by_instant, by_system) = (instant.elapsed(), system.elapsed().unwrap());
        assert!(by_instant >= Duration::from_secs(1000));
        assert!(by_instant.abs_diff(by_system) < MS);
        // It is the start of 2025 in every run.
        assert_eq!(system.duration_since(UNIX_EPOCH).unwrap().as_secs(), 1_735_689_600);
        assert!(instant.checked_sub(Duration::from_secs(86_400)).is_some());
    });
}

/// A loop that reads the clock until a certain time ends.
#[test]
fn busy_polling_ends() {
    check("polling", || {
        let start = Instant::now();
        while start.elapsed() < 5 * MS {}
        let flag = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&flag);
        let handle = thread::spawn(move || {
            thread::sleep(MS);
            other.store(true, Ordering::Relaxed);
        });
        while !flag.load(Ordering::Relaxed) {
            let _ = Instant::now();
        }
        flag.store(false, Ordering::Relaxed);
        handle.join().unwrap();
        let other = Arc::clone(&flag);
        let handle = thread::spawn(move || other.store(true, Ordering::Relaxed));
        while !flag.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        handle.join().unwrap();
    });
}

/// A run of a virtual day takes almost no real time, and its report has the virtual time.
#[test]
fn elapsed_is_virtual() {
    let day = Duration::from_secs(86_400);
    for report in reports(
        "day",
        |o| o.time_limit(2 * Duration::from_secs(86_400)),
        || {
            thread::sleep(Duration::from_secs(86_400));
        },
    ) {
        assert!(report.finished() && report.is_virtual);
        assert!(report.elapsed >= day && report.elapsed < day + MS);
    }
}

/// Outside a run time is real.
#[test]
fn outside_is_real() {
    assert!(!sim::is_virtual());
    let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(system.as_secs() != 1_735_689_600);
    assert!(sim::threads().is_empty());
}

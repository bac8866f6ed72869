//! A warmed process forks once for each seed: every child starts from one memory image.
//!
//! This is the only test of its program, so that no other thread holds a lock when the process
//! forks.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sim::{Engine, Options};

fn work() {
    let total = Arc::new(Mutex::new(0));
    for _ in 0..5 {
        thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(1));
                    *total.lock().unwrap() += 1;
                });
            }
        });
    }
    assert_eq!(*total.lock().unwrap(), 50);
}

/// Each child gets the same hash as the parent with its seed, and does not change the parent.
#[test]
fn children_run_like_their_parent() {
    // Ends the process after a limit of real time. SAFETY: takes only a number of seconds.
    unsafe { libc::alarm(120) };
    for engine in [Engine::Fiber, Engine::Kernel] {
        let hash = |seed| {
            let report = sim::run(Options::new().engine(engine).seed(seed), work);
            if report.finished() { report.trace_hash } else { 0 }
        };
        let expected: Vec<u64> = (0..20).map(hash).collect();
        assert!(!expected.contains(&0));
        for (seed, expected) in expected.iter().enumerate() {
            // SAFETY: the child uses only its copy of this process, and leaves by `_exit`.
            let child = unsafe { libc::fork() };
            assert!(child >= 0, "fork");
            if child == 0 {
                let same = hash(seed as u64) == *expected && hash(seed as u64) == *expected;
                // SAFETY: ends the child without running anything of the parent's.
                unsafe { libc::_exit(i32::from(!same)) };
            }
            let mut status = 0;
            // SAFETY: waits for the child just made.
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            assert!(libc::WIFEXITED(status), "seed {seed}: the child died: {status}");
            assert_eq!(libc::WEXITSTATUS(status), 0, "seed {seed}: the child's run differs");
        }
        assert_eq!(hash(3), expected[3]);
    }
}

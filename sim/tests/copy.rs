//! A warmed process is copied once for each seed, and the copies are children of its parent.
//!
//! This is the only test of its program, so that no other thread holds a lock when the process
//! forks.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use sim::{Engine, Options};

const COPIES: u8 = 20;

fn hash(engine: Engine, seed: u8) -> u64 {
    let options = Options::new().engine(engine).seed(seed.into());
    let report = sim::run(options, || {
        let sleep = || thread::sleep(Duration::from_millis(1));
        thread::scope(|scope| (0..20).for_each(|_| drop(scope.spawn(sleep))));
    });
    if report.finished() { report.trace_hash } else { 0 }
}

/// The exit code of a copy.
fn code(engine: Engine, seed: u8) -> i32 {
    seed as i32 + if engine == Engine::Fiber { 1 } else { 1 + COPIES as i32 }
}

#[test]
fn copies_run_like_any_process_and_belong_to_the_parent() {
    // Ends the process after a limit of real time. SAFETY: takes only a number of seconds.
    unsafe { libc::alarm(120) };
    let several = sim::copy_process().expect_err("the test has a thread of its own");
    assert_eq!(several.kind(), ErrorKind::ResourceBusy);
    let engines = [Engine::Fiber, Engine::Kernel];
    let each = || engines.iter().flat_map(|e| (0..COPIES).map(move |seed| (*e, seed)));
    let expected: Vec<u64> = each().map(|(engine, seed)| hash(engine, seed)).collect();
    // SAFETY: the child uses only its copy of this process, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        sim::warm_up(8);
        for ((engine, seed), expected) in each().zip(expected) {
            if sim::copy_process().expect("the child has one thread").is_none() {
                let same = hash(engine, seed) == expected;
                // SAFETY: ends the copy without running anything of the parent's.
                unsafe { libc::_exit(if same { code(engine, seed) } else { 0 }) };
            }
        }
        // SAFETY: as above.
        unsafe { libc::_exit(99) };
    }
    let mut ended = BTreeMap::new();
    for _ in 0..=each().count() {
        let mut status = 0;
        // SAFETY: waits for the child and its copies, of which the number is known.
        assert!(unsafe { libc::waitpid(-1, &mut status, 0) } > 0, "a copy is missing");
        assert!(libc::WIFEXITED(status), "a copy died: {status}");
        *ended.entry(libc::WEXITSTATUS(status)).or_insert(0) += 1;
    }
    let codes = each().map(|(engine, seed)| code(engine, seed));
    assert_eq!(ended, codes.chain([99]).map(|code| (code, 1)).collect());
}

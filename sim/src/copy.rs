//! Copies of a process that is ready for a run.
//!
//! A process that does one short run spends most of its time on starting. Instead, a program can be
//! loaded and warmed up once, and its process copied for each run.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use crate::engine_kind::Engine;
use crate::hooks::threads::STACK_SIZE;
use crate::run::machine::CLOSURE_STACK_SIZE;
use crate::run::process;
use crate::{engine, sys};

/// How long to wait for threads that are about to end.
const ALONE_WITHIN: Duration = Duration::from_secs(1);
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// Prepares what every run needs, and the stacks of `threads` threads. None of that depends on a
/// seed. If simulated threads are kernel threads, no stacks can be prepared.
///
/// # Panics
/// If called inside a simulation.
pub fn warm_up(threads: usize) {
    assert!(engine::thread::current().is_none(), "warm_up was called inside a simulation");
    let engine = Engine::from_env();
    process::prepare(|| {
        // SAFETY: `prepare` holds the lock of runs, and there is no simulation.
        unsafe {
            engine::make_ready(engine, CLOSURE_STACK_SIZE, 1);
            engine::make_ready(engine, STACK_SIZE, threads);
        }
    });
}

/// Copies the process, which must have no thread but the calling one. Returns the process number of
/// the copy, and `None` in the copy.
///
/// The copy is a child of the calling process's parent, as if the parent had started it. So the
/// parent can wait for the copies and kill them. Functions registered by `pthread_atfork` are not
/// called.
///
/// # Errors
/// [`ErrorKind::ResourceBusy`] if there are other threads, whose locks would never be unlocked in
/// the copy. Otherwise the kernel's error.
///
/// # Panics
/// If called inside a simulation.
pub fn copy_process() -> Result<Option<u32>> {
    assert!(engine::thread::current().is_none(), "copy_process was called inside a simulation");
    if !is_alone()? {
        return Err(Error::new(ErrorKind::ResourceBusy, "the process has other threads"));
    }
    // With CLONE_PARENT, the copy's end sends the parent the signal that the caller's end sends.
    let flags = (libc::CLONE_PARENT | libc::SIGCHLD) as usize;
    // SAFETY: without a new stack and without shared memory, the copy continues from here in its
    // own memory. There is no other thread, so any lock that is held is held by this thread, and
    // the C library, which does not notice the copy, has nothing to repair. Only the thread number
    // that it has cached is the original's. Its locks compare that with the numbers of other
    // threads, which are different.
    let number = unsafe { sys::raw(libc::SYS_clone, [flags, 0, 0, 0, 0, 0]) };
    match u32::try_from(number) {
        Ok(0) => {
            process::forked();
            Ok(None)
        }
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(Error::from_raw_os_error(-number as i32)),
    }
}

/// Whether this thread is the only one, after waiting for those that are about to end.
fn is_alone() -> Result<bool> {
    let mut waited = Duration::ZERO;
    while std::fs::read_dir("/proc/self/task")?.count() > 1 {
        if waited >= ALONE_WITHIN {
            return Ok(false);
        }
        std::thread::sleep(LOOK_INTERVAL);
        waited += LOOK_INTERVAL;
    }
    Ok(true)
}

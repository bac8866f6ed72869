//! Copies of a process that is ready for a run: to load a program and to warm it up is paid once.
//!
//! A process that plays one short run spends most of its life on its start. One that has started
//! can be copied instead, as often as there are runs.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use crate::engine_kind::Engine;
use crate::hooks::threads::STACK_SIZE;
use crate::run::machine::CLOSURE_STACK_SIZE;
use crate::run::process;
use crate::{engine, sys};

/// How long threads that are about to end may take to be gone.
const ALONE_WITHIN: Duration = Duration::from_secs(1);
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// Makes ahead of time what runs need in any case, and the stacks of so many threads. Nothing of it
/// depends on a seed. Where threads are kernel threads, stacks cannot be kept ready.
///
/// # Panics
/// If called inside a simulation.
pub fn warm_up(threads: usize) {
    assert!(engine::thread::current().is_none(), "a simulation is as warm as it gets");
    let engine = Engine::from_env();
    process::prepare(|| {
        // SAFETY: that is when `prepare` calls this.
        unsafe {
            engine::make_ready(engine, CLOSURE_STACK_SIZE, 1);
            engine::make_ready(engine, STACK_SIZE, threads);
        }
    });
}

/// Copies the process, which has to consist of the calling thread alone. Gives the number of the
/// copy, and in the copy none.
///
/// The copy is a child of the parent of the process that calls, as if that one had started it:
/// whoever runs the copies can wait for them and kill them without asking. Functions registered by
/// `pthread_atfork` are not called.
///
/// # Errors
/// [`ErrorKind::ResourceBusy`] if there are other threads, whose locks would never be unlocked in
/// the copy; else what the kernel says.
///
/// # Panics
/// If called inside a simulation.
pub fn copy_process() -> Result<Option<u32>> {
    assert!(engine::thread::current().is_none(), "a simulation cannot be copied");
    if !is_alone()? {
        return Err(Error::new(ErrorKind::ResourceBusy, "the process has several threads"));
    }
    // The signal is the one for this process's own end, as the kernel has it with this flag.
    let flags = (libc::CLONE_PARENT | libc::SIGCHLD) as usize;
    // SAFETY: without a new stack and without shared memory the copy goes on from here with memory
    // of its own. No other thread exists, so what this one finds locked it has locked itself, and
    // the C library, which is not told, has nothing to repair. Only the number of the thread that
    // it keeps for itself is the original's: its locks compare it with that of other threads, which
    // have numbers of their own.
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

/// Whether this thread is the only one, once those are gone that are about to end.
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

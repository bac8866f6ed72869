//! Engines: they give a simulated thread a stack and thread-local storage, and switch threads.
//!
//! The scheduler decides which thread runs, and an engine carries that out. There are two engines
//! with one contract: `prepare` makes a thread that runs its task when it first gets the turn.
//! `switch` hands the turn over and returns when it comes back. `leave` hands it over permanently.
//! `release` reclaims what an ended thread used.

use std::ffi::c_int;

use crate::engine::thread::{SimThread, Task};
use crate::engine_kind::Engine;

pub(crate) mod thread;
pub(crate) mod keys;
#[cfg(sim_fibers)]
mod donor;
#[cfg(sim_fibers)]
mod fiber;
mod kernel;

/// On a processor without fibers the kernel-thread engine replaces them.
#[cfg(not(sim_fibers))]
use self::kernel as fiber;

/// Makes a thread that will do `task` on a stack of at least `stack_size` bytes. `Err` holds the
/// errno value of a failure.
pub(crate) fn prepare(
    engine: Engine,
    stack_size: usize,
    task: Task,
) -> Result<&'static SimThread, c_int> {
    match engine {
        Engine::Fiber => fiber::prepare(stack_size, task),
        Engine::Kernel => kernel::prepare(stack_size, task),
    }
}

/// Gives the turn to `to`, and returns when it comes back to `from`.
#[inline]
pub(crate) fn switch(engine: Engine, from: &'static SimThread, to: &'static SimThread) {
    match engine {
        Engine::Fiber => fiber::switch(from, to),
        Engine::Kernel => kernel::switch(from, to),
    }
}

/// Gives the turn to `to` permanently. A kernel thread returns from here and ends; a fiber does not
/// return.
pub(crate) fn leave(engine: Engine, from: &'static SimThread, to: &'static SimThread) {
    match engine {
        Engine::Fiber => fiber::leave(from, to),
        Engine::Kernel => kernel::leave(from, to),
    }
}

/// Reclaims the resources of a thread that has ended and was joined or detached.
pub(crate) fn release(engine: Engine, thread: &'static SimThread) {
    match engine {
        Engine::Fiber => fiber::release(thread),
        Engine::Kernel => kernel::release(thread),
    }
}

/// Makes the calling kernel thread a thread that `switch` can leave and return to.
pub(crate) fn adopt(engine: Engine, thread: &'static SimThread) {
    match engine {
        Engine::Fiber => fiber::adopt(thread),
        Engine::Kernel => kernel::adopt(thread),
    }
}

/// Prepares what `count` threads need.
///
/// # Safety
/// The caller holds the lock of runs, and there is no simulation.
pub(crate) unsafe fn make_ready(engine: Engine, stack_size: usize, count: usize) {
    // SAFETY: passed on from the caller.
    unsafe {
        match engine {
            Engine::Fiber => fiber::make_ready(stack_size, count),
            Engine::Kernel => kernel::make_ready(stack_size, count),
        }
    }
}

//! The fiber engine: all simulated threads run on one kernel thread. Each takes its own stack and
//! its own thread-local storage from a donor (see `donor`).
//!
//! The switch itself depends on the processor and is in `arch`.

use std::ffi::c_int;

use crate::arch::{self, Context};
use crate::engine::donor;
use crate::engine::thread::{self, SimThread, Task};

pub(crate) use crate::engine::donor::{give_back as release, make_ready};

/// See [`engine::prepare`](crate::engine::prepare).
pub(crate) fn prepare(stack_size: usize, task: Task) -> Result<&'static SimThread, c_int> {
    let thread = donor::take(stack_size)?;
    thread.assign(task);
    let entry = begin as extern "C" fn(&'static SimThread) -> ! as usize;
    let argument = std::ptr::from_ref(thread) as usize;
    let fiber = &thread.fiber;
    // SAFETY: the donor's kernel thread is gone and nothing else uses its stack; the context is
    // not used before the first switch.
    unsafe {
        *fiber.context.get() =
            Context::first(fiber.stack_top.get(), fiber.thread_pointer.get(), entry, argument);
    }
    Ok(thread)
}

/// See [`engine::adopt`](crate::engine::adopt).
pub(crate) fn adopt(thread: &'static SimThread) {
    donor::warm_up();
    // SAFETY: no other thread switches to this one before it has switched away.
    unsafe { *thread.fiber.context.get() = Context::of_caller() };
}

/// See [`engine::switch`](crate::engine::switch).
#[inline]
pub(crate) fn switch(from: &'static SimThread, to: &'static SimThread) {
    // SAFETY: `from` runs here, and `to` was saved by an earlier switch or made by `prepare`. Each
    // context is used by one kernel thread at a time.
    unsafe { arch::switch(from.fiber.context.get(), to.fiber.context.get()) };
}

/// See [`engine::leave`](crate::engine::leave).
pub(crate) fn leave(from: &'static SimThread, to: &'static SimThread) {
    switch(from, to);
    // No thread switches back to a thread that has ended.
    std::process::abort();
}

/// The first code of a fiber.
extern "C" fn begin(thread: &'static SimThread) -> ! {
    thread::enter(thread);
    thread.run();
    std::process::abort()
}

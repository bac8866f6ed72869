//! Randomness: the random bytes of the operating system come from the seed.
//!
//! A request through `syscall` with `GRND_NONBLOCK` gets bytes from a separate stream and is not a
//! step. An allocator asks in this way (mimalloc does, for each thread), so a run draws the same
//! numbers with every allocator.

use std::ffi::{c_uint, c_void};

use crate::scheduler::CALL_NS;
use crate::scheduler::turn::{self, with};
use crate::sys;
use crate::trace::Op;

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn getrandom(
    buffer: *mut c_void,
    length: usize,
    flags: c_uint,
) -> isize {
    if turn::caller().is_none() {
        let args = [buffer as usize, length, flags as usize, 0, 0, 0];
        // SAFETY: passed on from the caller.
        return unsafe { sys::call(libc::SYS_getrandom, args) } as isize;
    }
    if length == 0 {
        // The getrandom crate asks once in each process whether the call exists. If that were a
        // step, the first run of a process would differ from the others.
        return 0;
    }
    // SAFETY: the caller gives room for `length` bytes.
    let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    with(|scheduler| {
        scheduler.step(Op::Random, CALL_NS);
        scheduler.entropy.fill(bytes);
    });
    length as isize
}

/// `getrandom` called through `syscall`, by a simulated thread.
///
/// # Safety
/// As for the real function.
pub(crate) unsafe fn by_number(buffer: *mut c_void, length: usize, flags: c_uint) -> isize {
    if flags & libc::GRND_NONBLOCK == 0 || length == 0 {
        // SAFETY: passed on from the caller.
        return unsafe { getrandom(buffer, length, flags) };
    }
    // SAFETY: the caller gives room for `length` bytes.
    let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    with(|scheduler| scheduler.entropy_no_wait.fill(bytes));
    length as isize
}

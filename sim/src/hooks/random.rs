//! Randomness: the bytes that the system gives come from the seed.

use std::ffi::{c_uint, c_void};

use crate::engine;
use crate::scheduler::CALL_NS;
use crate::scheduler::turn::with;
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
    if engine::current().is_none() {
        let args = [buffer as usize, length, flags as usize, 0, 0, 0];
        // SAFETY: passed on from the caller.
        return unsafe { sys::call(libc::SYS_getrandom, args) } as isize;
    }
    if length == 0 {
        // The getrandom crate asks once in a process whether the call exists. That is no step, or
        // the first run of a process would differ from the others.
        return 0;
    }
    with(|scheduler| {
        scheduler.step(Op::Random, CALL_NS);
        // SAFETY: the caller gives room for so many bytes.
        let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
        scheduler.entropy.fill(bytes);
    });
    length as isize
}

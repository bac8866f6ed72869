//! `write` and `writev` on the standard output and the standard error, collected into stamped
//! lines.
//!
//! These hooks are not scheduling points, because a thread that prints holds the stream's lock, and
//! output must not change the schedule.

use std::ffi::{c_int, c_void};

use crate::options::Output;
use crate::scheduler::turn::{self, with};
use crate::sys;

/// Whether the simulation handles the calling thread's output to `fd`.
fn is_ours(fd: c_int) -> bool {
    (fd == 1 || fd == 2)
        && turn::caller().is_some()
        && with(|scheduler| scheduler.output() != Output::Plain)
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn write(fd: c_int, buffer: *const c_void, count: usize) -> isize {
    if !is_ours(fd) || count == 0 {
        let args = [fd as usize, buffer as usize, count, 0, 0, 0];
        // SAFETY: passed on from the caller.
        return unsafe { sys::call(libc::SYS_write, args) } as isize;
    }
    // SAFETY: the caller gives `count` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), count) };
    with(|scheduler| scheduler.write_lines(fd, bytes));
    count as isize
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn writev(
    fd: c_int,
    parts: *const libc::iovec,
    count: c_int,
) -> isize {
    if !is_ours(fd) {
        let args = [fd as usize, parts as usize, count as usize, 0, 0, 0];
        // SAFETY: passed on from the caller.
        return unsafe { sys::call(libc::SYS_writev, args) } as isize;
    }
    let mut total = 0;
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the caller gives `count` parts, each with its own length.
        unsafe {
            let part = &*parts.add(index);
            total += write(fd, part.iov_base, part.iov_len);
        }
    }
    total
}

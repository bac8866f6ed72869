//! 64-bit Arm: system calls and return addresses. It has no fibers, so simulated threads are
//! kernel threads here.

use std::ffi::c_long;

/// A system call with the kernel's own convention: returns a negative errno on failure.
///
/// # Safety
/// The arguments must be what the call asks for.
#[inline]
pub(crate) unsafe fn syscall(number: c_long, args: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel's convention on aarch64; the caller answers for the arguments.
    unsafe {
        std::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") args[0] as isize => result,
            in("x1") args[1], in("x2") args[2], in("x3") args[3],
            in("x4") args[4], in("x5") args[5],
            options(nostack),
        );
    }
    result
}

/// The body of a naked function with two arguments: jumps to `$routine`, which gets the address
/// that the call returns to as its third argument.
macro_rules! jump_with_return_address {
    ($routine:path) => {
        std::arch::naked_asm!("mov x2, x30", "b {routine}", routine = sym $routine)
    };
}
pub(crate) use jump_with_return_address;

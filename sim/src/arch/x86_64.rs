//! x86-64: system calls, return addresses and fibers, by the System V ABI.

use std::arch::{asm, naked_asm};
use std::ffi::c_long;
use std::sync::atomic::{AtomicU8, Ordering};

/// A system call with the kernel's own convention: returns a negative errno on failure.
///
/// # Safety
/// The arguments must be what the call asks for.
#[inline]
pub(crate) unsafe fn syscall(number: c_long, args: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel's convention on x86-64; the caller answers for the arguments.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") args[0], in("rsi") args[1], in("rdx") args[2],
            in("r10") args[3], in("r8") args[4], in("r9") args[5],
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// The body of a naked function with two arguments: jumps to `$routine`, which gets the address
/// that the call returns to as its third argument.
macro_rules! jump_with_return_address {
    ($routine:path) => {
        std::arch::naked_asm!("mov rdx, [rsp]", "jmp {routine}", routine = sym $routine)
    };
}
pub(crate) use jump_with_return_address;

/// The saved state of a fiber while another runs. Its other registers are on its stack.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Context {
    stack_pointer: usize,
    /// The base of the FS segment.
    thread_pointer: usize,
}

/// The default control words of SSE and x87, with which a new thread starts.
const MXCSR: usize = 0x1f80;
const X87: usize = 0x037f;

impl Context {
    /// The context of a fiber that calls `entry(argument)` at the first switch to it.
    ///
    /// # Safety
    /// `stack_top` must be the end of a stack that nothing else uses, with room for a frame.
    pub(crate) unsafe fn first(
        stack_top: usize,
        thread_pointer: usize,
        entry: usize,
        argument: usize,
    ) -> Context {
        // What `exchange` pops: control words, r15 r14 r13 r12 rbx rbp, the return address. Then
        // comes a return address of zero, at which backtraces end.
        let base = fiber_base as *const () as usize;
        let frame = [MXCSR | X87 << 32, 0, 0, entry, argument, 0, 0, base, 0, 0];
        let stack_pointer = (stack_top & !15) - size_of_val(&frame);
        // SAFETY: the stack is unused and large enough, by the caller's promise.
        unsafe { (stack_pointer as *mut [usize; 10]).write(frame) };
        Context { stack_pointer, thread_pointer }
    }

    /// A context for the calling kernel thread, to switch away from and back to.
    pub(crate) fn of_caller() -> Context {
        Context { stack_pointer: 0, thread_pointer: thread_pointer() }
    }
}

/// Saves the caller's state in `from` and continues from the state in `to`. Returns when something
/// switches back to `from`.
///
/// A switch saves the registers that the ABI requires a function to preserve, then exchanges the
/// stack pointer and the FS base. Addresses of thread-locals in a frame stay right, because a fiber
/// always resumes with its own FS base.
///
/// # Safety
/// `to` must have been saved by a switch or made by `Context::first`, and used by no other kernel
/// thread. `from` must be of the fiber that runs here, or `Context::of_caller` of this thread.
#[inline]
pub(crate) unsafe fn switch(from: *mut Context, to: *const Context) {
    // SAFETY: passed on from the caller.
    unsafe {
        if has_wrfsbase() {
            exchange(from, to);
        } else {
            exchange_by_syscall(from, to);
        }
    }
}

/// The caller's thread pointer: the FS base, which the ABI stores at its own address.
pub(crate) fn thread_pointer() -> usize {
    let pointer;
    // SAFETY: reads one word of the thread's control block.
    unsafe { asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags)) };
    pointer
}

/// The distance from the thread pointer to the executable's block of thread-local storage, by the
/// block's size and alignment. In variant II of the ELF ABI for thread-local storage, the block
/// ends at the thread pointer.
pub(crate) fn thread_locals_offset(size: usize, align: usize) -> isize {
    -(size.next_multiple_of(align.max(1)) as isize)
}

/// Whether user code may write the FS base itself (bit 1 of `AT_HWCAP2`).
#[inline]
fn has_wrfsbase() -> bool {
    static KNOWN: AtomicU8 = AtomicU8::new(0);
    match KNOWN.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: always callable.
            let has = unsafe { libc::getauxval(libc::AT_HWCAP2) } & 2 != 0;
            KNOWN.store(if has { 2 } else { 1 }, Ordering::Relaxed);
            has
        }
        known => known == 2,
    }
}

/// # Safety
/// As for `switch`.
#[unsafe(naked)]
unsafe extern "C" fn exchange(from: *mut Context, to: *const Context) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "stmxcsr [rsp]",
        "fnstcw [rsp + 4]",
        "mov [rdi], rsp",
        "mov rax, [rsi + 8]",
        "mov rsp, [rsi]",
        "wrfsbase rax",
        "ldmxcsr [rsp]",
        "fldcw [rsp + 4]",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// # Safety
/// As for `switch`.
#[unsafe(naked)]
unsafe extern "C" fn exchange_by_syscall(from: *mut Context, to: *const Context) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "stmxcsr [rsp]",
        "fnstcw [rsp + 4]",
        "mov [rdi], rsp",
        "mov rdx, rsi",
        "mov rsp, [rdx]",
        // arch_prctl(ARCH_SET_FS, base)
        "mov rsi, [rdx + 8]",
        "mov edi, 0x1002",
        "mov eax, 158",
        "syscall",
        "ldmxcsr [rsp]",
        "fldcw [rsp + 4]",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// The base of every fiber's stack: calls the entry with its argument, and tells the unwinder that
/// the stack ends here.
///
/// # Safety
/// Reached only by the first switch to a fiber.
#[unsafe(naked)]
unsafe extern "C" fn fiber_base() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "mov rdi, r12",
        "call r13",
        "ud2",
        ".cfi_endproc",
    )
}

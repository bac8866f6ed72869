//! The fiber engine: every simulated thread on one kernel thread, each with its own stack and its
//! own thread-local storage, which a donor gave (see `donor`).
//!
//! A switch saves what the System V ABI lets a callee keep, then exchanges the stack pointer and
//! the FS base in one routine. Addresses of thread-locals that a frame holds stay right, because a
//! fiber always resumes with its own FS base.

use std::arch::naked_asm;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::engine::{self, Body, Start, donor};

/// Where a fiber stands while another runs.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Context {
    stack_pointer: usize,
    fs_base: usize,
}

/// The default control words of SSE and x87, which a new thread starts with.
const MXCSR: usize = 0x1f80;
const X87: usize = 0x037f;

/// See [`engine::prepare`].
pub(crate) fn prepare(
    stack_size: usize,
    start: Start,
    argument: *mut c_void,
    detached: bool,
) -> Result<&'static Body, c_int> {
    let body = donor::take(stack_size)?;
    body.assign(start, argument, detached);
    // What `exchange` pops: control words, r15 r14 r13 r12 rbx rbp, the return address; then a zero
    // return address, at which backtraces end.
    let entry = begin as extern "C" fn(&'static Body) -> ! as usize;
    let this = std::ptr::from_ref(body) as usize;
    let frame =
        [MXCSR | X87 << 32, 0, 0, entry, this, 0, 0, fiber_base as *const () as usize, 0, 0];
    let stack_pointer = (body.stack_top.get() & !15) - size_of_val(&frame);
    // SAFETY: the donor's kernel thread is gone and nothing else uses its stack; the context is
    // touched by nobody until the first switch.
    unsafe {
        (stack_pointer as *mut [usize; 10]).write(frame);
        *body.context.get() = Context { stack_pointer, fs_base: body.pthread.get() as usize };
    }
    Ok(body)
}

/// Makes the calling kernel thread itself a body that can be switched away from and back to.
pub(crate) fn adopt(body: &'static Body) {
    // SAFETY: always callable; on x86-64 the handle is the thread pointer.
    let fs_base = unsafe { libc::pthread_self() } as usize;
    // SAFETY: nobody switches to the body before it has switched away.
    unsafe { (*body.context.get()).fs_base = fs_base };
}

/// See [`engine::switch`].
#[inline]
pub(crate) fn switch(from: &'static Body, to: &'static Body) {
    // SAFETY: `from` runs here, and `to` was saved by an earlier switch or made by `prepare`. Each
    // context is used by one kernel thread at a time.
    unsafe {
        if has_wrfsbase() {
            exchange(from.context.get(), to.context.get());
        } else {
            exchange_by_syscall(from.context.get(), to.context.get());
        }
    }
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

/// The first code of a fiber.
extern "C" fn begin(body: &'static Body) -> ! {
    engine::enter(body);
    body.live();
    crate::scheduler::turn::end(body);
    std::process::abort()
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

/// The base of every fiber's stack: calls `begin(body)`. The unwinder is told that nothing lies
/// beyond.
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

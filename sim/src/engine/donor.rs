//! Donors: genuine threads whose kernel thread has exited. Fibers use the rest of them.
//!
//! The real `pthread_create` makes a donor, on a stack of this crate. Its start routine notes where
//! the stack begins, tells the kernel to clear a word of this crate (not the C library's) on exit,
//! and exits by the bare system call. The C library still thinks that the thread is alive. Its
//! control block, thread-local storage, stack guard and canary are all in place and genuine, but no
//! kernel thread uses them. A fiber uses them while its simulated thread runs.
//!
//! The stacks do not belong to the C library, because of `fork`: in the child, the C library
//! reclaims the stacks of threads that do not exist there, and would use them again.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use crate::arch;
use crate::engine::thread::{self, SimThread};
use crate::sys;

/// Room for the control block and thread-local storage in addition to the requested stack, in
/// bytes.
const EXTRA: usize = 64 * 1024;
pub(crate) const GUARD: usize = 4096;

/// Idle donors of one stack size, and the number of donors made so far.
struct Pool {
    size: usize,
    idle: Vec<&'static SimThread>,
    made: usize,
}

struct Pools(UnsafeCell<Vec<Pool>>);

// SAFETY: while a simulation runs, only the thread with the turn uses the pools. While there is
// none, only the thread that holds the lock of runs does.
unsafe impl Sync for Pools {}

static POOLS: Pools = Pools(UnsafeCell::new(Vec::new()));

/// The smallest and the largest batch of donors made together. A batch is a quarter of the existing
/// ones, because a process that does one short run must not pay for many that it never uses.
const BATCH_MIN: usize = 4;
const BATCH_MAX: usize = 64;

/// Takes a donor, with fresh thread-local storage. `Err` holds an errno value.
pub(crate) fn take(stack_size: usize) -> Result<&'static SimThread, c_int> {
    // SAFETY: this thread has the turn, or is about to begin the run.
    let pool = unsafe { pool_of(rounded(stack_size)) };
    if let Some(thread) = pool.idle.pop() {
        reset_thread_locals(thread);
        return Ok(thread);
    }
    pool.grow((pool.made / 4).clamp(BATCH_MIN, BATCH_MAX))?;
    pool.idle.pop().ok_or(libc::EAGAIN)
}

/// # Safety
/// Only for the threads named at `Pools`. The reference must no longer be used when the pool is
/// asked for again.
unsafe fn pool_of(size: usize) -> &'static mut Pool {
    // SAFETY: passed on from the caller.
    let pools = unsafe { &mut *POOLS.0.get() };
    let index = pools.iter().position(|pool| pool.size == size).unwrap_or_else(|| {
        pools.push(Pool { size, idle: Vec::new(), made: 0 });
        pools.len() - 1
    });
    &mut pools[index]
}

impl Pool {
    fn grow(&mut self, count: usize) -> Result<(), c_int> {
        let before = self.idle.len();
        create(self.size, count, &mut self.idle)?;
        self.made += self.idle.len() - before;
        Ok(())
    }
}

/// Makes donors ahead of time.
///
/// # Safety
/// The caller holds the lock of runs, and there is no simulation.
pub(crate) unsafe fn make_ready(stack_size: usize, count: usize) {
    // SAFETY: passed on from the caller.
    let pool = unsafe { pool_of(rounded(stack_size)) };
    // A failure is ignored, because it happens again, and is reported, when a thread starts.
    let _ = pool.grow(count);
}

/// Takes a donor back. Its simulated thread has ended, and nothing has a handle to it.
pub(crate) fn give_back(thread: &'static SimThread) {
    let size = thread.stack_size.get();
    // SAFETY: see `Pools`.
    let pools = unsafe { &mut *POOLS.0.get() };
    if let Some(pool) = pools.iter_mut().find(|pool| pool.size == size) {
        pool.idle.push(thread);
    }
}

fn rounded(stack_size: usize) -> usize {
    stack_size.next_multiple_of(64 * 1024).max(64 * 1024)
}

/// Makes `count` donors and waits until their kernel threads have exited. It is an error only if
/// none can be made.
fn create(size: usize, count: usize, into: &mut Vec<&'static SimThread>) -> Result<(), c_int> {
    let mut blocked = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    let first = into.len();
    let mut result = Ok(());
    // SAFETY: plain calls with valid addresses. A signal must not be handled on a donor's kernel
    // thread, so all are blocked while it is started. A thread inherits the mask.
    unsafe {
        libc::sigfillset(blocked.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, blocked.as_ptr(), before.as_mut_ptr());
    }
    for _ in 0..count {
        match start_one(size) {
            Ok(thread) => into.push(thread),
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    // SAFETY: `before` was filled above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    for thread in &into[first..] {
        loop {
            if thread.fiber.kernel_alive.load(Ordering::Acquire) == 0 {
                break;
            }
            // The kernel thread is about to exit. The kernel then wakes waiters on the word, but
            // only those of a shared futex, which other processes could wake as well. So this
            // polls. SAFETY: a call without arguments.
            unsafe { sys::raw(libc::SYS_sched_yield, [0; 6]) };
        }
    }
    if into.len() > first { Ok(()) } else { result }
}

fn start_one(size: usize) -> Result<&'static SimThread, c_int> {
    let whole = GUARD + size + EXTRA;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new private mapping; the guard page is its lowest.
    let base = unsafe { libc::mmap(ptr::null_mut(), whole, rights, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        return Err(libc::EAGAIN);
    }
    let thread = SimThread::leak();
    thread.stack_base.set(base as usize + GUARD);
    thread.stack_size.set(size);
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut pthread = 0;
    // SAFETY: the stack is ours and never unmapped while the thread lives; the thread is never
    // freed.
    let error = unsafe {
        libc::mprotect(base, GUARD, libc::PROT_NONE);
        libc::pthread_attr_init(attributes.as_mut_ptr());
        libc::pthread_attr_setstack(attributes.as_mut_ptr(), base.add(GUARD), whole - GUARD);
        let argument = ptr::from_ref(thread).cast_mut().cast();
        let error =
            sys::real_pthread_create(&mut pthread, attributes.as_ptr(), donor_main, argument);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        error
    };
    if error != 0 {
        // SAFETY: no thread was started on it.
        unsafe { libc::munmap(base, whole) };
        return Err(error);
    }
    thread.pthread.set(pthread);
    Ok(thread)
}

/// The main function of a donor's own kernel thread.
extern "C" fn donor_main(argument: *mut c_void) -> *mut c_void {
    // SAFETY: the argument is the simulated thread, which is never freed.
    let thread: &'static SimThread = unsafe { &*argument.cast::<SimThread>() };
    let marker = 0_usize;
    thread.fiber.stack_top.set(ptr::from_ref(&marker) as usize - 256);
    thread.fiber.thread_pointer.set(arch::thread_pointer());
    thread::enter(thread);
    let word = thread.fiber.kernel_alive.as_ptr() as usize;
    // SAFETY: the kernel clears our word, which is never freed, when this thread no longer uses its
    // stack. Then the thread ends, and the C library does not notice.
    unsafe {
        sys::raw(libc::SYS_set_tid_address, [word, 0, 0, 0, 0, 0]);
        sys::raw(libc::SYS_exit, [0; 6]);
    }
    unreachable!("a kernel thread returned from exit")
}

/// The executable's block of thread-local storage: the initial bytes, and the size of the block,
/// whose rest is zero.
struct Image {
    bytes: &'static [u8],
    size: usize,
    /// From the thread pointer to the start of the block.
    offset: isize,
}

fn image() -> &'static Image {
    static IMAGE: OnceLock<Image> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let mut image = Image { bytes: &[], size: 0, offset: 0 };
        // SAFETY: the callback gets a valid `Image` and does not keep it.
        unsafe { libc::dl_iterate_phdr(Some(read_image), ptr::from_mut(&mut image).cast()) };
        image
    })
}

/// Finds the image ahead of time, outside any simulation.
pub(crate) fn warm_up() {
    image();
}

/// # Safety
/// `data` is an `Image`; the loader answers for `info`.
unsafe extern "C" fn read_image(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    data: *mut c_void,
) -> c_int {
    // SAFETY: both come from `dl_iterate_phdr`, which visits the executable first.
    unsafe {
        let (info, image) = (&*info, &mut *data.cast::<Image>());
        let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into());
        if let Some(tls) = headers.iter().find(|header| header.p_type == libc::PT_TLS) {
            let start = (info.dlpi_addr + tls.p_vaddr) as *const u8;
            image.bytes = std::slice::from_raw_parts(start, tls.p_filesz as usize);
            image.size = tls.p_memsz as usize;
            image.offset = arch::thread_locals_offset(image.size, tls.p_align as usize);
        }
    }
    1
}

/// Resets the executable's thread-locals to their first values. The standard library aborts if it
/// finds those of the donor's previous simulated thread.
fn reset_thread_locals(thread: &SimThread) {
    let image = image();
    let thread_pointer = thread.fiber.thread_pointer.get();
    let block = thread_pointer.wrapping_add_signed(image.offset) as *mut u8;
    // SAFETY: this is the block of a thread that has ended, at the place where the loader put it.
    unsafe {
        ptr::copy_nonoverlapping(image.bytes.as_ptr(), block, image.bytes.len());
        block.add(image.bytes.len()).write_bytes(0, image.size - image.bytes.len());
        *thread::handle_of(thread.pthread.get()) = thread;
    }
}

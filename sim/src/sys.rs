//! Calls that go straight to the kernel, past every hook, and the real functions of libc.
//!
//! The simulation's own work goes through here, so that it is not simulated itself.

use std::ffi::{CStr, c_int, c_long, c_void};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

pub(crate) use crate::arch::syscall as raw;

/// A system call with libc's convention: -1 and `errno` on failure.
///
/// # Safety
/// The arguments must be what the call asks for.
#[inline]
pub(crate) unsafe fn call(number: c_long, args: [usize; 6]) -> c_long {
    // SAFETY: passed on from the caller.
    let result = unsafe { raw(number, args) };
    if (-4095..0).contains(&result) {
        set_errno(-result as c_int);
        return -1;
    }
    result as c_long
}

/// Sets `errno` of the calling thread.
pub(crate) fn set_errno(value: c_int) {
    // SAFETY: libc gives the address of this thread's own errno.
    unsafe { *libc::__errno_location() = value };
}

/// Waits while `word` holds `expected`, for at most `timeout_ns`. It may return early.
pub(crate) fn futex_wait(word: &AtomicU32, expected: u32, timeout_ns: Option<u64>) {
    let time = timeout_ns.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as i64,
        tv_nsec: (ns % 1_000_000_000) as i64,
    });
    let time = time.as_ref().map_or(0, |time| std::ptr::from_ref(time) as usize);
    let op = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: the word and the time outlive the call, which only reads them.
    unsafe { raw(libc::SYS_futex, [word.as_ptr() as usize, op, expected as usize, time, 0, 0]) };
}

/// Wakes up to `count` threads that wait on `word` in the kernel.
pub(crate) fn futex_wake(word: &AtomicU32, count: u32) {
    let op = (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: the kernel uses the address only as a key.
    unsafe { raw(libc::SYS_futex, [word.as_ptr() as usize, op, count as usize, 0, 0, 0]) };
}

/// Sleeps forever. For a thread that must never run again.
pub(crate) fn park_forever() -> ! {
    let word = AtomicU32::new(0);
    loop {
        futex_wait(&word, 0, None);
    }
}

/// The time of a kernel clock, in real ns.
pub(crate) fn real_clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let args = [clock as usize, std::ptr::from_mut(&mut time) as usize, 0, 0, 0, 0];
    // SAFETY: the kernel writes one timespec.
    unsafe { raw(libc::SYS_clock_gettime, args) };
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

/// The kernel's number of the calling kernel thread.
pub(crate) fn real_tid() -> i32 {
    // SAFETY: the call takes no argument and cannot fail.
    unsafe { raw(libc::SYS_gettid, [0; 6]) as i32 }
}

/// A function of libc that one of our hooks replaces, looked up once.
pub(crate) struct Real {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
}

impl Real {
    pub(crate) const fn new(name: &'static CStr) -> Real {
        Real { name, address: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Its address; null if libc has no such function.
    #[inline]
    pub(crate) fn get(&self) -> *mut c_void {
        let known = self.address.load(Ordering::Relaxed);
        if !known.is_null() {
            return known;
        }
        // SAFETY: the name is a C string; the symbol after ours is libc's.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        self.address.store(found, Ordering::Relaxed);
        found
    }
}

/// A thread's start routine, as `pthread_create` takes it.
pub(crate) type Start = extern "C" fn(*mut c_void) -> *mut c_void;

static PTHREAD_CREATE: Real = Real::new(c"pthread_create");
static PTHREAD_JOIN: Real = Real::new(c"pthread_join");
static PTHREAD_DETACH: Real = Real::new(c"pthread_detach");

/// # Safety
/// As for `pthread_create`.
pub(crate) unsafe fn real_pthread_create(
    pthread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    type Function = unsafe extern "C" fn(
        *mut libc::pthread_t,
        *const libc::pthread_attr_t,
        Start,
        *mut c_void,
    ) -> c_int;
    // SAFETY: the address is that of libc's function of this type.
    let real: Function = unsafe { std::mem::transmute(PTHREAD_CREATE.get()) };
    // SAFETY: passed on from the caller.
    unsafe { real(pthread, attributes, start, argument) }
}

/// # Safety
/// As for `pthread_join`.
pub(crate) unsafe fn real_pthread_join(
    pthread: libc::pthread_t,
    result: *mut *mut c_void,
) -> c_int {
    type Function = unsafe extern "C" fn(libc::pthread_t, *mut *mut c_void) -> c_int;
    // SAFETY: the address is that of libc's function of this type.
    let real: Function = unsafe { std::mem::transmute(PTHREAD_JOIN.get()) };
    // SAFETY: passed on from the caller.
    unsafe { real(pthread, result) }
}

/// # Safety
/// As for `pthread_detach`.
pub(crate) unsafe fn real_pthread_detach(pthread: libc::pthread_t) -> c_int {
    type Function = unsafe extern "C" fn(libc::pthread_t) -> c_int;
    // SAFETY: the address is that of libc's function of this type.
    let real: Function = unsafe { std::mem::transmute(PTHREAD_DETACH.get()) };
    // SAFETY: passed on from the caller.
    unsafe { real(pthread) }
}

//! Clocks and sleeps: reading the virtual clock, and waiting for it.
//!
//! Every clock is the virtual one, even the CPU-time clocks. A real clock would make two runs of a
//! seed differ. A read costs a little virtual time, so that a loop that polls ends.
//!
//! Only a read by the standard library is a step, and sometimes a scheduling point. Any other read
//! comes from code that calls libc itself, and that may be an allocator. An allocator reads the
//! clock to decide when to return unused memory, in the middle of any `Box::new`:
//!
//! - jemalloc does so while it holds a lock. If another thread got the turn there and allocated, it
//!   would wait for that lock in the kernel. With fibers that blocks every thread, without end.
//! - How often an allocator reads depends on addresses and on what was allocated before the run. If
//!   each read were a step, one seed would give several traces.
//!
//! So such a read only looks at the clock. It is not a step, and an allocator leaves no mark in a
//! trace. The cost falls on loops that poll a clock without the standard library: time moves for
//! them, and other threads get the turn, only once in `CLOCK_LOOKS_MAX` reads.
//!
//! The standard library is recognised by the address that it calls from, which is learned before
//! the first run. A held lock would not identify an allocator: mimalloc reads without one.

use std::cell::Cell;
use std::ffi::{c_int, c_uint};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use crate::arch;
use crate::engine::thread::{self, SimThread};
use crate::scheduler::thread::State;
use crate::scheduler::turn::{self, with};
use crate::scheduler::{CALL_NS, Next, Scheduler};
use crate::sys::{self, Real};
use crate::trace::Op;

/// The time of CLOCK_MONOTONIC at the start of a run. It is far enough from zero for
/// `Instant - Duration`.
pub(crate) const MONOTONIC_BASE_NS: u64 = 1_000_000_000_000_000;
/// The time of CLOCK_REALTIME at the start of a run: 2025-01-01T00:00:00Z.
pub(crate) const REAL_BASE_NS: u64 = 1_735_689_600_000_000_000;

static CLOCK_GETTIME: Real = Real::new(c"clock_gettime");

pub(crate) fn to_ns(time: &libc::timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

fn base_ns(clock: libc::clockid_t) -> u64 {
    match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI => REAL_BASE_NS,
        libc::CLOCK_PROCESS_CPUTIME_ID | libc::CLOCK_THREAD_CPUTIME_ID => 0,
        _ => MONOTONIC_BASE_NS,
    }
}

/// Jumps to `read`, with the address that the call returns to as a third argument.
///
/// # Safety
/// As for the real function.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn clock_gettime(
    clock: libc::clockid_t,
    time: *mut libc::timespec,
) -> c_int {
    arch::jump_with_return_address!(read);
}

/// # Safety
/// As for `clock_gettime`.
unsafe extern "C" fn read(
    clock: libc::clockid_t,
    time: *mut libc::timespec,
    return_address: usize,
) -> c_int {
    let Some(me) = thread::current() else {
        if LEARNING.get() {
            learn(return_address);
        }
        type Function = unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> c_int;
        // SAFETY: the address is that of libc's function of this type.
        let real: Function = unsafe { std::mem::transmute(CLOCK_GETTIME.get()) };
        // SAFETY: passed on from the caller.
        return unsafe { real(clock, time) };
    };
    let local = if turn::is_inside() {
        LAST_NS.load(Ordering::Relaxed)
    } else if is_std(return_address) {
        take(me, Scheduler::clock_read)
    } else {
        take(me, Scheduler::clock_look)
    };
    LAST_NS.store(local, Ordering::Relaxed);
    let ns = base_ns(clock).saturating_add(local);
    // SAFETY: the caller gives room for one time.
    unsafe {
        (*time).tv_sec = (ns / 1_000_000_000) as i64;
        (*time).tv_nsec = (ns % 1_000_000_000) as i64;
    }
    0
}

#[inline]
fn take(me: &'static SimThread, read: fn(&mut Scheduler) -> Option<Next>) -> u64 {
    let (local, next) = with(|scheduler| {
        let next = read(scheduler);
        (scheduler.local_now(), next)
    });
    let Some(next) = next else { return local };
    turn::go(me, next);
    turn::read(Scheduler::local_now)
}

/// The last time that a simulated thread read. An allocator that the scheduler calls gets it.
static LAST_NS: AtomicU64 = AtomicU64::new(0);

/// Return addresses of the standard library's calls to `clock_gettime`. It has one such call. If
/// the build inlines it there are more, and only those that `learn_std` makes are known.
static STD: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

thread_local! {
    /// Whether the thread reads a clock only to learn the return address.
    static LEARNING: Cell<bool> = const { Cell::new(false) };
}

#[inline]
fn is_std(return_address: usize) -> bool {
    // An entry that is not known yet is 0.
    return_address != 0 && STD.iter().any(|it| it.load(Ordering::Relaxed) == return_address)
}

fn learn(return_address: usize) {
    if !is_std(return_address)
        && let Some(free) = STD.iter().find(|known| known.load(Ordering::Relaxed) == 0)
    {
        free.store(return_address, Ordering::Relaxed);
    }
}

/// Learns the addresses from which the standard library reads clocks. Must be called outside any
/// simulation.
pub(crate) fn learn_std() {
    LEARNING.set(true);
    read_by_std();
    std::hint::black_box(std::time::SystemTime::now());
    LEARNING.set(false);
}

/// Reads a clock through the standard library. This crate does so only here, so that the address is
/// learned even in a build that inlines the read.
#[inline(never)]
pub(crate) fn read_by_std() {
    std::hint::black_box(std::time::Instant::now());
}

/// What the standard library shows when a clock begins. It is no step, since [`read`] lets the
/// scheduler's own reads pass.
pub(crate) fn origin() -> Instant {
    turn::unseen(|| {
        let last = LAST_NS.swap(0, Ordering::Relaxed);
        let origin = Instant::now();
        LAST_NS.store(last, Ordering::Relaxed);
        origin
    })
}

/// Sleeps until the group's clock shows `deadline`.
fn sleep_until(me: &'static SimThread, deadline: u64) {
    turn::block_step(me, Op::Sleep, State::Sleeping, Some(deadline));
}

fn sleep_for(me: &'static SimThread, ns: u64) {
    let deadline = turn::read(Scheduler::local_now).saturating_add(ns);
    sleep_until(me, deadline);
}

/// # Safety
/// As for the real function. Returns the errno value itself.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn clock_nanosleep(
    clock: libc::clockid_t,
    flags: c_int,
    request: *const libc::timespec,
    remaining: *mut libc::timespec,
) -> c_int {
    let Some(me) = turn::caller() else {
        let args = [clock as usize, flags as usize, request as usize, remaining as usize, 0, 0];
        // SAFETY: passed on from the caller.
        return unsafe { sys::raw(libc::SYS_clock_nanosleep, args) }.wrapping_neg() as c_int;
    };
    // SAFETY: the caller gives a time.
    let time = unsafe { &*request };
    if !(0..1_000_000_000).contains(&time.tv_nsec) {
        return libc::EINVAL;
    }
    if flags & libc::TIMER_ABSTIME != 0 {
        sleep_until(me, to_ns(time).saturating_sub(base_ns(clock)));
    } else {
        sleep_for(me, to_ns(time));
    }
    0
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn nanosleep(
    request: *const libc::timespec,
    remaining: *mut libc::timespec,
) -> c_int {
    // SAFETY: passed on from the caller.
    let error = unsafe { clock_nanosleep(libc::CLOCK_REALTIME, 0, request, remaining) };
    if error == 0 {
        return 0;
    }
    sys::set_errno(error);
    -1
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn usleep(us: c_uint) -> c_int {
    let time = libc::timespec {
        tv_sec: (us / 1_000_000).into(),
        tv_nsec: (us % 1_000_000 * 1_000).into(),
    };
    // SAFETY: the time is valid, and the remaining time is not asked for.
    unsafe { nanosleep(&time, std::ptr::null_mut()) }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn sched_yield() -> c_int {
    match turn::caller() {
        Some(me) => turn::point(me, Op::Yield, CALL_NS),
        None => {
            // SAFETY: takes no argument.
            unsafe { sys::raw(libc::SYS_sched_yield, [0; 6]) };
        }
    }
    0
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn gettimeofday(
    time: *mut libc::timeval,
    _zone: *mut libc::c_void,
) -> c_int {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: room for one time; the caller gives room for the other.
    unsafe {
        // The standard library never calls this one.
        read(libc::CLOCK_REALTIME, &mut now, 0);
        (*time).tv_sec = now.tv_sec;
        (*time).tv_usec = now.tv_nsec / 1_000;
    }
    0
}

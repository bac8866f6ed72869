//! `syscall`, through which every lock of Rust's standard library and of `parking_lot` waits on a
//! futex.
//!
//! The real function is variadic, and stable Rust cannot define one. On x86-64 and aarch64 Linux
//! seven fixed integer arguments are the same, because variadic integers are passed in the
//! registers of ordinary ones. Arguments that the caller did not pass hold garbage, so each
//! operation reads only its own.

use std::ffi::{c_int, c_long};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::border::{BORDER, Waiters};
use crate::engine::thread::SimThread;
use crate::hooks::{clock, random, system, threads};
use crate::scheduler::thread::{State, Wake};
use crate::scheduler::turn::{self, with};
use crate::scheduler::{CALL_NS, Scheduler};
use crate::sys;
use crate::trace::Op;

/// The bit set that every waiter matches.
const ANY: u32 = u32::MAX;
/// An outside thread that waits longer than this counts as asleep.
const LONG_NS: u64 = 3_000_000_000;

/// Takes over the futex, `getrandom` and the numbers of threads and processes; passes on all other
/// calls.
///
/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn syscall(
    number: c_long,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> c_long {
    let args = [a, b, c, d, e, f];
    match (number, turn::caller()) {
        // SAFETY: passed on from the caller, as are the others.
        (libc::SYS_futex, me) => unsafe { futex(me, args) },
        // SAFETY: as above.
        (libc::SYS_getrandom, Some(_)) => unsafe {
            random::by_number(a as *mut _, b, c as u32) as c_long
        },
        (libc::SYS_gettid, Some(me)) => c_long::from(threads::simulated_tid(me)),
        (libc::SYS_getpid, Some(_)) => c_long::from(system::getpid()),
        (libc::SYS_getppid, Some(_)) => c_long::from(system::getppid()),
        // SAFETY: as above.
        _ => unsafe { sys::call(number, args) },
    }
}

/// # Safety
/// As for `futex(2)`.
unsafe fn futex(me: Option<&'static SimThread>, args: [usize; 6]) -> c_long {
    let [address, op, value, time, _, bitset] = args;
    let op = op as c_int;
    let command = op & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    let bits = match command {
        libc::FUTEX_WAIT | libc::FUTEX_WAKE => ANY,
        libc::FUTEX_WAIT_BITSET | libc::FUTEX_WAKE_BITSET => bitset as u32,
        // SAFETY: passed on from the caller.
        _ => return unsafe { sys::call(libc::SYS_futex, args) },
    };
    let waits = matches!(command, libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET);
    let Some(me) = me else {
        // SAFETY: passed on from the caller.
        return unsafe { from_outside(waits, args, bits) };
    };
    if turn::read(|scheduler| scheduler.reporter.is_some()) {
        // SAFETY: the caller gives the address of a futex word.
        return unsafe { while_reporting(me, waits, address, value as u32, bits) };
    }
    if waits {
        // SAFETY: the caller gives a null pointer or a time.
        let deadline = unsafe { deadline(op, time as *const libc::timespec) };
        // SAFETY: the caller gives the address of a futex word.
        unsafe { wait(me, address, value as u32, deadline, bits) }
    } else {
        wake(me, address, value as u32, bits)
    }
}

/// A wait of a thread that has the turn only to take its backtrace: the standard library's lock for
/// backtraces is contended. A thread outside that holds it will release it. A thread inside that
/// holds it never does, because it does not get the turn.
///
/// # Safety
/// `address` must be that of a futex word.
unsafe fn while_reporting(
    me: &'static SimThread,
    waits: bool,
    address: usize,
    value: u32,
    bits: u32,
) -> c_long {
    if !waits {
        return c_long::from(wake_all_kinds(address, value, bits));
    }
    if turn::may_wait_for_backtrace() {
        // SAFETY: the caller's promise.
        sys::futex_wait(unsafe { &*(address as *const AtomicU32) }, value, Some(1_000_000));
    } else {
        turn::abandon_backtrace(me);
    }
    0
}

/// The time at which a wait ends, on the group's clock.
///
/// # Safety
/// `time` must be null or point to a time.
unsafe fn deadline(op: c_int, time: *const libc::timespec) -> Option<u64> {
    // SAFETY: the caller's promise.
    let time = clock::to_ns(unsafe { time.as_ref() }?);
    let relative =
        op & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME) == libc::FUTEX_WAIT;
    Some(if relative {
        turn::read(Scheduler::local_now).saturating_add(time)
    } else if op & libc::FUTEX_CLOCK_REALTIME != 0 {
        time.saturating_sub(clock::REAL_BASE_NS)
    } else {
        time.saturating_sub(clock::MONOTONIC_BASE_NS)
    })
}

/// # Safety
/// `address` must be that of a futex word.
unsafe fn wait(
    me: &'static SimThread,
    address: usize,
    expected: u32,
    deadline: Option<u64>,
    bits: u32,
) -> c_long {
    // SAFETY: the caller's promise; every access of a futex word is atomic.
    let word = unsafe { &*(address as *const AtomicU32) };
    let slot = me.slot.get();
    let add = |waiters: &mut Waiters| {
        let waits = word.load(Ordering::SeqCst) == expected;
        if waits {
            waiters.add(address, slot, bits);
        }
        waits
    };
    let waits = turn::unseen(|| BORDER.with(add));
    if !waits {
        turn::point(me, Op::FutexWait, CALL_NS);
        sys::set_errno(libc::EAGAIN);
        return -1;
    }
    match turn::block_step(me, Op::FutexWait, State::Futex { address }, deadline) {
        Wake::TimedOut => {
            sys::set_errno(libc::ETIMEDOUT);
            -1
        }
        Wake::Woken | Wake::Spurious => 0,
    }
}

/// Wakes simulated waiters first, then those in the kernel. Always a scheduling point: without one,
/// a loop that unlocks and locks again would starve the waiter that it has just woken.
fn wake(me: &'static SimThread, address: usize, count: u32, bits: u32) -> c_long {
    let woken = wake_all_kinds(address, count, bits);
    turn::point(me, Op::FutexWake, CALL_NS);
    c_long::from(woken)
}

fn wake_all_kinds(address: usize, count: u32, bits: u32) -> u32 {
    let count = count.min(i32::MAX as u32);
    let mut woken = 0;
    while woken < count {
        // One at a time, so that no list has to be allocated.
        let mut slot = None;
        if BORDER.with(|waiters| waiters.wake(address, 1, bits, |found| slot = Some(found))) == 0 {
            break;
        }
        if let Some(slot) = slot {
            with(|scheduler| scheduler.wake(slot, Wake::Woken));
        }
        woken += 1;
    }
    if woken < count && BORDER.outside_may_wait(address) {
        let op = (libc::FUTEX_WAKE_BITSET | libc::FUTEX_PRIVATE_FLAG) as usize;
        let args = [address, op, (count - woken) as usize, 0, 0, bits as usize];
        // SAFETY: the kernel uses the address only as a key.
        let outside = unsafe { sys::raw(libc::SYS_futex, args) };
        if outside > 0 {
            BORDER.outside_woken(outside as i32);
            woken += outside as u32;
        }
    }
    woken
}

/// A call by a thread outside goes to the kernel, but wakes simulated waiters first.
///
/// # Safety
/// As for `futex(2)`.
unsafe fn from_outside(waits: bool, mut args: [usize; 6], bits: u32) -> c_long {
    let [address, op, value, time, ..] = args;
    if waits {
        // SAFETY: the caller gives a null pointer or a time.
        let time = unsafe { (time as *const libc::timespec).as_ref() }.map(clock::to_ns);
        let relative = op as c_int & !libc::FUTEX_PRIVATE_FLAG == libc::FUTEX_WAIT;
        let long = time.is_none_or(|time| {
            let base = if relative { 0 } else { sys::real_clock_ns(libc::CLOCK_MONOTONIC) };
            time.saturating_sub(base) > LONG_NS
        });
        // SAFETY: passed on from the caller.
        return BORDER.outside_wait(address, long, || unsafe { sys::call(libc::SYS_futex, args) });
    }
    let woken = BORDER.wake_from_outside(address, value as u32, bits);
    if woken >= value as u32 {
        return c_long::from(woken);
    }
    args[2] = (value as u32 - woken) as usize;
    // SAFETY: passed on from the caller.
    let rest = unsafe { sys::call(libc::SYS_futex, args) };
    if rest < 0 {
        return rest;
    }
    BORDER.outside_woken(rest as i32);
    rest + c_long::from(woken)
}

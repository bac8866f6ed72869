//! The border with threads outside the simulation: which threads wait on which address.
//!
//! A simulated thread and an ordinary one can share a lock: that of the standard output, of the
//! test harness, or of the host. So the table of simulated waiters is the only part of the
//! scheduler that other kernel threads use. It has its own lock, which is never held across
//! anything that blocks. No other state needs a lock.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::ffi::c_long;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering, fence};

use crate::sys;

const BUCKETS: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Waiter {
    address: usize,
    slot: u32,
    bitset: u32,
}

/// Simulated waiters by address. Those of one address are in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    buckets: Vec<VecDeque<Waiter>>,
    /// Slots of threads that were woken from outside and that the scheduler has not taken yet.
    woken_outside: Vec<u32>,
}

fn bucket_of(address: usize) -> usize {
    (address >> 2).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56
}

impl Waiters {
    pub(crate) fn clear(&mut self) {
        self.buckets.resize_with(BUCKETS, VecDeque::new);
        self.buckets.iter_mut().for_each(VecDeque::clear);
        self.woken_outside.clear();
    }

    #[inline]
    pub(crate) fn add(&mut self, address: usize, slot: u32, bitset: u32) {
        self.buckets[bucket_of(address)].push_back(Waiter { address, slot, bitset });
    }

    /// Removes a thread. Returns false if it was not in the table.
    pub(crate) fn remove(&mut self, address: usize, slot: u32) -> bool {
        let bucket = &mut self.buckets[bucket_of(address)];
        let found = bucket.iter().position(|waiter| waiter.slot == slot);
        found.is_some_and(|index| bucket.remove(index).is_some())
    }

    /// Wakes up to `count` waiters in order of arrival. Returns the number woken.
    #[inline]
    pub(crate) fn wake(
        &mut self,
        address: usize,
        count: u32,
        bitset: u32,
        mut woken: impl FnMut(u32),
    ) -> u32 {
        let Some(bucket) = self.buckets.get_mut(bucket_of(address)) else { return 0 };
        let (mut done, mut index) = (0, 0);
        while done < count && index < bucket.len() {
            let waiter = bucket[index];
            if waiter.address == address && waiter.bitset & bitset != 0 {
                bucket.remove(index);
                woken(waiter.slot);
                done += 1;
            } else {
                index += 1;
            }
        }
        done
    }
}

/// The table, its lock, and counters by which each side knows about the other.
pub(crate) struct Border {
    lock: AtomicBool,
    waiters: UnsafeCell<Waiters>,
    /// Whether a simulation is running.
    active: AtomicBool,
    /// Set when `woken_outside` is not empty.
    flag: AtomicBool,
    /// The futex word on which an idle simulation sleeps.
    idle: AtomicU32,
    wakes_in: AtomicU64,
    /// The number of outside threads that wait in the kernel, by hash of the address.
    outside: [AtomicU32; BUCKETS],
    /// The number of outside threads that cannot act by themselves for a long time.
    asleep: AtomicI32,
    /// The number of outside threads that were woken but still count as asleep. They can act.
    waking: AtomicI32,
}

// SAFETY: `waiters` is only reached through `with`, which holds the lock.
unsafe impl Sync for Border {}

/// A process has one simulation at a time, and so one border.
pub(crate) static BORDER: Border = Border {
    lock: AtomicBool::new(false),
    waiters: UnsafeCell::new(Waiters { buckets: Vec::new(), woken_outside: Vec::new() }),
    active: AtomicBool::new(false),
    flag: AtomicBool::new(false),
    idle: AtomicU32::new(0),
    wakes_in: AtomicU64::new(0),
    outside: [const { AtomicU32::new(0) }; BUCKETS],
    asleep: AtomicI32::new(0),
    waking: AtomicI32::new(0),
};

impl Border {
    /// Runs `f` on the table under the lock. `f` must neither block nor call `with` again.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut Waiters) -> R) -> R {
        while self
            .lock
            .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            std::hint::spin_loop();
        }
        // SAFETY: the lock is held, and `f` cannot reach the cell another way.
        let result = f(unsafe { &mut *self.waiters.get() });
        self.lock.store(false, Ordering::Release);
        result
    }

    pub(crate) fn open(&self) {
        self.with(Waiters::clear);
        self.flag.store(false, Ordering::Relaxed);
        self.wakes_in.store(0, Ordering::Relaxed);
        self.active.store(true, Ordering::SeqCst);
    }

    /// Forgets all threads but the calling one: a forked child has no others.
    pub(crate) fn forget_threads(&self) {
        self.lock.store(false, Ordering::Relaxed);
        self.asleep.store(0, Ordering::Relaxed);
        self.waking.store(0, Ordering::Relaxed);
        self.outside.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }

    pub(crate) fn close(&self) {
        self.active.store(false, Ordering::SeqCst);
        self.with(Waiters::clear);
    }

    /// A wake by an outside thread. Wakes only simulated waiters. Returns the number woken.
    pub(crate) fn wake_from_outside(&self, address: usize, count: u32, bitset: u32) -> u32 {
        if !self.active.load(Ordering::SeqCst) {
            return 0;
        }
        let woken = self.with(|waiters| {
            let mut slots = std::mem::take(&mut waiters.woken_outside);
            let woken = waiters.wake(address, count, bitset, |slot| slots.push(slot));
            waiters.woken_outside = slots;
            woken
        });
        if woken > 0 {
            self.flag.store(true, Ordering::Release);
            self.wakes_in.fetch_add(u64::from(woken), Ordering::Relaxed);
            self.idle.fetch_add(1, Ordering::Release);
            sys::futex_wake(&self.idle, 1);
        }
        woken
    }

    /// Whether an outside thread woke a simulated one since the last `take_woken`.
    #[inline]
    pub(crate) fn has_woken(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    pub(crate) fn take_woken(&self) -> Vec<u32> {
        self.flag.store(false, Ordering::Relaxed);
        self.with(|waiters| std::mem::take(&mut waiters.woken_outside))
    }

    pub(crate) fn wakes_in(&self) -> u64 {
        self.wakes_in.load(Ordering::Relaxed)
    }

    /// Sleeps until an outside thread wakes a simulated one, or a millisecond has passed.
    pub(crate) fn sleep_idle(&self) {
        let seen = self.idle.load(Ordering::Acquire);
        if !self.has_woken() {
            sys::futex_wait(&self.idle, seen, Some(1_000_000));
        }
    }

    /// Notes that an outside thread waits in the kernel on `address` while `wait` runs. `long`
    /// means that it does not wake by itself soon.
    pub(crate) fn outside_wait(
        &self,
        address: usize,
        long: bool,
        wait: impl FnOnce() -> c_long,
    ) -> c_long {
        let counter = &self.outside[bucket_of(address)];
        counter.fetch_add(1, Ordering::SeqCst);
        let result = if long { self.asleep(wait) } else { wait() };
        if result == 0 {
            // Not earlier: while it counts as asleep, it must also count as waking.
            self.waking.fetch_sub(1, Ordering::SeqCst);
        }
        counter.fetch_sub(1, Ordering::SeqCst);
        result
    }

    /// Notes that the kernel has woken `count` outside threads.
    pub(crate) fn outside_woken(&self, count: i32) {
        self.waking.fetch_add(count, Ordering::SeqCst);
    }

    /// Notes that the calling outside thread cannot act while `wait` runs.
    pub(crate) fn asleep<R>(&self, wait: impl FnOnce() -> R) -> R {
        self.adjust_asleep(1);
        let result = wait();
        self.adjust_asleep(-1);
        result
    }

    /// Counts threads that never act by themselves, such as those left behind by a run.
    pub(crate) fn adjust_asleep(&self, by: i32) {
        self.asleep.fetch_add(by, Ordering::SeqCst);
    }

    /// Whether an outside thread may wait on `address`. The fence orders the caller's change of the
    /// word before the check, so a thread that is counted later sees the change and does not wait.
    #[inline]
    pub(crate) fn outside_may_wait(&self, address: usize) -> bool {
        fence(Ordering::SeqCst);
        self.outside[bucket_of(address)].load(Ordering::SeqCst) != 0
    }

    /// Whether any kernel thread of the process can act, apart from the caller and the threads that
    /// are known to sleep.
    pub(crate) fn outside_may_act(&self) -> bool {
        if self.waking.load(Ordering::SeqCst) > 0 {
            return true;
        }
        let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return false };
        tasks.count() as i64 > i64::from(self.asleep.load(Ordering::SeqCst)) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waiters of one address wake in order of arrival; waiters of other addresses stay.
    #[test]
    fn wakes_in_order_of_arrival() {
        let mut waiters = Waiters::default();
        waiters.clear();
        for (address, slot) in [(0x10, 5), (0x20, 1), (0x10, 3), (0x10, 4)] {
            waiters.add(address, slot, u32::MAX);
        }
        let mut woken = Vec::new();
        assert_eq!(waiters.wake(0x10, 2, u32::MAX, |slot| woken.push(slot)), 2);
        assert_eq!(woken, [5, 3]);
        assert!(waiters.remove(0x20, 1));
        assert!(!waiters.remove(0x20, 1));
        assert_eq!(waiters.wake(0x10, u32::MAX, u32::MAX, |_| ()), 1);
    }
}

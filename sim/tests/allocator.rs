//! An allocator like those of production servers: in the middle of any allocation it reads a clock
//! while it holds its lock, and draws random bytes. A run must be the same as without it.
//!
//! This is the only test of its program, because a program has only one allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use sim::{Engine, Options, Output};

/// The system's allocator, guarded by a lock of the C library, with a clock read and four random
/// bytes for each call.
struct Busy {
    lock: UnsafeCell<libc::pthread_mutex_t>,
}

// SAFETY: only the C library's functions use the lock.
unsafe impl Sync for Busy {}

#[global_allocator]
static ALLOCATOR: Busy = Busy { lock: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER) };

/// Whether the allocator does the extra work.
static BUSY: AtomicBool = AtomicBool::new(false);
static READS: AtomicU64 = AtomicU64::new(0);

impl Busy {
    fn work(&self) {
        if !BUSY.load(Ordering::Relaxed) {
            return;
        }
        let mut time = MaybeUninit::<libc::timespec>::uninit();
        let mut random = 0_u32;
        // SAFETY: the lock is initialised and never moved; there is room for a time and for four
        // bytes.
        unsafe {
            libc::pthread_mutex_lock(self.lock.get());
            libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr());
            let address = std::ptr::from_mut(&mut random);
            libc::syscall(libc::SYS_getrandom, address, 4_usize, libc::GRND_NONBLOCK);
            libc::pthread_mutex_unlock(self.lock.get());
        }
        READS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: all memory is the system allocator's.
unsafe impl GlobalAlloc for Busy {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.work();
        // SAFETY: passed on from the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        self.work();
        // SAFETY: passed on from the caller.
        unsafe { System.dealloc(address, layout) }
    }
}

/// Threads that wait in all ways and allocate between the waits.
fn work() {
    let total = Arc::new((Mutex::new(0_u64), Condvar::new()));
    let (send, receive) = mpsc::channel::<Vec<u64>>();
    let start = |id: u64| {
        let (total, send) = (Arc::clone(&total), send.clone());
        thread::spawn(move || {
            let mut seen = HashMap::new();
            for round in 0..20 {
                let start = Instant::now();
                seen.insert(round, format!("{id} {start:?}"));
                thread::sleep(Duration::from_micros(10 * id));
                *total.0.lock().unwrap() += seen.len() as u64;
                total.1.notify_all();
                send.send(seen.keys().copied().collect()).unwrap();
            }
        })
    };
    let threads: Vec<_> = (0..20).map(start).collect();
    drop(send);
    let counter = thread::spawn(move || receive.iter().map(|keys| keys.len()).sum::<usize>());
    let reached = total.1.wait_while(total.0.lock().unwrap(), |total| *total < 20 * 210);
    drop(reached);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(counter.join().unwrap(), 20 * 210);
}

/// Neither the allocator's calls nor the scheduler's own allocations change a run. A recorded trace
/// makes many allocations.
#[test]
fn an_allocator_is_not_seen_in_a_trace() {
    // Ends the process after a limit of real time. SAFETY: takes only a number of seconds.
    unsafe { libc::alarm(120) };
    for engine in [Engine::Fiber, Engine::Kernel] {
        for seed in 0..3 {
            let run = |busy: bool| {
                let options = Options::new().engine(engine).seed(seed).output(Output::Captured);
                BUSY.store(busy, Ordering::Relaxed);
                let reads = READS.load(Ordering::Relaxed);
                let report = sim::run(options.trace(true), work);
                BUSY.store(false, Ordering::Relaxed);
                assert!(report.finished(), "{report}");
                (report.trace_hash, READS.load(Ordering::Relaxed) - reads)
            };
            let (quiet, busy) = (run(false), run(true));
            assert!(busy.1 > 1_000, "the allocator did not work");
            assert_eq!(quiet.0, busy.0, "seed {seed} on {engine:?}");
        }
    }
}

//! Calls to the C library without the standard library, such as those of C code in the program:
//! thread keys and clock reads.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::check;

const MS: Duration = Duration::from_millis(1);

/// The sum of the values whose destructors ran.
static DESTROYED: AtomicUsize = AtomicUsize::new(0);
/// The number of calls of the destructor that sets its value again.
static AGAIN: AtomicU32 = AtomicU32::new(0);
static STUBBORN: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn add(value: *mut c_void) {
    DESTROYED.fetch_add(value as usize, Ordering::Relaxed);
}

unsafe extern "C" fn set_again(value: *mut c_void) {
    AGAIN.fetch_add(1, Ordering::Relaxed);
    set(STUBBORN.load(Ordering::Relaxed), value as usize);
}

fn new_key(destructor: Option<unsafe extern "C" fn(*mut c_void)>) -> libc::pthread_key_t {
    let mut key = 0;
    // SAFETY: there is room for the key.
    assert_eq!(unsafe { libc::pthread_key_create(&mut key, destructor) }, 0);
    key
}

fn set(key: libc::pthread_key_t, value: usize) {
    // SAFETY: the key exists; values are numbers, never followed.
    assert_eq!(unsafe { libc::pthread_setspecific(key, ptr::without_provenance(value)) }, 0);
}

fn get(key: libc::pthread_key_t) -> usize {
    // SAFETY: the key exists.
    unsafe { libc::pthread_getspecific(key) as usize }
}

/// Each thread has its own values, and they are null at first, even in a simulated thread that is
/// used again. Their destructors run once, before a join returns.
#[test]
fn keys() {
    check("keys", || {
        let (plain, destroyed) = (new_key(None), new_key(Some(add)));
        let before = DESTROYED.load(Ordering::Relaxed);
        for value in 1..=10 {
            thread::spawn(move || {
                assert_eq!((get(plain), get(destroyed)), (0, 0));
                set(plain, 7);
                set(destroyed, value);
                thread::sleep(MS);
                assert_eq!((get(plain), get(destroyed)), (7, value));
            })
            .join()
            .unwrap();
        }
        assert_eq!(DESTROYED.load(Ordering::Relaxed) - before, 55);
        for key in [plain, destroyed] {
            // SAFETY: the key exists, and is not used any more.
            assert_eq!(unsafe { libc::pthread_key_delete(key) }, 0);
        }
    });
}

/// A destructor that sets its value again each time is called four times, as by the C library.
#[test]
fn a_destructor_that_always_sets_its_value() {
    check("stubborn key", || {
        let key = new_key(Some(set_again));
        STUBBORN.store(key, Ordering::Relaxed);
        AGAIN.store(0, Ordering::Relaxed);
        thread::spawn(move || set(key, 1)).join().unwrap();
        assert_eq!(AGAIN.load(Ordering::Relaxed), 4);
        thread::spawn(move || assert_eq!(get(key), 0)).join().unwrap();
        // SAFETY: the key exists, and is not used any more.
        assert_eq!(unsafe { libc::pthread_key_delete(key) }, 0);
    });
}

fn libc_now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: there is room for a time.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Such a read shows virtual time and takes none, because an allocator can make it at any moment.
#[test]
fn a_look_at_a_clock_is_not_a_step() {
    check("looks", || {
        let (start, by_libc) = (Instant::now(), libc_now());
        thread::sleep(Duration::from_secs(1000));
        assert!((libc_now() - by_libc).abs_diff(start.elapsed()) < MS);
        let before = sim::now();
        for _ in 0..1_000 {
            libc_now();
        }
        assert_eq!(sim::now(), before);
    });
}

/// A loop that polls such a clock ends, whether it waits for a time or for other threads.
#[test]
fn polling_by_looks_ends() {
    check("polling by looks", || {
        let start = libc_now();
        while libc_now() - start < 10 * MS {}
        let flag = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&flag);
        let handle = thread::spawn(move || {
            thread::sleep(MS);
            other.store(true, Ordering::Relaxed);
        });
        while !flag.load(Ordering::Relaxed) {
            libc_now();
        }
        handle.join().unwrap();
    });
}

//! Keys of `pthread_key_create`: a simulated thread runs their destructors when it ends.
//!
//! In these destructors C libraries release what they keep for a thread. For example, an allocator
//! releases the thread's cache. Without that, each new thread would cost a cache that is never used
//! again. The C library runs the destructors only when a kernel thread exits, and a fiber never
//! exits. Kernel threads run them here too, so that both engines do the same at the same moment.
//!
//! The values need no table: `pthread_setspecific` keeps them in the control block of the running
//! thread, and a fiber has a genuine one.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of keys that the C library gives out in a process.
const KEYS_MAX: usize = 1024;
/// The number of rounds of destructors, because a destructor can set a value again. The C library
/// has the same limit.
const ROUNDS_MAX: u32 = 4;

/// The state of a key: one of these two, or the address of its destructor.
const UNKNOWN: usize = 0;
const NO_DESTRUCTOR: usize = 1;

static KEYS: [AtomicUsize; KEYS_MAX] = [const { AtomicUsize::new(UNKNOWN) }; KEYS_MAX];
/// One more than the highest key seen.
static KEYS_END: AtomicUsize = AtomicUsize::new(0);

pub(crate) type Destructor = unsafe extern "C" fn(*mut c_void);

/// Notes a new key.
pub(crate) fn add(key: libc::pthread_key_t, destructor: Option<Destructor>) {
    let index = key as usize;
    if let Some(known) = KEYS.get(index) {
        known.store(destructor.map_or(NO_DESTRUCTOR, |f| f as usize), Ordering::Release);
        KEYS_END.fetch_max(index + 1, Ordering::Release);
    }
}

/// Notes that a key is deleted.
pub(crate) fn remove(key: libc::pthread_key_t) {
    if let Some(known) = KEYS.get(key as usize) {
        known.store(UNKNOWN, Ordering::Release);
    }
}

/// Forgets the calling thread's values, which earlier simulated threads left in its control block.
pub(crate) fn forget_values() {
    for_each_value(|_, _| ());
}

/// Runs the destructors for the values of the calling thread, which is about to end. Values that
/// remain after the last round are forgotten. Otherwise the C library would run their destructors
/// again at the exit of the kernel thread.
pub(crate) fn run_destructors() {
    for _ in 0..ROUNDS_MAX {
        let mut ran = false;
        for_each_value(|known, value| {
            if known != NO_DESTRUCTOR {
                // SAFETY: `known` is the address of a function of this type, and the key lives.
                let destructor: Destructor = unsafe { std::mem::transmute(known) };
                // SAFETY: registered for the values of this key.
                unsafe { destructor(value) };
                ran = true;
            }
        });
        if !ran {
            return;
        }
    }
    forget_values();
}

/// Sets every value of the calling thread to null, and calls `f` with the old value.
fn for_each_value(mut f: impl FnMut(usize, *mut c_void)) {
    for (key, known) in KEYS[..KEYS_END.load(Ordering::Acquire)].iter().enumerate() {
        let known = known.load(Ordering::Acquire);
        if known == UNKNOWN {
            continue;
        }
        let key = key as libc::pthread_key_t;
        // SAFETY: the key exists; a deleted one would give an error or null.
        let value = unsafe { libc::pthread_getspecific(key) };
        if !value.is_null() {
            // SAFETY: as above.
            unsafe { libc::pthread_setspecific(key, ptr::null()) };
            f(known, value);
        }
    }
}

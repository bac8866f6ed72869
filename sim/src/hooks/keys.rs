//! Keys of `pthread_key_create`: a simulated thread runs their destructors when it ends.
//!
//! C libraries release what they keep for a thread there. An allocator does: it returns the
//! thread's cache, and without that each new thread would cost a cache that is never used again.
//! The C library runs these destructors only when a kernel thread exits, which a fiber never does.
//! Kernel threads run them here too, so that both engines do the same at the same moment.
//!
//! The values need no hook: `pthread_setspecific` keeps them in the block of the thread that runs,
//! and a fiber has a genuine one.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sys::Real;

static KEY_CREATE: Real = Real::new(c"pthread_key_create");
static KEY_DELETE: Real = Real::new(c"pthread_key_delete");

/// Keys of a process. The C library gives out no more, and no higher numbers.
const KEYS_MAX: usize = 1024;
/// Rounds of destructors: one may set a value again. As many as the C library's.
const ROUNDS_MAX: u32 = 4;

/// What is known of a key: one of these two, or the address of its destructor.
const UNKNOWN: usize = 0;
const NO_DESTRUCTOR: usize = 1;

static KEYS: [AtomicUsize; KEYS_MAX] = [const { AtomicUsize::new(UNKNOWN) }; KEYS_MAX];
/// One more than the highest key seen.
static KEYS_END: AtomicUsize = AtomicUsize::new(0);

type Destructor = unsafe extern "C" fn(*mut c_void);

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_key_create(
    key: *mut libc::pthread_key_t,
    destructor: Option<Destructor>,
) -> c_int {
    type Function = unsafe extern "C" fn(*mut libc::pthread_key_t, Option<Destructor>) -> c_int;
    // SAFETY: the address is that of libc's function of this type.
    let real: Function = unsafe { std::mem::transmute(KEY_CREATE.get()) };
    // SAFETY: passed on from the caller.
    let error = unsafe { real(key, destructor) };
    if error == 0 {
        // SAFETY: the caller gives room for the key, which was written above.
        let index = unsafe { *key } as usize;
        if let Some(known) = KEYS.get(index) {
            known.store(destructor.map_or(NO_DESTRUCTOR, |f| f as usize), Ordering::Release);
            KEYS_END.fetch_max(index + 1, Ordering::Release);
        }
    }
    error
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_key_delete(key: libc::pthread_key_t) -> c_int {
    if let Some(known) = KEYS.get(key as usize) {
        known.store(UNKNOWN, Ordering::Release);
    }
    type Function = unsafe extern "C" fn(libc::pthread_key_t) -> c_int;
    // SAFETY: the address is that of libc's function of this type.
    let real: Function = unsafe { std::mem::transmute(KEY_DELETE.get()) };
    // SAFETY: passed on from the caller.
    unsafe { real(key) }
}

/// Forgets the values of the calling thread: those of the thread that lived in its body before.
pub(crate) fn forget_values() {
    for_each_value(|_, _| ());
}

/// Runs the destructors for the values of the calling thread, which is about to end. What is left
/// after the last round is forgotten, or a kernel thread would begin anew at its exit.
pub(crate) fn run_destructors() {
    for _ in 0..ROUNDS_MAX {
        let mut ran = false;
        for_each_value(|known, value| {
            if known != NO_DESTRUCTOR {
                // SAFETY: `known` is the address of a function of this type, and the key lives.
                let destructor: Destructor = unsafe { std::mem::transmute(known) };
                // SAFETY: registered for values of this key, by whoever has set this one.
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

/// Sets every value of the calling thread to null, and gives what it was to `f`.
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

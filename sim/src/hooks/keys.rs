//! `pthread_key_create` and `pthread_key_delete`: noted, so that a simulated thread can run the
//! destructors when it ends (see `engine::keys`).

use std::ffi::c_int;

use crate::engine::keys::{self, Destructor};
use crate::sys::Real;

static KEY_CREATE: Real = Real::new(c"pthread_key_create");
static KEY_DELETE: Real = Real::new(c"pthread_key_delete");

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
        keys::add(unsafe { *key }, destructor);
    }
    error
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pthread_key_delete(key: libc::pthread_key_t) -> c_int {
    keys::remove(key);
    type Function = unsafe extern "C" fn(libc::pthread_key_t) -> c_int;
    // SAFETY: the address is that of libc's function of this type.
    let real: Function = unsafe { std::mem::transmute(KEY_DELETE.get()) };
    // SAFETY: passed on from the caller.
    unsafe { real(key) }
}

//! The functions of libc that a simulation takes over.
//!
//! Each is defined under libc's own name. For all code that is linked into the executable, Rust or
//! C, the linker prefers this definition to the one of the shared library. Called from a simulated
//! thread, a hook is a scheduling point, unless the caller can be an allocator (see `clock`).
//! Called from any other thread, it passes the call on. A hook never panics, holds no lock while it
//! switches, and allocates nothing on frequent paths.

pub(crate) mod futex;
pub(crate) mod clock;
pub(crate) mod threads;
pub(crate) mod keys;
pub(crate) mod random;
pub(crate) mod output;
pub(crate) mod system;
pub(crate) mod edges;

/// The names of the hooks that this executable does not call.
///
/// Naming them here also makes every run refer to every hook, so that the linker cannot leave one
/// out.
pub(crate) fn missing() -> Vec<&'static str> {
    let pairs: [(&str, *const (), *const ()); 13] = [
        ("syscall", libc::syscall as *const (), futex::syscall as *const ()),
        ("clock_gettime", libc::clock_gettime as *const (), clock::clock_gettime as *const ()),
        (
            "clock_nanosleep",
            libc::clock_nanosleep as *const (),
            clock::clock_nanosleep as *const (),
        ),
        ("nanosleep", libc::nanosleep as *const (), clock::nanosleep as *const ()),
        ("usleep", libc::usleep as *const (), clock::usleep as *const ()),
        ("sched_yield", libc::sched_yield as *const (), clock::sched_yield as *const ()),
        ("pthread_create", libc::pthread_create as *const (), threads::pthread_create as *const ()),
        ("pthread_join", libc::pthread_join as *const (), threads::pthread_join as *const ()),
        ("pthread_detach", libc::pthread_detach as *const (), threads::pthread_detach as *const ()),
        ("sigaltstack", libc::sigaltstack as *const (), threads::sigaltstack as *const ()),
        ("getrandom", libc::getrandom as *const (), random::getrandom as *const ()),
        ("write", libc::write as *const (), output::write as *const ()),
        ("writev", libc::writev as *const (), output::writev as *const ()),
    ];
    std::hint::black_box([
        threads::__cxa_thread_atexit_impl as *const (),
        threads::pthread_setname_np as *const (),
        threads::pthread_getattr_np as *const (),
        threads::gettid as *const (),
        system::getpid as *const (),
        system::getppid as *const (),
        system::sched_getaffinity as *const (),
        system::fstat64 as *const (),
        system::statx as *const (),
        system::readlink as *const (),
        system::open64 as *const (),
        keys::pthread_key_create as *const (),
        keys::pthread_key_delete as *const (),
        edges::__sanitizer_cov_trace_pc_guard as *const (),
        edges::__sanitizer_cov_trace_pc_guard_init as *const (),
    ]);
    let differ = |(_, bound, ours): &(&str, *const (), *const ())| bound != ours;
    pairs.into_iter().filter(differ).map(|(name, ..)| name).collect()
}

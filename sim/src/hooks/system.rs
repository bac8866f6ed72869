//! Questions of a program about itself and the computer: a simulated thread gets the same answers
//! in every run, on every computer.
//!
//! Real answers (process number, parent, number of processors) would make two runs of one seed
//! differ. Questions about open files go to the kernel by descriptor only. So a process that can no
//! longer open files can still read the names of functions for a backtrace.

use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::IntoRawFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::frames;
use crate::scheduler::turn;
use crate::sys;

/// The process number, as in a separate process namespace. The first thread has the same number.
const PROCESS: libc::pid_t = 1;
/// The parent of such a process is outside the namespace.
const PARENT: libc::pid_t = 0;
/// The system's name for the running program.
const PROGRAM_LINK: &CStr = c"/proc/self/exe";

/// The path of the running program, if it is known.
static PROGRAM: OnceLock<Option<CString>> = OnceLock::new();

/// A descriptor of the program's file, for a process that cannot open it by its name; otherwise
/// negative.
static PROGRAM_FILE: AtomicI32 = AtomicI32::new(-1);

/// From now on reads the names of functions, for [`ThreadInfo::frames`](crate::ThreadInfo::frames),
/// from this file. It is for a process that can no longer open files. Then only functions of the
/// program itself have names.
pub fn read_names_from(program: File) {
    PROGRAM_FILE.store(program.into_raw_fd(), Ordering::Relaxed);
}

/// Reads the facts that the process cannot ask for later.
pub(crate) fn warm_up() {
    PROGRAM.get_or_init(|| CString::new(std::env::current_exe().ok()?.as_os_str().as_bytes()).ok());
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn getpid() -> libc::pid_t {
    if turn::caller().is_some() {
        return PROCESS;
    }
    // SAFETY: the call takes no argument and cannot fail.
    unsafe { sys::raw(libc::SYS_getpid, [0; 6]) as libc::pid_t }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn getppid() -> libc::pid_t {
    if turn::caller().is_some() {
        return PARENT;
    }
    // SAFETY: the call takes no argument and cannot fail.
    unsafe { sys::raw(libc::SYS_getppid, [0; 6]) as libc::pid_t }
}

/// A simulated thread sees one processor.
///
/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sched_getaffinity(
    thread: libc::pid_t,
    size: usize,
    set: *mut libc::cpu_set_t,
) -> c_int {
    // SAFETY: the caller gives room for `size` bytes.
    unsafe {
        set.cast::<u8>().write_bytes(0, size);
        if turn::caller().is_some() && size > 0 {
            set.cast::<u8>().write(1);
            return 0;
        }
        let args = [thread as usize, size, set as usize, 0, 0, 0];
        // The kernel returns how much it has written; the C library returns 0.
        sys::call(libc::SYS_sched_getaffinity, args).min(0) as c_int
    }
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn fstat64(fd: c_int, stat: *mut libc::stat64) -> c_int {
    // SAFETY: passed on from the caller; on 64 bits the kernel and the C library use one layout.
    unsafe { sys::call(libc::SYS_fstat, [fd as usize, stat as usize, 0, 0, 0, 0]) as c_int }
}

/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn statx(
    folder: c_int,
    path: *const c_char,
    flags: c_int,
    mask: c_uint,
    result: *mut libc::statx,
) -> c_int {
    // SAFETY: the caller gives a null pointer or a C string.
    let is_by_descriptor =
        flags & libc::AT_EMPTY_PATH != 0 && !path.is_null() && unsafe { *path == 0 };
    // With a negative descriptor an empty path means the current folder.
    if !is_by_descriptor || folder < 0 {
        let args =
            [folder as usize, path as usize, flags as usize, mask as usize, result as usize, 0];
        // SAFETY: passed on from the caller.
        return unsafe { sys::call(libc::SYS_statx, args) as c_int };
    }
    let mut stat = MaybeUninit::<libc::stat64>::uninit();
    // SAFETY: there is room for the answer, which is filled if the call succeeds; the caller gives
    // room for the result.
    unsafe {
        if fstat64(folder, stat.as_mut_ptr()) != 0 {
            return -1;
        }
        result.write(converted(stat.assume_init_ref()));
    }
    0
}

/// The basic fields. The kernel was asked for no others.
fn converted(stat: &libc::stat64) -> libc::statx {
    // SAFETY: plain numbers, for which zero is valid.
    let mut result: libc::statx = unsafe { std::mem::zeroed() };
    result.stx_mask = libc::STATX_BASIC_STATS;
    result.stx_blksize = stat.st_blksize as u32;
    result.stx_nlink = stat.st_nlink as u32;
    result.stx_uid = stat.st_uid;
    result.stx_gid = stat.st_gid;
    result.stx_mode = stat.st_mode as u16;
    result.stx_ino = stat.st_ino;
    result.stx_size = stat.st_size as u64;
    result.stx_blocks = stat.st_blocks as u64;
    let at = |seconds, nanoseconds: i64| {
        let mut time = result.stx_atime;
        (time.tv_sec, time.tv_nsec) = (seconds, nanoseconds as u32);
        time
    };
    let accessed = at(stat.st_atime, stat.st_atime_nsec);
    let modified = at(stat.st_mtime, stat.st_mtime_nsec);
    let changed = at(stat.st_ctime, stat.st_ctime_nsec);
    (result.stx_atime, result.stx_mtime, result.stx_ctime) = (accessed, modified, changed);
    (result.stx_dev_major, result.stx_dev_minor) =
        (libc::major(stat.st_dev), libc::minor(stat.st_dev));
    (result.stx_rdev_major, result.stx_rdev_minor) =
        (libc::major(stat.st_rdev), libc::minor(stat.st_rdev));
    result
}

/// A thread that reads the names of functions gets the program's path without a system call.
///
/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn readlink(
    path: *const c_char,
    buffer: *mut c_char,
    size: usize,
) -> isize {
    if frames::is_reading_names()
        // SAFETY: the caller gives a C string.
        && unsafe { CStr::from_ptr(path) } == PROGRAM_LINK
        && let Some(Some(program)) = PROGRAM.get()
    {
        let bytes = program.to_bytes();
        let length = bytes.len().min(size);
        // SAFETY: the caller gives room for `size` bytes.
        unsafe { buffer.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), length) };
        return length as isize;
    }
    let args = [libc::AT_FDCWD as usize, path as usize, buffer as usize, size, 0, 0];
    // SAFETY: passed on from the caller.
    unsafe { sys::call(libc::SYS_readlinkat, args) as isize }
}

/// Like `syscall`, the real function is variadic. The mode is only read when a file is created.
///
/// # Safety
/// As for the real function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let program = PROGRAM_FILE.load(Ordering::Relaxed);
    if program >= 0
        && frames::is_reading_names()
        && let Some(Some(name)) = PROGRAM.get()
        // SAFETY: the caller gives a C string.
        && unsafe { CStr::from_ptr(path) } == &**name
    {
        // SAFETY: the descriptor is never closed.
        return unsafe { libc::fcntl(program, libc::F_DUPFD_CLOEXEC, 3) };
    }
    let args = [libc::AT_FDCWD as usize, path as usize, flags as usize, mode as usize, 0, 0];
    // SAFETY: passed on from the caller.
    unsafe { sys::call(libc::SYS_openat, args) as c_int }
}

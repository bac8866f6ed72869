//! Attacks that native code could try in a peer's process, one for each line of the saved state.
//!
//! It is a peer's program as in a grading, except that it uses `unsafe`. Because of a fault of the
//! compiler, safe code of a submission could do the same. Like the other attackers, it is no member
//! of the workspace.

use std::ffi::CString;
use std::io::{Error, ErrorKind};
use std::process;
use std::sync::Arc;

use raftapi::{PeerContext, RaftPeer};
use libc::{c_int, c_long, c_void};

fn main() {
    peer::main(attack)
}

/// A peer's `make`: makes the attacks in the saved state, prints the results, and exits.
fn attack(context: PeerContext) -> Arc<dyn RaftPeer> {
    let saved = String::from_utf8(context.persister.read_raft_state()).expect("words");
    for line in saved.lines() {
        let (attack, sibling) = line.split_once(" @ ").unwrap_or((line, "0"));
        let sibling = sibling.parse().expect("a number");
        println!("{attack}: {}", obey(attack, sibling));
    }
    process::exit(0)
}

fn told(result: c_long) -> String {
    if result >= 0 {
        return "SUCCEEDED".into();
    }
    let error = Error::from_raw_os_error(-result as i32);
    match error.kind() {
        ErrorKind::PermissionDenied => "refused".into(),
        _ if error.raw_os_error() == Some(libc::ENOSYS) => "unknown".into(),
        _ => error.to_string(),
    }
}

/// Makes a system call directly, because the simulation replaces the C library's functions.
unsafe fn raw(number: c_long, arguments: &[c_long]) -> c_long {
    let at = |n: usize| arguments.get(n).copied().unwrap_or(0);
    let result;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller answers for the arguments.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") at(0), in("rsi") at(1), in("rdx") at(2),
            in("r10") at(3), in("r8") at(4), in("r9") at(5),
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the caller answers for the arguments.
    unsafe {
        std::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") at(0) => result,
            in("x1") at(1), in("x2") at(2), in("x3") at(3), in("x4") at(4), in("x5") at(5),
            options(nostack),
        );
    }
    result
}

/// A system call with up to six arguments.
macro_rules! call {
    ($number:expr $(, $argument:expr)*) => {
        // SAFETY: this is an attack. The kernel writes only to memory that is allocated.
        told(unsafe { raw($number as c_long, &[$($argument as c_long),*]) })
    };
}

fn path(text: impl Into<Vec<u8>>) -> CString {
    CString::new(text).expect("no zero")
}

fn open(name: &str, flags: c_int) -> String {
    let name = path(name);
    call!(libc::SYS_openat, libc::AT_FDCWD, name.as_ptr(), flags, 0o600)
}

/// Opens each of the files for reading and for writing. Returns `refused` if all attempts are
/// refused.
fn open_each(names: impl IntoIterator<Item = String>) -> String {
    for name in names {
        for flags in [libc::O_RDONLY, libc::O_WRONLY, libc::O_RDWR, libc::O_PATH] {
            let outcome = open(&name, flags | libc::O_NONBLOCK);
            if outcome != "refused" {
                return format!("{name} with flags {flags}: {outcome}");
            }
        }
    }
    "refused".into()
}

/// Memory for everything that the kernel writes.
fn room() -> *mut c_void {
    Box::leak(Box::new([0_u64; 512])).as_mut_ptr().cast()
}

fn in_proc(process: c_long) -> String {
    let names = [
        "",
        "/stat",
        "/status",
        "/maps",
        "/mem",
        "/environ",
        "/cmdline",
        "/exe",
        "/root",
        "/cwd",
        "/fd",
        "/fd/0",
        "/fd/3",
        "/fdinfo",
        "/task",
        "/schedstat",
        "/comm",
        "/io",
    ];
    open_each(names.map(|name| format!("/proc/{process}{name}")))
}

fn obey(attack: &str, sibling: c_long) -> String {
    // SAFETY: these calls have no arguments and cannot fail.
    let (me, parent) = unsafe { (raw(libc::SYS_getpid, &[]), raw(libc::SYS_getppid, &[])) };
    // A word in a page of the program's own file.
    let code = main as fn() as usize & !3;
    match attack {
        "do nothing" => "done".into(),
        // Its descriptors.
        "descriptors" => descriptors(),
        // Files.
        "open its descriptors" => {
            let names =
                (0..64).flat_map(|n| [format!("/proc/self/fd/{n}"), format!("/dev/fd/{n}")]);
            open_each(names)
        }
        "open its own files in /proc" => in_proc(me),
        "open a sibling's files in /proc" => in_proc(sibling),
        "open the grader's files in /proc" => in_proc(parent),
        "open what all may read" => open_each(
            [
                "/etc/passwd",
                "/proc/loadavg",
                "/proc/stat",
                "/proc",
                "/proc/self/maps",
                "/proc/meminfo",
                "/sys",
                "/tmp",
                "/dev/shm",
                "/dev/null",
            ]
            .map(Into::into),
        ),
        "make a file" => {
            let made = open("/tmp/inside", libc::O_CREAT | libc::O_RDWR);
            if made != "refused" {
                made
            } else {
                open("/dev/shm/inside", libc::O_CREAT | libc::O_RDWR)
            }
        }
        "stat a file" => {
            call!(libc::SYS_newfstatat, libc::AT_FDCWD, path("/etc/passwd").as_ptr(), room(), 0)
        }
        "stat a sibling's threads" => {
            let name = path(format!("/proc/{sibling}/task"));
            call!(libc::SYS_newfstatat, libc::AT_FDCWD, name.as_ptr(), room(), 0)
        }
        "stat a file by statx" => {
            call!(libc::SYS_statx, libc::AT_FDCWD, path("/etc").as_ptr(), 0, 0xfff, room())
        }
        "ask for access" => call!(libc::SYS_faccessat, libc::AT_FDCWD, path("/etc").as_ptr(), 0),
        "read a link" => {
            call!(libc::SYS_readlinkat, libc::AT_FDCWD, path("/proc/self").as_ptr(), room(), 100)
        }
        "ask for its folder" => call!(libc::SYS_getcwd, room(), 100),
        "change its folder" => call!(libc::SYS_chdir, path("/tmp").as_ptr()),
        "list a descriptor" => call!(libc::SYS_getdents64, 0, room(), 4096),
        "lock a descriptor" => call!(libc::SYS_flock, 1, libc::LOCK_EX),
        "lock a descriptor's bytes" => call!(libc::SYS_fcntl, 1, libc::F_OFD_SETLK, room()),
        "change a pipe's size" => call!(libc::SYS_fcntl, 1, libc::F_SETPIPE_SZ, 4096),
        "change a pipe's mode" => call!(libc::SYS_fchmod, 1, 0o666),
        "want signals of a pipe" => call!(libc::SYS_fcntl, 0, libc::F_SETOWN, sibling),
        "watch a folder" => call!(libc::SYS_inotify_init1, 0),
        // Objects that two processes could share.
        "make a pipe" => call!(libc::SYS_pipe2, room(), 0),
        "make an event" => call!(libc::SYS_eventfd2, 0, 0),
        "make a timer" => call!(libc::SYS_timerfd_create, 1, 0),
        "make a socket" => call!(libc::SYS_socket, libc::AF_UNIX, libc::SOCK_STREAM, 0),
        "make two sockets" => {
            call!(libc::SYS_socketpair, libc::AF_UNIX, libc::SOCK_STREAM, 0, room())
        }
        "make a file in memory" => call!(libc::SYS_memfd_create, path("x").as_ptr(), 0),
        "make secret memory" => call!(libc::SYS_memfd_secret, 0),
        "share memory" => map(libc::MAP_SHARED | libc::MAP_ANONYMOUS),
        "share memory, validated" => map(libc::MAP_SHARED_VALIDATE | libc::MAP_ANONYMOUS),
        "share memory of System V" => call!(libc::SYS_shmget, 4711, 4096, 0o1666),
        "share a semaphore" => call!(libc::SYS_semget, 4711, 1, 0o1666),
        "share a queue" => call!(libc::SYS_msgget, 4711, 0o1666),
        "share a queue of POSIX" => {
            call!(libc::SYS_mq_open, path("x").as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o666, 0)
        }
        "wake at a word of the program" => call!(libc::SYS_futex, code, libc::FUTEX_WAKE, 1),
        "wake some at a word of the program" => {
            call!(libc::SYS_futex, code, libc::FUTEX_WAKE_BITSET, 1, 0, 0, -1)
        }
        "move those who wait at a word" => {
            call!(libc::SYS_futex, code, libc::FUTEX_CMP_REQUEUE, 1, 1, code + 4, 0)
        }
        "wait at a word of the program" => call!(libc::SYS_futex, code, libc::FUTEX_WAIT, 0),
        "lock a word with the number of a thread" => {
            let word = room().cast::<u32>();
            // SAFETY: the memory is large enough.
            unsafe { word.write(sibling as u32) };
            call!(libc::SYS_futex, word, libc::FUTEX_TRYLOCK_PI | libc::FUTEX_PRIVATE_FLAG, 0)
        }
        // Other processes.
        "time of a sibling" => call!(libc::SYS_clock_gettime, !sibling << 3 | 2, room()),
        "processors of a sibling" => call!(libc::SYS_sched_getaffinity, sibling, 128, room()),
        "session of a sibling" => call!(libc::SYS_getsid, sibling),
        "group of a sibling" => call!(libc::SYS_getpgid, sibling),
        "locks of a sibling" => call!(libc::SYS_get_robust_list, sibling, room(), room()),
        "priority of a sibling" => call!(libc::SYS_getpriority, 0, sibling),
        "policy of a sibling" => call!(libc::SYS_sched_getscheduler, sibling),
        "limits of a sibling" => call!(libc::SYS_prlimit64, sibling, 7, 0, room()),
        "pages of a sibling" => call!(libc::SYS_move_pages, sibling, 0, 0, 0, 0, 0),
        "load of the machine" => call!(libc::SYS_sysinfo, room()),
        "yield priority" => call!(libc::SYS_setpriority, 0, 0, 5),
        "be looked into" => call!(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 1),
        "be traced" => call!(libc::SYS_prctl, libc::PR_SET_PTRACER, -1),
        "outlive the grader" => call!(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, 0),
        "begin a session" => call!(libc::SYS_setsid),
        "copy itself" => call!(libc::SYS_clone, libc::CLONE_PARENT | libc::SIGCHLD, 0, 0, 0, 0),
        "fork" => call!(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0),
        "begin by clone3" => call!(libc::SYS_clone3, room(), 88),
        "execute" => call!(libc::SYS_execve, path("/bin/true").as_ptr(), 0, 0),
        "receive a descriptor" => call!(libc::SYS_recvmsg, 0, room(), 0),
        "send a descriptor" => call!(libc::SYS_sendmsg, 1, room(), 0),
        "raise a limit" => call!(libc::SYS_prlimit64, 0, 7, room(), 0),
        // Attacks that end the process.
        "kill" => call!(libc::SYS_kill, sibling, 9),
        "see whether it is there" => call!(libc::SYS_kill, sibling, 0),
        "kill the grader" => call!(libc::SYS_kill, parent, 9),
        "kill itself" => call!(libc::SYS_kill, me, 9),
        "kill everybody" => call!(libc::SYS_kill, -1, 9),
        "kill a thread" => call!(libc::SYS_tkill, sibling, 9),
        "kill a thread of a process" => call!(libc::SYS_tgkill, sibling, sibling, 9),
        "queue a signal" => call!(libc::SYS_rt_sigqueueinfo, sibling, 9, room()),
        "open a process" => call!(libc::SYS_pidfd_open, sibling, 0),
        "trace" => call!(libc::SYS_ptrace, 16, sibling, 0, 0),
        "read another's memory" => {
            call!(libc::SYS_process_vm_readv, sibling, room(), 1, room(), 1, 0)
        }
        "write another's memory" => {
            call!(libc::SYS_process_vm_writev, sibling, room(), 1, room(), 1, 0)
        }
        "compare with another" => call!(libc::SYS_kcmp, me, sibling, 0, 0, 0),
        "io_uring" => call!(libc::SYS_io_uring_setup, 1, room()),
        "userfaultfd" => call!(libc::SYS_userfaultfd, 0),
        "bpf" => call!(libc::SYS_bpf, 0, room(), 8),
        "add a key" => {
            call!(libc::SYS_add_key, path("user").as_ptr(), path("x").as_ptr(), room(), 4, -4)
        }
        "use keys" => call!(libc::SYS_keyctl, 0, -4, 0),
        "count events" => call!(libc::SYS_perf_event_open, room(), 0, -1, -1, 0),
        "unshare" => call!(libc::SYS_unshare, libc::CLONE_NEWUSER),
        "mount" => call!(libc::SYS_mount, 0, 0, 0, 0, 0),
        "open by a handle" => call!(libc::SYS_open_by_handle_at, -1, room(), 0),
        "have other addresses" => call!(libc::SYS_personality, 0),
        "filter more" => call!(libc::SYS_seccomp, 1, 0, room()),
        unknown => panic!("no attack is called {unknown}"),
    }
}

fn map(flags: c_int) -> String {
    call!(libc::SYS_mmap, 0, 4096, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
}

/// The kind of each descriptor, and the kernel's number of each pipe.
fn descriptors() -> String {
    let mut all = Vec::new();
    for descriptor in 0..1024 {
        // SAFETY: all zeros are a valid value, and the kernel overwrites it.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        if unsafe { raw(libc::SYS_fstat, &[descriptor, &raw mut stat as c_long]) } == 0 {
            let is_pipe = stat.st_mode & libc::S_IFMT == libc::S_IFIFO;
            // The only file is the program, which all copies have.
            all.push(if is_pipe { format!("pipe {}", stat.st_ino) } else { "a file".into() });
        }
    }
    all.join(", ")
}

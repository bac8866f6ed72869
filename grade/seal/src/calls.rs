//! The lists of system calls, by the answer that they get.

use libc::*;

/// The calls that a peer can make with any arguments: for memory, threads and waiting, time, its
/// descriptors, and facts about itself.
///
/// None of them makes an object that two processes could share, or asks about another process.
/// Numbers that the kernel counts for all processes are still visible, such as the number of the
/// next thread.
pub(crate) const PEER: &[c_long] = &[
    // Memory. For `mmap` see the conditions.
    SYS_brk,
    SYS_madvise,
    SYS_membarrier,
    SYS_mprotect,
    SYS_mremap,
    SYS_munmap,
    // Threads, and waiting. For `futex` see the conditions.
    SYS_exit,
    SYS_exit_group,
    SYS_ppoll,
    SYS_restart_syscall,
    SYS_rseq,
    SYS_sched_getaffinity,
    SYS_sched_yield,
    SYS_set_robust_list,
    SYS_set_tid_address,
    // Signals to its own threads; see SIGNALS for sending.
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    // Time and random numbers. For the clocks see the conditions.
    SYS_getrandom,
    SYS_gettimeofday,
    SYS_nanosleep,
    // Descriptors.
    SYS_close,
    SYS_close_range,
    SYS_dup,
    SYS_dup3,
    SYS_fstat,
    SYS_lseek,
    SYS_pread64,
    SYS_pwrite64,
    SYS_read,
    SYS_readv,
    SYS_write,
    SYS_writev,
    // About itself.
    SYS_getcpu,
    SYS_getegid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getpid,
    SYS_getppid,
    SYS_getresgid,
    SYS_getresuid,
    SYS_getgroups,
    SYS_getrusage,
    SYS_gettid,
    SYS_getuid,
    SYS_uname,
];

/// The calls that a program needs until it runs. The loader and the start of the standard library
/// open files by name and ask about them. A copy gives these calls up.
pub(crate) const TO_START: &[c_long] = &[
    SYS_execve,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_fstatfs,
    SYS_getcwd,
    SYS_getdents64,
    SYS_newfstatat,
    SYS_openat,
    SYS_readlinkat,
    SYS_statx,
    // For the control connection.
    SYS_getpeername,
    SYS_getsockname,
    SYS_getsockopt,
    SYS_shutdown,
    // For `tighten` and `seal_copy`.
    SYS_seccomp,
];

/// The older forms that x86-64 has kept.
#[cfg(target_arch = "x86_64")]
pub(crate) const PEER_OF_THIS_MACHINE: &[c_long] = &[SYS_arch_prctl, SYS_dup2, SYS_poll, SYS_time];
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const PEER_OF_THIS_MACHINE: &[c_long] = &[];

/// The calls of [`TO_START`] that this architecture has.
#[cfg(target_arch = "x86_64")]
pub(crate) const TO_START_ON_THIS_MACHINE: &[c_long] =
    &[SYS_access, SYS_getpgrp, SYS_lstat, SYS_open, SYS_readlink, SYS_stat];
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const TO_START_ON_THIS_MACHINE: &[c_long] = &[];

/// The options of `prctl` that a peer can use. Among others, it cannot set the signal at its
/// parent's death.
pub(crate) const PEER_PRCTL: &[c_int] = &[
    PR_GET_DUMPABLE,
    PR_GET_NAME,
    PR_GET_NO_NEW_PRIVS,
    PR_GET_PDEATHSIG,
    PR_SET_NAME,
    PR_SET_NO_NEW_PRIVS,
    // The C library names its mappings.
    PR_SET_VMA,
];

/// The commands of `fcntl` that a peer can use. It cannot choose a process that gets a signal when
/// there is input.
pub(crate) const PEER_FCNTL: &[c_int] =
    &[F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_SETFD, F_SETFL];

/// The additional calls that the template of peers needs to make copies: for their connections and
/// sessions.
pub(crate) const OF_COPIES: &[c_long] = &[SYS_recvmsg, SYS_setsid];

/// The options of `prctl` that the template can use to prepare a copy. A copy gives them up.
pub(crate) const OF_COPIES_PRCTL: &[c_int] =
    &[PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_THP_DISABLE];

/// Calls that are answered as unknown. A filter cannot read the memory to which their arguments
/// point, and the C library works without them.
pub(crate) const UNKNOWN: &[c_long] = &[SYS_clone3, SYS_openat2];

/// The calls that send a signal. The first argument is the process. The number says which argument
/// is the signal.
pub(crate) const SIGNALS: &[(c_long, u8)] =
    &[(SYS_kill, 1), (SYS_rt_sigqueueinfo, 1), (SYS_rt_tgsigqueueinfo, 2), (SYS_tgkill, 2)];

/// The calls that execute another program.
pub(crate) const EXECUTION: &[c_long] = &[SYS_execve, SYS_execveat];

/// The calls that a compiler does not need: for the network, and to leave the process group that is
/// killed when a build ends.
pub(crate) const BUILD_REFUSED: &[c_long] = &[
    SYS_accept,
    SYS_accept4,
    SYS_bind,
    SYS_connect,
    SYS_listen,
    SYS_memfd_create,
    SYS_setpgid,
    SYS_setsid,
    SYS_socket,
    // Root could change the owner of a file elsewhere, which Landlock does not prevent.
    SYS_fchown,
    SYS_fchownat,
    SYS_fsetxattr,
    SYS_lsetxattr,
    SYS_setxattr,
    SYS_fremovexattr,
    SYS_lremovexattr,
    SYS_removexattr,
];

/// The older forms that x86-64 has kept.
#[cfg(target_arch = "x86_64")]
pub(crate) const BUILD_REFUSED_ON_THIS_MACHINE: &[c_long] = &[SYS_chown, SYS_lchown];
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const BUILD_REFUSED_ON_THIS_MACHINE: &[c_long] = &[];

/// Calls that no program makes by accident, and that safe Rust cannot make.
pub(crate) const ATTACKS: &[c_long] = &[
    // Other processes.
    SYS_kcmp,
    SYS_pidfd_getfd,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_process_madvise,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_ptrace,
    SYS_tkill,
    // Namespaces and mounts.
    SYS_chroot,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fsopen,
    SYS_fspick,
    SYS_mount,
    SYS_mount_setattr,
    SYS_move_mount,
    SYS_open_by_handle_at,
    SYS_open_tree,
    SYS_pivot_root,
    SYS_setns,
    SYS_umount2,
    SYS_unshare,
    // The kernel.
    SYS_add_key,
    SYS_bpf,
    SYS_delete_module,
    SYS_fanotify_init,
    SYS_finit_module,
    SYS_init_module,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_io_uring_setup,
    SYS_kexec_load,
    SYS_keyctl,
    SYS_perf_event_open,
    SYS_personality,
    SYS_quotactl,
    SYS_reboot,
    SYS_request_key,
    SYS_swapoff,
    SYS_swapon,
    SYS_syslog,
    SYS_userfaultfd,
    SYS_vhangup,
    // The machine's clock and name.
    SYS_acct,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_clock_settime,
    SYS_setdomainname,
    SYS_sethostname,
    SYS_settimeofday,
];

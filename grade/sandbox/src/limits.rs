//! How much a program in the sandbox may use.

use serde::{Deserialize, Serialize};

/// No test of the labs has more.
const SERVERS_MAX: u64 = 7;

/// Limits that the kernel keeps for each process. Reached, they end it or refuse it more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processor time of all its threads, in seconds. Beyond it: SIGXCPU, a second later SIGKILL.
    pub cpu_s: u64,
    /// Private writable memory, in bytes, whether touched or not: the stack of every simulated
    /// thread counts in full. Beyond it: no memory is given, which ends a Rust program by SIGABRT.
    pub data_bytes: u64,
    /// The size to which it can make a file grow, such as the one that takes what it prints, in
    /// bytes. Beyond it: SIGXFSZ.
    pub file_bytes: u64,
    /// Descriptors. Beyond it: no file is opened.
    pub open_files: u64,
    /// Processes and threads besides those that its user has anyway. Beyond it: none is started.
    pub tasks: u64,
    /// The stack of its first thread, in bytes. Beyond it: SIGSEGV.
    pub stack_bytes: u64,
}

impl Limits {
    /// For a peer. The most that the reference used was measured over all tests of the labs, for
    /// one process that holds a test's whole cluster (seed 1, release build): 18 MiB resident,
    /// 1.5 GiB of private memory (nearly all of it stacks that were never touched), 38 kernel
    /// threads while stacks were made, 0.15 s of processor time. A peer is a fraction of that.
    pub fn of_a_peer() -> Limits {
        Limits {
            cpu_s: 60,
            data_bytes: 8 << 30,
            file_bytes: 16 << 20,
            open_files: 64,
            tasks: 1024,
            stack_bytes: 8 << 20,
        }
    }

    /// For all peers of a run, of which each has these limits. Only tasks are counted together, by
    /// the user that they share: there are enough for as many servers as any test has.
    pub fn of_peers() -> Limits {
        let one = Limits::of_a_peer();
        Limits { tasks: SERVERS_MAX * one.tasks, ..one }
    }

    /// For a build, of which each process has these limits.
    pub fn of_a_build() -> Limits {
        Limits {
            cpu_s: 600,
            data_bytes: 8 << 30,
            file_bytes: 1 << 30,
            open_files: 1024,
            tasks: 1024,
            stack_bytes: 8 << 20,
        }
    }
}

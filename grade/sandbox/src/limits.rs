//! Limits on the resources of a program in the sandbox.

use serde::{Deserialize, Serialize};

/// The largest cluster of any lab test.
const SERVERS_MAX: u64 = 7;

/// Limits that the kernel applies to each process. A process that reaches one is killed, or its
/// request fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processor time of all threads, in seconds. Beyond it: SIGXCPU, then SIGKILL a second later.
    pub cpu_s: u64,
    /// Private writable memory in bytes, whether touched or not: the stack of every simulated
    /// thread counts in full. Beyond it: allocation fails, which ends a Rust program by SIGABRT.
    pub data_bytes: u64,
    /// The size of any file that it writes, in bytes, including the file that receives its output.
    /// Beyond it: SIGXFSZ.
    pub file_bytes: u64,
    /// Open descriptors. Beyond it: opening fails.
    pub open_files: u64,
    /// Processes and threads, in addition to those that its user already has. Beyond it: starting
    /// one fails.
    pub tasks: u64,
    /// The stack of its first thread, in bytes. Beyond it: SIGSEGV.
    pub stack_bytes: u64,
}

impl Limits {
    /// The limits of a peer. The reference's maximum over all lab tests, in one process with the
    /// whole cluster of a test (seed 1, release build), is 18 MiB resident, 1.5 GiB of private
    /// memory (nearly all of it stacks that were never touched), 38 kernel threads while stacks
    /// were made, and 0.15 s of processor time. A peer uses a fraction of that.
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

    /// The limits of each peer of a run. Tasks are counted together, because the peers share a
    /// user: there are enough for the largest cluster.
    pub fn of_peers() -> Limits {
        let one = Limits::of_a_peer();
        Limits { tasks: SERVERS_MAX * one.tasks, ..one }
    }

    /// The limits of each process of a build.
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

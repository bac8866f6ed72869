//! The reasons for which a run ends.

use std::fmt;

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Halt {
    /// The closure returned.
    Finished,
    /// The closure panicked.
    Panicked {
        /// The text of the panic, if it was a string.
        message: String,
    },
    /// Every thread waits, no timer runs, and no thread outside can wake one of them.
    Deadlock,
    /// A thread used [`cpu_limit`](crate::Options::cpu_limit) of CPU time without a call that the
    /// simulation sees.
    Spin {
        /// Its number.
        thread: u32,
    },
    /// A thread was in a real blocking call for [`wall_limit`](crate::Options::wall_limit).
    BlockedOutside {
        /// Its number.
        thread: u32,
    },
    /// The virtual clock passed [`time_limit`](crate::Options::time_limit).
    TimeLimit,
    /// The run took [`step_limit`](crate::Options::step_limit) steps.
    StepLimit,
    /// More than [`thread_limit`](crate::Options::thread_limit) threads were alive at the same
    /// time.
    ThreadLimit,
    /// The host ended a stepped run before the closure returned.
    Stopped,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Halt::Finished => f.write_str("finished"),
            Halt::Panicked { message } => write!(f, "panicked: {message}"),
            Halt::Deadlock => f.write_str("deadlock: every thread waits and no timer runs"),
            Halt::Spin { thread } => {
                write!(f, "spin: thread {thread} computes without end and makes no call")
            }
            Halt::BlockedOutside { thread } => {
                write!(f, "blocked outside the simulation: thread {thread} waits in a real call")
            }
            Halt::TimeLimit => f.write_str("virtual time limit reached"),
            Halt::StepLimit => f.write_str("step limit reached"),
            Halt::ThreadLimit => f.write_str("thread limit reached"),
            Halt::Stopped => f.write_str("stopped by the host"),
        }
    }
}

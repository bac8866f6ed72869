//! The limits of a build, and which of them a build has exceeded.

use std::fmt;
use std::time::Duration;

use sandbox::Limits;

use crate::bounds::{
    BUILD_MIB, BUILD_OUTPUT_BYTES_MAX, BUILD_SECONDS, IDLE_SECONDS_MAX, WALL_PER_CPU,
};
use crate::build::cargo::{End, Ended};

/// The compiler's output if the system gives it no more memory.
const NO_MEMORY: [&str; 3] = ["memory allocation of ", "out of memory", "(os error 12)"];
/// The compiler's output if its own stack overflows.
const NO_STACK: &str = "overflowed its stack";
/// Numbers of Linux, the same on all processors that Rust supports except MIPS and SPARC.
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;

/// The limits of a build. The reference needs between 128 and 256 MiB, and 9 s of processor time
/// including cargo's.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Budget {
    /// Limit the build of a submission to S seconds of CPU time, and three times S of elapsed time
    #[arg(long = "build-seconds", value_name = "S", default_value_t = BUILD_SECONDS,
          value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Limit the memory of each process of a submission's build, in MiB
    #[arg(long = "build-mib", value_name = "MIB", default_value_t = BUILD_MIB,
          value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    mib: u64,
}

/// The limit that a build has exceeded. Displayed as the end of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// Processor time in seconds.
    Cpu(u64),
    /// In seconds.
    Wall(u64),
    /// In seconds.
    Idle(u64),
    /// In MiB.
    Memory(u64),
    Stack,
    /// Of one file, in MiB.
    File(u64),
    /// In MiB.
    Output(u64),
}

#[cfg(test)]
impl Default for Budget {
    /// The defaults of the command line.
    fn default() -> Budget {
        Budget { seconds: BUILD_SECONDS, mib: BUILD_MIB }
    }
}

impl Budget {
    /// The limits of each process of a build, for the sandbox.
    pub(crate) fn limits(&self) -> Limits {
        Limits { cpu_s: self.seconds, data_bytes: self.mib << 20, ..Limits::of_a_build() }
    }

    pub(crate) fn wall(&self) -> Duration {
        Duration::from_secs(self.wall_seconds())
    }

    fn wall_seconds(&self) -> u64 {
        self.seconds.saturating_mul(WALL_PER_CPU)
    }

    /// The limit that ended a build while this package was compiled. `confined`: the sandbox
    /// applied limits, so a lack of memory is due to them and not to the machine.
    pub(crate) fn excess(&self, ended: &Ended, package: &str, confined: bool) -> Option<Excess> {
        match ended.end {
            End::TimedOut => return Some(Excess::Wall(self.wall_seconds())),
            End::Waited => return Some(Excess::Idle(IDLE_SECONDS_MAX)),
            End::Exited(_) => {}
        }
        if ended.said_too_much() {
            return Some(Excess::Output(BUILD_OUTPUT_BYTES_MAX >> 20));
        }
        let words = ended.words_on(package).filter(|_| confined)?;
        match signal(words) {
            Some(SIGXCPU) => Some(Excess::Cpu(self.seconds)),
            Some(SIGXFSZ) => Some(Excess::File(self.limits().file_bytes >> 20)),
            _ if NO_MEMORY.iter().any(|it| words.contains(it)) => Some(Excess::Memory(self.mib)),
            _ if words.contains(NO_STACK) => Some(Excess::Stack),
            _ => None,
        }
    }

    /// A compiler got no memory. Without limits this is a lack of the machine.
    pub(crate) fn no_memory(ended: &Ended) -> bool {
        let words = ended.errors();
        NO_MEMORY.iter().any(|it| words.contains(it))
    }
}

/// The signal that ended the compiler, as cargo reports it.
fn signal(words: &str) -> Option<i32> {
    let (_, rest) = words.rsplit_once("(signal: ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("compiling it ")?;
        match self {
            Excess::Cpu(seconds) => write!(f, "took more than {seconds} s of CPU time"),
            Excess::Wall(seconds) => write!(f, "took more than {seconds} s"),
            Excess::Idle(seconds) => write!(f, "waited for {seconds} s without computing"),
            Excess::Memory(mib) => write!(f, "took more than {mib} MiB of memory"),
            Excess::Stack => f.write_str("exceeded the compiler's stack"),
            Excess::File(mib) => write!(f, "wrote a file of more than {mib} MiB"),
            Excess::Output(mib) => write!(f, "printed more than {mib} MiB of messages"),
        }
    }
}

//! What compiling a submission may take, and what it took too much of.

use std::fmt;
use std::time::Duration;

use sandbox::Limits;

use crate::bounds::{
    BUILD_MIB, BUILD_OUTPUT_BYTES_MAX, BUILD_SECONDS, IDLE_SECONDS_MAX, WALL_PER_CPU,
};
use crate::build::cargo::{End, Ended};

/// What the compiler prints where the system gives it no more memory.
const NO_MEMORY: [&str; 3] = ["memory allocation of ", "out of memory", "(os error 12)"];
/// What it prints where its own stack is too small.
const NO_STACK: &str = "overflowed its stack";
/// Linux's numbers, the same on every processor that Rust knows but MIPS and SPARC.
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;

/// What compiling a submission may take. The reference needs more than 128 MiB, but no 256; and it
/// is compiled, with cargo's own work, in 9 s of processor time.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Budget {
    /// Compiling a submission may take S seconds of processor time, and three times S in all
    #[arg(long = "build-seconds", value_name = "S", default_value_t = BUILD_SECONDS,
          value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Compiling a submission may take so much memory
    #[arg(long = "build-mib", value_name = "MIB", default_value_t = BUILD_MIB,
          value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    mib: u64,
}

/// What a build took more of than it may. Displayed as the end of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// Of processor time, in seconds.
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
    /// What the command line has by default.
    fn default() -> Budget {
        Budget { seconds: BUILD_SECONDS, mib: BUILD_MIB }
    }
}

impl Budget {
    /// What the sandbox keeps of it, for each process of a build.
    pub(crate) fn limits(&self) -> Limits {
        Limits { cpu_s: self.seconds, data_bytes: self.mib << 20, ..Limits::of_a_build() }
    }

    pub(crate) fn wall(&self) -> Duration {
        Duration::from_secs(self.wall_seconds())
    }

    fn wall_seconds(&self) -> u64 {
        self.seconds.saturating_mul(WALL_PER_CPU)
    }

    /// Why a build ended too soon, if it was for one of its limits while this package was compiled.
    /// `confined`: the sandbox kept limits, so that they are what ran out, and not the machine.
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

    /// A compiler found no memory: without limits, it is the machine that has no more.
    pub(crate) fn no_memory(ended: &Ended) -> bool {
        let words = ended.errors();
        NO_MEMORY.iter().any(|it| words.contains(it))
    }
}

/// By which the compiler ended, as cargo tells it.
fn signal(words: &str) -> Option<i32> {
    let (_, rest) = words.rsplit_once("(signal: ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("compiling it ")?;
        match self {
            Excess::Cpu(seconds) => write!(f, "took more than {seconds} s of processor time"),
            Excess::Wall(seconds) => write!(f, "took more than {seconds} s"),
            Excess::Idle(seconds) => write!(f, "waited for {seconds} s without computing"),
            Excess::Memory(mib) => write!(f, "took more than {mib} MiB of memory"),
            Excess::Stack => f.write_str("took more stack than the compiler has"),
            Excess::File(mib) => write!(f, "made a file of more than {mib} MiB"),
            Excess::Output(mib) => write!(f, "brought more than {mib} MiB of messages"),
        }
    }
}

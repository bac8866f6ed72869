//! The names of what is no fault of an implementation, but no good habit either.
//!
//! A finding is told beside the verdict and costs nothing. It begins with one of these names, so
//! that a report can put together what is said of different servers and seeds.

use std::fmt;

/// A bad habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// `inspect` waits long for a lock that other calls need as well.
    HeldLock,
    /// What is saved was saved already.
    NeedlessSaves,
    /// Terms pass though nothing has failed.
    NeedlessElections,
    /// Who leads no more keeps others from electing a leader.
    LateElections,
    /// A command waits although nothing keeps it.
    SlowAgreement,
    /// Calls are made in numbers while there is nothing to say.
    IdleCalls,
    /// A thread runs on and on while there is nothing to do.
    BusyLoop,
    /// Entries are sent while everybody has them.
    NeedlessBytes,
    /// A server has more and more threads.
    ManyThreads,
    /// Threads live on after the kill.
    ThreadsLeft,
    /// A thread of a server that was killed panics.
    LatePanic,
    /// The process of a run needs more memory than a log and some snapshots can be.
    Memory,
}

impl Habit {
    /// Every habit that has a name.
    pub const ALL: [Habit; 12] = [
        Habit::HeldLock,
        Habit::NeedlessSaves,
        Habit::NeedlessElections,
        Habit::LateElections,
        Habit::SlowAgreement,
        Habit::IdleCalls,
        Habit::BusyLoop,
        Habit::NeedlessBytes,
        Habit::ManyThreads,
        Habit::ThreadsLeft,
        Habit::LatePanic,
        Habit::Memory,
    ];

    /// Whether a finding is of this habit.
    pub fn is_in(self, finding: &str) -> bool {
        finding.split_once(": ").is_some_and(|(name, _)| name == self.to_string())
    }
}

impl fmt::Display for Habit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Habit::HeldLock => "held lock",
            Habit::NeedlessSaves => "needless saves",
            Habit::NeedlessElections => "needless elections",
            Habit::LateElections => "late elections",
            Habit::SlowAgreement => "slow agreement",
            Habit::IdleCalls => "idle calls",
            Habit::BusyLoop => "busy loop",
            Habit::NeedlessBytes => "needless bytes",
            Habit::ManyThreads => "many threads",
            Habit::ThreadsLeft => "threads left",
            Habit::LatePanic => "late panic",
            Habit::Memory => "memory",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_of_the_habit_that_it_begins_with() {
        assert!(Habit::IdleCalls.is_in("idle calls: server 1 made 99 calls"));
        assert!(!Habit::IdleCalls.is_in("needless saves: idle calls: none"));
        assert!(!Habit::Memory.is_in("memory"));
    }
}

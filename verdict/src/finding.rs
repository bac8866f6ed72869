//! The kinds of findings. A finding is worth reporting about an implementation, but is no failure.
//!
//! A finding is reported in addition to the verdict and costs no points. It begins with the name of
//! its kind, so that a report can group findings of different servers and seeds.

use std::fmt;

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingKind {
    /// `inspect` waits long for a lock that other calls also need.
    HeldLock,
    /// A server saves the same state again.
    NeedlessSaves,
    /// Terms pass although nothing has failed.
    NeedlessElections,
    /// A server that no longer leads keeps the others from electing a leader.
    LateElections,
    /// A command waits although nothing delays it.
    SlowAgreement,
    /// A leader needs many calls to bring a server's log up to date.
    ManyRounds,
    /// Many calls are made although there is nothing new to send.
    IdleCalls,
    /// A thread runs without a pause while there is nothing to do.
    BusyLoop,
    /// Entries are sent although every server has them.
    NeedlessBytes,
    /// The number of a server's threads keeps growing.
    ManyThreads,
    /// Threads of a server run on after the kill.
    ThreadsLeft,
    /// A thread of a killed server panics.
    LatePanic,
    /// Threads work for several servers, so no server can be paused alone.
    SharedThreads,
    /// A server has entries that a snapshot covers, and sends them instead of the snapshot.
    KeptEntries,
    /// A server does something that the paper forbids, but this provably does no harm.
    HarmlessBreach,
    /// The process of a run uses more memory than a log and some snapshots need.
    Memory,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [FindingKind; 16] = [
        FindingKind::HeldLock,
        FindingKind::NeedlessSaves,
        FindingKind::NeedlessElections,
        FindingKind::LateElections,
        FindingKind::SlowAgreement,
        FindingKind::ManyRounds,
        FindingKind::IdleCalls,
        FindingKind::BusyLoop,
        FindingKind::NeedlessBytes,
        FindingKind::ManyThreads,
        FindingKind::ThreadsLeft,
        FindingKind::LatePanic,
        FindingKind::SharedThreads,
        FindingKind::KeptEntries,
        FindingKind::HarmlessBreach,
        FindingKind::Memory,
    ];

    /// Whether the text of a finding is of this kind.
    pub fn is_in(self, finding: &str) -> bool {
        finding.split_once(": ").is_some_and(|(name, _)| name == self.to_string())
    }
}

impl fmt::Display for FindingKind {
    /// Its name, such as `held lock`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            FindingKind::HeldLock => "held lock",
            FindingKind::NeedlessSaves => "needless saves",
            FindingKind::NeedlessElections => "needless elections",
            FindingKind::LateElections => "late elections",
            FindingKind::SlowAgreement => "slow agreement",
            FindingKind::ManyRounds => "many rounds",
            FindingKind::IdleCalls => "idle calls",
            FindingKind::BusyLoop => "busy loop",
            FindingKind::NeedlessBytes => "needless bytes",
            FindingKind::ManyThreads => "many threads",
            FindingKind::ThreadsLeft => "threads left",
            FindingKind::LatePanic => "late panic",
            FindingKind::SharedThreads => "shared threads",
            FindingKind::KeptEntries => "kept entries",
            FindingKind::HarmlessBreach => "harmless breach",
            FindingKind::Memory => "memory",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_begins_with_the_name_of_its_kind() {
        assert!(FindingKind::IdleCalls.is_in("idle calls: server 1 made 99 calls"));
        assert!(!FindingKind::IdleCalls.is_in("needless saves: idle calls: none"));
        assert!(!FindingKind::Memory.is_in("memory"));
    }
}

//! A broken rule as a value: the rule, the server that broke it, and the facts that show it.
//!
//! Each family of breaches has a file with everything about it: its enum, and for each breach the
//! rule, the sentence and the evidence.

mod fact;
mod family;
pub(crate) mod words;
mod election;
mod log;
mod commitment;
mod applying;
mod crash;
mod snapshot;
mod shape;
mod knowledge;

use std::fmt;

use history::Rule;

pub use applying::ApplyingBreach;
pub use commitment::{CommitmentBreach, Loss, Way};
pub use crash::{CrashBreach, Forgotten};
pub use election::{Claim, ElectionBreach};
pub use fact::Fact;
pub use knowledge::KnowledgeBreach;
pub use log::{LogBreach, LogChange, MustStay};
pub use shape::ShapeBreach;
pub use snapshot::{SnapshotBreach, SnapshotFault};
pub use words::LogEnd;

use family::Family;

/// A rule was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The server that the sentence is about.
    pub server: usize,
    /// How the rule was broken. Boxed, because results are almost always `Ok` and should be small.
    pub breach: Box<Breach>,
}

/// How a rule was broken. Each [`Moment`](history::Moment) is that of the event that showed the
/// fact next to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// About terms, votes and leaders.
    Election(ElectionBreach),
    /// About the content of logs.
    Log(LogBreach),
    /// About committed entries.
    Commitment(CommitmentBreach),
    /// About applied entries.
    Applying(ApplyingBreach),
    /// About what must survive a crash.
    Crash(CrashBreach),
    /// About snapshots.
    Snapshot(SnapshotBreach),
    /// About what a server cannot know.
    Knowledge(KnowledgeBreach),
    /// A state that no Raft can be in, whatever happened before.
    Shape(ShapeBreach),
}

impl Violation {
    /// A violation of a rule by one server.
    pub fn of(server: usize, breach: impl Into<Breach>) -> Violation {
        Violation { server, breach: Box::new(breach.into()) }
    }

    /// The broken rule. None if no Raft can be in such a state.
    pub fn rule(&self) -> Option<Rule> {
        self.breach.family().rule()
    }

    /// Where to look for the cause, if this is more exact than the hint of the rule.
    pub fn look(&self) -> Option<&'static str> {
        self.breach.family().look()
    }

    /// Whether it breaks the contract between a Raft and the lab, and not the safety of Raft.
    pub fn is_of_contract(&self) -> bool {
        self.breach.family().is_of_contract()
    }

    /// The server whose fault it is. None if it is a fault of the kit.
    pub fn culprit(&self) -> Option<usize> {
        (self.rule() != Some(Rule::S16)).then_some(self.server)
    }

    /// The events that show it, in their order.
    pub fn evidence(&self) -> Vec<Fact> {
        let mut facts = self.breach.family().evidence(self.server);
        facts.sort_by_key(|fact| fact.moment);
        facts
    }
}

impl fmt::Display for Violation {
    /// One sentence with servers, terms, indices and times.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.breach.family().sentence(self.server))
    }
}

macro_rules! families {
    ($($family:ident($breach:ty)),*) => {
        impl Breach {
            fn family(&self) -> &dyn Family {
                match self {
                    $(Breach::$family(breach) => breach,)*
                }
            }
        }

        $(impl From<$breach> for Breach {
            fn from(breach: $breach) -> Breach {
                Breach::$family(breach)
            }
        })*
    };
}

families!(
    Election(ElectionBreach),
    Log(LogBreach),
    Commitment(CommitmentBreach),
    Applying(ApplyingBreach),
    Crash(CrashBreach),
    Snapshot(SnapshotBreach),
    Knowledge(KnowledgeBreach),
    Shape(ShapeBreach)
);

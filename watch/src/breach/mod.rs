//! A broken rule as a value: which rule, the server that broke it, and the facts that show it.
//!
//! Each family of breaches has a file with everything about it: its enum, the rule that a breach
//! belongs to, the sentence that it makes, and its evidence.

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
    /// How the rule was broken; boxed, to keep results small that are almost always `Ok`.
    pub breach: Box<Breach>,
}

/// How a rule was broken. A [`Moment`](history::Moment) in it is that of the event that showed the
/// fact beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// Of terms, votes and leaders.
    Election(ElectionBreach),
    /// Of what a log holds.
    Log(LogBreach),
    /// Of what is committed.
    Commitment(CommitmentBreach),
    /// Of what is applied.
    Applying(ApplyingBreach),
    /// Of what must survive a crash.
    Crash(CrashBreach),
    /// Of snapshots.
    Snapshot(SnapshotBreach),
    /// Of what a server cannot know.
    Knowledge(KnowledgeBreach),
    /// A state that no Raft can be in, whatever happened before.
    Shape(ShapeBreach),
}

impl Violation {
    /// A violation by one server.
    pub fn of(server: usize, breach: impl Into<Breach>) -> Violation {
        Violation { server, breach: Box::new(breach.into()) }
    }

    /// The rule that was broken; none if the state is one that no Raft can be in.
    pub fn rule(&self) -> Option<Rule> {
        self.breach.family().rule()
    }

    /// Where to look for the cause, if that is more exact than what the rule says.
    pub fn look(&self) -> Option<&'static str> {
        self.breach.family().look()
    }

    /// It breaks the agreement between a Raft and the lab, and not the safety of Raft.
    pub fn is_of_contract(&self) -> bool {
        self.breach.family().is_of_contract()
    }

    /// The server whose fault it is; none if it is the kit's.
    pub fn culprit(&self) -> Option<usize> {
        (self.rule() != Some(Rule::S16)).then_some(self.server)
    }

    /// The events that are needed to understand it, in their order.
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

//! Why a run failed: a value, because a student's fault is a verdict and no accident of the kit.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::invariants::Rule;

/// The kinds of verdict, kept apart in every report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// A rule of Raft's safety was broken.
    Safety,
    /// Something that had to happen did not happen in time.
    Liveness,
    /// The implementation broke the contract with the lab: an unknown RPC, an impossible state.
    Contract,
    /// A thread of the implementation panicked, or its process ended.
    Panic,
    /// Threads wait for one another for ever.
    Deadlock,
    /// A thread runs on and on and lets no time pass.
    Spin,
    /// A thread waits for something outside of the lab.
    Outside,
    /// The run took too long.
    Timeout,
    /// The run used too much of something else than time.
    Limit,
    /// The kit's own fault; it costs nobody points.
    Infra,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Class::Safety => "safety",
            Class::Liveness => "liveness",
            Class::Contract => "contract",
            Class::Panic => "panic",
            Class::Deadlock => "deadlock",
            Class::Spin => "spin",
            Class::Outside => "outside",
            Class::Timeout => "timeout",
            Class::Limit => "limit",
            Class::Infra => "infra",
        })
    }
}

/// The first thing that went wrong in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which kind of verdict this is.
    pub class: Class,
    /// The server that is to blame, if it is one.
    pub server: Option<usize>,
    /// What happened, in one sentence with servers, terms and indices.
    pub sentence: String,
    /// The rule that was broken, if it is one of Raft's.
    pub rule: Option<Rule>,
    /// What else may help to understand it, a sentence each.
    pub notes: Vec<String>,
}

impl Failure {
    /// A failure that no single server is to blame for.
    pub fn new(class: Class, sentence: impl Into<String>) -> Failure {
        Failure { class, server: None, sentence: sentence.into(), rule: None, notes: Vec::new() }
    }

    /// A failure of one server.
    pub fn of(server: usize, class: Class, sentence: impl Into<String>) -> Failure {
        Failure { server: Some(server), ..Failure::new(class, sentence) }
    }

    /// Names the rule that was broken.
    #[must_use]
    pub fn with_rule(self, rule: Rule) -> Failure {
        Failure { rule: Some(rule), ..self }
    }

    /// Adds sentences that may help.
    #[must_use]
    pub fn with_notes(mut self, notes: impl IntoIterator<Item = String>) -> Failure {
        self.notes.extend(notes);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.sentence)?;
        if let Some(rule) = self.rule {
            write!(f, "\n  rule: {rule}")?;
        }
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        Ok(())
    }
}

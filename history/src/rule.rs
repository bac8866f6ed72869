//! The rules that every run must keep, each with its id, its title and its section in the paper.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule of Raft; the sections are those of the paper's extended version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rule {
    /// Election safety.
    S1,
    /// One vote.
    S2,
    /// The election restriction.
    S3,
    /// A leader was elected.
    S4,
    /// Leader append-only.
    S5,
    /// Log matching.
    S6,
    /// Leader completeness.
    S7,
    /// State machine safety.
    S8,
    /// Apply order.
    S9,
    /// Durable before said.
    S10,
    /// Commitment.
    S11,
    /// What never falls.
    S12,
    /// Nothing is taken back.
    S13,
    /// Snapshots.
    S14,
    /// What a peer says of itself.
    S15,
    /// Nothing from the dead: a rule for the kit itself.
    S16,
    /// Nothing is known that no message brought.
    S17,
    /// A leader comes.
    L1,
    /// A command commits.
    L2,
    /// Who was away catches up.
    L3,
    /// Leadership settles.
    L4,
    /// No progress without a majority.
    L5,
}

impl Rule {
    /// Such as `S2`.
    pub fn id(self) -> &'static str {
        self.text().0
    }

    /// The rule in a few words.
    pub fn title(self) -> &'static str {
        self.text().1
    }

    /// Where it comes from, such as `section 5.2`.
    pub fn section(self) -> &'static str {
        self.text().2
    }

    fn text(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Rule::S1 => ("S1", "at most one leader in a term", "section 5.2"),
            Rule::S2 => ("S2", "at most one vote of a server in a term", "section 5.2"),
            Rule::S3 => ("S3", "votes only for a log at least as up to date", "section 5.4.1"),
            Rule::S4 => ("S4", "a leader has the votes of a majority", "section 5.2"),
            Rule::S5 => ("S5", "a leader only appends to its log", "section 5.3"),
            Rule::S6 => ("S6", "logs with a common entry are the same up to it", "section 5.3"),
            Rule::S7 => ("S7", "what is committed is in every later leader's log", "section 5.4"),
            Rule::S8 => ("S8", "one command for an index, everywhere", "section 5.4.3"),
            Rule::S9 => ("S9", "entries are applied in order", "section 5.3"),
            Rule::S10 => ("S10", "what was said survives a crash", "Figure 2, persistent state"),
            Rule::S11 => {
                let title = "only entries of the leader's own term, on a majority, are committed";
                ("S11", title, "section 5.4.2")
            }
            Rule::S12 => ("S12", "terms and commit indices never fall", "Figure 2"),
            Rule::S13 => ("S13", "an old message takes nothing back", "section 5.3"),
            Rule::S14 => ("S14", "a snapshot replaces only what it stands for", "section 7"),
            Rule::S15 => ("S15", "a server leads only the term it says", "section 5.2"),
            Rule::S16 => ("S16", "nothing comes from a crashed server", "the lab"),
            Rule::S17 => ("S17", "nothing is known that no message brought", "the lab"),
            Rule::L1 => ("L1", "a leader comes within 5 s", "section 5.2"),
            Rule::L2 => ("L2", "a command is committed soon", "section 5.3"),
            Rule::L3 => ("L3", "a server that was away catches up", "section 5.3"),
            Rule::L4 => ("L4", "servers that hear one another agree on a term", "section 5.2"),
            Rule::L5 => ("L5", "nothing happens without a majority", "section 5.2"),
        }
    }
}

impl fmt::Display for Rule {
    /// `S2, at most one vote of a server in a term (section 5.2)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, title, section) = self.text();
        write!(f, "{id}, {title} ({section})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_shown_in_one_line() {
        assert_eq!(
            Rule::S2.to_string(),
            "S2, at most one vote of a server in a term (section 5.2)"
        );
        assert_eq!((Rule::S10.id(), Rule::L5.id()), ("S10", "L5"));
    }
}

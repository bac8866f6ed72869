//! The rules that every run must keep, each with its id, its title and its section of the paper.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule of Raft. Section numbers are those of the paper's extended version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rule {
    /// Election safety: at most one leader in a term.
    S1,
    /// One vote of a server in a term.
    S2,
    /// The election restriction: votes only for a log at least as up to date.
    S3,
    /// A leader has the votes of a majority.
    S4,
    /// Leader append-only.
    S5,
    /// Log matching.
    S6,
    /// Leader completeness.
    S7,
    /// State machine safety: only committed entries are applied, the same on every server.
    S8,
    /// Entries are applied in order.
    S9,
    /// State is saved before a message reveals it.
    S10,
    /// Commitment: only entries of the leader's own term, on a majority.
    S11,
    /// Terms and commit indices never fall.
    S12,
    /// No committed or acknowledged entry is removed.
    S13,
    /// Snapshots replace only what they cover.
    S14,
    /// What a server says about its own leadership is consistent.
    S15,
    /// A crashed server sends nothing: a rule for the kit itself.
    S16,
    /// A server knows only what messages brought.
    S17,
    /// A leader is elected in time.
    L1,
    /// A command is committed in time.
    L2,
    /// A server that was away catches up.
    L3,
    /// Servers agree on the term.
    L4,
    /// No leader is elected without a majority.
    L5,
}

impl Rule {
    /// The id, such as `S2`.
    pub fn id(self) -> &'static str {
        self.text().0
    }

    /// The rule in a few words.
    pub fn title(self) -> &'static str {
        self.text().1
    }

    /// Its source in the paper, such as `section 5.2`.
    pub fn section(self) -> &'static str {
        self.text().2
    }

    /// Where a student should look for the cause: the handler or the loop, the field, and the
    /// section of the paper. Completes the sentence "where to look: ...".
    pub fn look(self) -> &'static str {
        match self {
            Rule::S1 => {
                "where a candidate counts votes, and the RequestVote handler; a reply counts only \
                 in the term in which the vote was asked for (section 5.2)"
            }
            Rule::S2 => {
                "every line that sets voted_for; it is cleared only when current_term rises, and \
                 is saved before the reply to RequestVote is sent (section 5.2, Figure 2)"
            }
            Rule::S3 => {
                "the RequestVote handler; it compares the last terms first and then the last \
                 indices, and an empty log ends where its snapshot ends (section 5.4.1)"
            }
            Rule::S4 => {
                "where a candidate counts votes; it needs more than half of all servers, each of \
                 them once and in its current term (section 5.2)"
            }
            Rule::S5 => {
                "start and the AppendEntries handler; the leader of a term only appends to log \
                 (section 5.3)"
            }
            Rule::S6 => {
                "the AppendEntries handler; it stores entries only after prev_log_index and \
                 prev_log_term match, and removes a conflicting entry with all that follow it \
                 (section 5.3)"
            }
            Rule::S7 => {
                "the RequestVote handler, which compares the logs (section 5.4.1), and where the \
                 leader raises commit_index (section 5.4.2)"
            }
            Rule::S8 => {
                "where commit_index rises, and the loop that applies; only what is committed is \
                 applied (sections 5.3 and 5.4.3)"
            }
            Rule::S9 => {
                "the loop that applies; one thread sends the entry at last_applied + 1, and so on \
                 (Figure 2, all servers)"
            }
            Rule::S10 => {
                "where state is saved; current_term, voted_for and log are saved before a message \
                 reveals a change of them (Figure 2, persistent state)"
            }
            Rule::S11 => {
                "where the leader raises commit_index; match_index of a majority has reached the \
                 entry, and the entry is of the current term (section 5.4.2, Figure 2)"
            }
            Rule::S12 => {
                "every line that sets current_term or commit_index; both only rise (section 5.1, \
                 Figure 2)"
            }
            Rule::S13 => {
                "the AppendEntries handler; it refuses a lower term before anything else, and \
                 removes only entries that conflict (sections 5.1 and 5.3, Figure 2)"
            }
            Rule::S14 => {
                "the InstallSnapshot handler and snapshot; an older snapshot changes nothing, and \
                 entries after a snapshot that fits the log stay (section 7)"
            }
            Rule::S15 => {
                "get_state and start; they read current_term and the role under one lock \
                 (Figure 2)"
            }
            Rule::S16 => "not in your code; this is a fault of the lab itself",
            Rule::S17 => {
                "what servers share besides RPCs, such as a static or a file; a server learns only \
                 from messages and from its own persister (section 5)"
            }
            Rule::L1 => {
                "the election timer and the RequestVote handler; the timeout is drawn anew for \
                 each election, and a new term clears voted_for (section 5.2)"
            }
            Rule::L2 => {
                "what the leader sends after start, and what it does with each reply to \
                 AppendEntries; match_index rises, and then commit_index (section 5.3)"
            }
            Rule::L3 => {
                "what the leader does when AppendEntries is refused; next_index goes back until \
                 the logs match, or a snapshot is sent (sections 5.3 and 7)"
            }
            Rule::L4 => {
                "where a server meets a term in a request or a reply; it adopts a higher one and \
                 follows, and AppendEntries restarts its election timer (sections 5.1 and 5.2)"
            }
            Rule::L5 => {
                "where votes and copies are counted; both need a majority of all servers, not of \
                 those that answer (sections 5.2 and 5.3)"
            }
        }
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
            Rule::S8 => (
                "S8",
                "only committed entries are applied, the same on every server",
                "section 5.4.3",
            ),
            Rule::S9 => ("S9", "entries are applied in order", "section 5.3"),
            Rule::S10 => {
                ("S10", "what a server has reported survives a crash", "Figure 2, persistent state")
            }
            Rule::S11 => {
                let title = "only entries of the leader's own term, on a majority, are committed";
                ("S11", title, "section 5.4.2")
            }
            Rule::S12 => ("S12", "terms and commit indices never fall", "Figure 2"),
            Rule::S13 => ("S13", "an old message changes no log", "section 5.3"),
            Rule::S14 => ("S14", "a snapshot replaces only what it covers", "section 7"),
            Rule::S15 => {
                ("S15", "a server leads no term in which it voted for another", "section 5.2")
            }
            Rule::S16 => ("S16", "nothing comes from a crashed server", "the lab"),
            Rule::S17 => ("S17", "a server knows only what messages brought", "the lab"),
            Rule::L1 => ("L1", "a leader comes within 5 s", "section 5.2"),
            Rule::L2 => ("L2", "a command is committed soon", "section 5.3"),
            Rule::L3 => ("L3", "a server that was away catches up", "section 5.3"),
            Rule::L4 => ("L4", "servers that hear one another agree on a term", "section 5.2"),
            Rule::L5 => ("L5", "no leader is elected without a majority", "section 5.2"),
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

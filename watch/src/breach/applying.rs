//! Breaches about applied entries: S8, S9, and the part of S6 about commands.

use history::command::show;
use history::{Moment, Rule};

use crate::breach::fact::Fact;
use crate::breach::family::Family;
use crate::breach::words::seconds;

/// How a rule about applied entries was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyingBreach {
    /// S6: the applied command is not the one that a leader took for the committed entry.
    AppliedAnother {
        /// The index.
        index: u64,
        /// The term of the committed entry.
        term: u64,
        /// The command that was applied, and when.
        applied: (Vec<u8>, Moment),
        /// The leader that took another command, that command, and when.
        taken: (usize, Vec<u8>, Moment),
    },
    /// S8: the commit index is lower than an applied index.
    AppliedUncommitted {
        /// The index that was applied.
        applied: u64,
        /// The commit index.
        commit_index: u64,
        /// When it was seen.
        seen: Moment,
    },
    /// S8: two commands were applied at one index.
    AppliedTwo {
        /// The index.
        index: u64,
        /// The command of this server, and when it was applied.
        here: (Vec<u8>, Moment),
        /// The command of the other server, by number, and when it was applied.
        there: (usize, Vec<u8>, Moment),
    },
    /// S9: an entry was applied out of order.
    OutOfOrder {
        /// The index that was applied.
        index: u64,
        /// The index that was next.
        expected: u64,
        /// When it was applied.
        applied: Moment,
    },
    /// S9: the first entry that a restarted server applied is not the one that a service with only
    /// the saved snapshot expects next.
    OutOfOrderAfterRestart {
        /// The index that was applied.
        index: u64,
        /// The index that was next.
        expected: u64,
        /// When it was applied.
        applied: Moment,
    },
}

impl Family for ApplyingBreach {
    fn rule(&self) -> Option<Rule> {
        Some(match self {
            ApplyingBreach::AppliedAnother { .. } => Rule::S6,
            ApplyingBreach::AppliedUncommitted { .. } | ApplyingBreach::AppliedTwo { .. } => {
                Rule::S8
            }
            ApplyingBreach::OutOfOrder { .. } | ApplyingBreach::OutOfOrderAfterRestart { .. } => {
                Rule::S9
            }
        })
    }

    fn look(&self) -> Option<&'static str> {
        match self {
            ApplyingBreach::AppliedAnother { .. } => Some(
                "the AppendEntries handler and the loop that applies; what is applied is the entry \
                 of the log at that index (section 5.3)",
            ),
            ApplyingBreach::AppliedUncommitted { .. } => Some(
                "the loop that applies; it stops at commit_index, and the handlers never lower \
                 commit_index (Figure 2)",
            ),
            ApplyingBreach::OutOfOrderAfterRestart { .. } => Some(
                "where last_applied is set at the start; it is volatile, so it begins with 0, or \
                 with last_included_index of the saved snapshot (Figure 2, section 7)",
            ),
            ApplyingBreach::AppliedTwo { .. } | ApplyingBreach::OutOfOrder { .. } => None,
        }
    }

    fn is_of_contract(&self) -> bool {
        matches!(self, ApplyingBreach::OutOfOrderAfterRestart { .. })
    }

    fn sentence(&self, server: usize) -> String {
        match self {
            ApplyingBreach::AppliedAnother { index, term, applied, taken } => format!(
                "server {server} applied {} at index {index}; the entry committed there is of term \
                 {term}, in which server {} took {} for it",
                show(&applied.0),
                taken.0,
                show(&taken.1)
            ),
            ApplyingBreach::AppliedUncommitted { applied, commit_index, seen } => format!(
                "server {server} has applied index {applied}, but shows commit index \
                 {commit_index} at {}",
                seconds(*seen)
            ),
            ApplyingBreach::AppliedTwo { index, here, there: (other, theirs, _) } => {
                let who =
                    if *other == server { "it had".to_owned() } else { format!("server {other}") };
                format!(
                    "server {server} applied {} at index {index}, where {who} applied {}",
                    show(&here.0),
                    show(theirs)
                )
            }
            ApplyingBreach::OutOfOrder { index, expected, .. } => {
                format!("server {server} applied index {index}, but index {expected} was next")
            }
            ApplyingBreach::OutOfOrderAfterRestart { index, expected, .. } => format!(
                "server {server} restarted and then applied index {index}, but index {expected} \
                 was next: {}",
                match expected {
                    1 => "the lab's service is empty after a restart and expects all committed \
                          entries again, from index 1"
                        .to_owned(),
                    _ => format!(
                        "the lab's service restarts from the saved snapshot, which ends with index \
                         {}, and expects all later entries",
                        expected - 1
                    ),
                }
            ),
        }
    }

    fn evidence(&self, server: usize) -> Vec<Fact> {
        let applies =
            |index: &u64, command: &[u8]| format!("applies {} at index {index}", show(command));
        match self {
            ApplyingBreach::AppliedAnother {
                index,
                term,
                applied,
                taken: (leader, command, at),
            } => {
                let takes = format!("takes {} as index {index}, term {term}", show(command));
                vec![
                    Fact::new(*at, *leader, takes),
                    Fact::new(applied.1, server, applies(index, &applied.0)),
                ]
            }
            ApplyingBreach::AppliedUncommitted { applied, commit_index, seen } => {
                let what =
                    format!("has applied index {applied}; its commit index is {commit_index}");
                vec![Fact::new(*seen, server, what)]
            }
            ApplyingBreach::AppliedTwo { index, here, there: (other, theirs, at) } => vec![
                Fact::new(*at, *other, applies(index, theirs)),
                Fact::new(here.1, server, applies(index, &here.0)),
            ],
            ApplyingBreach::OutOfOrder { index, expected, applied }
            | ApplyingBreach::OutOfOrderAfterRestart { index, expected, applied } => {
                let what = format!("applies index {index}, when index {expected} is next");
                vec![Fact::new(*applied, server, what)]
            }
        }
    }
}

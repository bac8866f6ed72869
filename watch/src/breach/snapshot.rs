//! Breaches about snapshots: S14.

use history::command::show;
use history::{Moment, Rule};

use crate::breach::fact::Fact;
use crate::breach::family::Family;
use crate::breach::words::seconds;

/// How the rule about snapshots was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotBreach {
    /// An older snapshot replaced a newer one in the peer's own state.
    SnapshotFell {
        /// The last index that it covered, before and now.
        indices: [u64; 2],
        /// When each was seen.
        seen: [Moment; 2],
    },
    /// An older snapshot was saved over a newer one.
    OlderSnapshotSaved {
        /// The last index that it covered, before and now.
        indices: [u64; 2],
        /// When it was saved.
        saved: Moment,
    },
    /// A restored log begins after the end of the snapshot that was saved with it.
    GapAfterSnapshot {
        /// The index before the first entry of the log.
        begins_after: u64,
        /// The last index that the snapshot covers; 0 without a snapshot.
        covers: u64,
        /// When it was seen, after the restart.
        restarted: Moment,
    },
    /// A snapshot that the lab cannot use.
    BadSnapshot {
        /// What is wrong with it.
        what: SnapshotFault,
        /// When it was applied or restored.
        seen: Moment,
    },
}

/// What is wrong with a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotFault {
    /// The server handed over these bytes, which the lab never made.
    Unknown(Vec<u8>),
    /// A starting server has these bytes in its persister, which the lab never made.
    Foreign(Vec<u8>),
    /// Its last index is not the one that it was applied with.
    OtherIndex {
        /// The last index that it covers.
        covers: u64,
        /// The index that it was applied with.
        index: u64,
    },
    /// It ends before an entry that was already applied.
    Older {
        /// The last index that it covers.
        covers: u64,
        /// The last index that was applied.
        applied: u64,
    },
}

impl Family for SnapshotBreach {
    fn rule(&self) -> Option<Rule> {
        Some(Rule::S14)
    }

    fn look(&self) -> Option<&'static str> {
        Some(match self {
            SnapshotBreach::SnapshotFell { .. } | SnapshotBreach::OlderSnapshotSaved { .. } => {
                "the InstallSnapshot handler and snapshot; what ends at or before \
                 last_included_index is ignored (section 7)"
            }
            SnapshotBreach::GapAfterSnapshot { .. } => {
                "each call of Persister::save; it takes the snapshot that belongs to the log's \
                 beginning, also when only the log has changed (section 7)"
            }
            SnapshotBreach::BadSnapshot { what: SnapshotFault::Foreign(_), .. } => {
                "each call of Persister::save; its second argument is the snapshot, byte for byte \
                 as snapshot or InstallSnapshot brought it"
            }
            SnapshotBreach::BadSnapshot { what: SnapshotFault::Unknown(_), .. } => {
                "the InstallSnapshot handler; it hands over the bytes that snapshot got at some \
                 server, unchanged and whole (section 7)"
            }
            SnapshotBreach::BadSnapshot { what: SnapshotFault::OtherIndex { .. }, .. } => {
                "the InstallSnapshot handler; it hands over the snapshot with the \
                 last_included_index that came with it (section 7)"
            }
            SnapshotBreach::BadSnapshot { what: SnapshotFault::Older { .. }, .. } => {
                "the InstallSnapshot handler; a snapshot that ends at or before last_applied is \
                 not handed over (section 7)"
            }
        })
    }

    fn is_of_contract(&self) -> bool {
        matches!(self, SnapshotBreach::BadSnapshot { what: SnapshotFault::Foreign(_), .. })
    }

    fn sentence(&self, server: usize) -> String {
        match self {
            SnapshotBreach::SnapshotFell { indices: [old, new], seen: [from, to] } => format!(
                "server {server} had a snapshot up to index {old} at {} and has {new} at {}",
                seconds(*from),
                seconds(*to)
            ),
            SnapshotBreach::OlderSnapshotSaved { indices: [old, new], .. } => format!(
                "server {server} saved a snapshot up to index {new} over one up to index {old}"
            ),
            SnapshotBreach::GapAfterSnapshot { begins_after, covers, restarted } => format!(
                "server {server} restarted at {} with a log that begins after index \
                 {begins_after}, but {}",
                seconds(*restarted),
                match covers {
                    0 => "no snapshot was saved with it".to_owned(),
                    _ => format!("the snapshot saved with it covers only index {covers}"),
                }
            ),
            SnapshotBreach::BadSnapshot { what: SnapshotFault::Foreign(bytes), .. } => format!(
                "server {server} restarted, and the snapshot in its persister is not one that the \
                 lab made: {}; the lab restores its service from these bytes, so they must be \
                 exactly the bytes that `snapshot` got",
                show(bytes)
            ),
            SnapshotBreach::BadSnapshot { what, .. } => {
                format!("server {server} has a snapshot that {}", what.sentence())
            }
        }
    }

    fn evidence(&self, server: usize) -> Vec<Fact> {
        let (seen, what) = match self {
            SnapshotBreach::SnapshotFell { indices, seen } => {
                let has = |index: u64| format!("has a snapshot up to index {index}");
                return std::iter::zip(indices, seen)
                    .map(|(index, at)| Fact::new(*at, server, has(*index)))
                    .collect();
            }
            SnapshotBreach::OlderSnapshotSaved { indices: [old, new], saved } => {
                (saved, format!("saves a snapshot up to index {new} over one up to index {old}"))
            }
            SnapshotBreach::GapAfterSnapshot { begins_after, covers, restarted } => {
                let log = format!("restarts with a log after index {begins_after}");
                (restarted, format!("{log}, a snapshot up to index {covers}"))
            }
            SnapshotBreach::BadSnapshot { what: SnapshotFault::Foreign(_), seen } => {
                (seen, "starts with this snapshot".to_owned())
            }
            SnapshotBreach::BadSnapshot { seen, .. } => {
                (seen, "hands over this snapshot".to_owned())
            }
        };
        vec![Fact::new(*seen, server, what)]
    }
}

impl SnapshotFault {
    fn sentence(&self) -> String {
        match self {
            SnapshotFault::Unknown(bytes) | SnapshotFault::Foreign(bytes) => {
                format!("the lab never made: {}", show(bytes))
            }
            SnapshotFault::OtherIndex { covers, index } => {
                format!("covers index {covers}, but was applied as {index}")
            }
            SnapshotFault::Older { covers, applied } => {
                format!("covers index {covers}, but it has applied index {applied} already")
            }
        }
    }
}

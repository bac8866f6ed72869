//! States that no Raft can be in, whatever it did; and the part of S12 that a single state shows:
//! no log has an entry of a later term than the server's current term.
//!
//! **Sound**: a server adopts a term before it takes an entry of it (section 5.1).

use history::Moment;
use raftapi::Inspect;

use crate::breach::{LogBreach, ShapeBreach, Violation};

/// The limit of an index. No run comes near it.
const INDEX_MAX: u64 = 1 << 40;

/// Checks a single state.
pub(crate) fn check(
    server: usize,
    servers: usize,
    state: &Inspect,
    seen: Moment,
) -> Result<(), Violation> {
    let Inspect { voted_for, last_included_index: index, current_term: term, .. } = *state;
    let last_term = state.last_term();
    let violation = match voted_for {
        Some(candidate) if candidate >= servers => {
            Violation::of(server, ShapeBreach::VoteForUnknownServer { candidate, servers, seen })
        }
        _ if index > INDEX_MAX => {
            Violation::of(server, ShapeBreach::ImpossibleSnapshot { index, seen })
        }
        _ if last_term > term => {
            Violation::of(server, LogBreach::EntryOfLaterTerm { term, last_term, seen })
        }
        _ => return Ok(()),
    };
    Err(violation)
}

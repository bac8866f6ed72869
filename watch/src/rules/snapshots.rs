//! S14, no older snapshot is saved over a newer one (section 7).
//!
//! **Sound**: a snapshot stands for a committed prefix, and a server that has one up to an index
//! has applied everything up to that index. An older snapshot in its place would remove applied
//! entries. Bytes that the service did not make prove nothing here; they are judged when they are
//! applied.

use history::Moment;
use raftapi::Saved;

use crate::breach::{SnapshotBreach, Violation};

/// Checks a save of a server.
pub(crate) fn check_saved(
    server: usize,
    old: &Saved,
    new: &Saved,
    covers: fn(&[u8]) -> Option<u64>,
    saved: Moment,
) -> Result<(), Violation> {
    if old.snapshot == new.snapshot {
        return Ok(());
    }
    let index = |saved: &Saved| match &saved.snapshot[..] {
        [] => Some(0),
        snapshot => covers(snapshot),
    };
    match (index(old), index(new)) {
        (Some(before), Some(now)) if now < before => {
            let indices = [before, now];
            Err(Violation::of(server, SnapshotBreach::OlderSnapshotSaved { indices, saved }))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use history::Rule;

    use crate::scenario::{Scenario, broke, kept};

    #[test]
    fn a_newer_or_the_same_snapshot_may_be_saved() {
        kept(|scenario: &mut Scenario| {
            scenario.saves(0, 0, 2)?;
            scenario.saves(0, 2, 2)?;
            scenario.saves(0, 2, 5)
        });
    }

    #[test]
    fn an_older_snapshot_over_a_newer_one_is_reported() {
        let sentence = "server 0 saved a snapshot up to index 1 over one up to index 2";
        broke(Rule::S14, sentence, |scenario: &mut Scenario| scenario.saves(0, 2, 1));
        let sentence = "server 0 saved a snapshot up to index 0 over one up to index 2";
        broke(Rule::S14, sentence, |scenario: &mut Scenario| scenario.saves(0, 2, 0));
    }
}

//! S12, the current term and the commit index never fall within an incarnation (Figure 2); S14, the
//! last index of the snapshot never falls (section 7); and S8, applied entries are committed by the
//! peer's own commit index.
//!
//! **Sound**: each of these is one number of one incarnation. A value is compared with one that
//! was answered, shown or delivered *before the later question was asked*; questions that overlap
//! are not compared. Only applied commands are compared with the commit index: a peer may hand over
//! a snapshot first and raise its commit index afterwards.

use crate::breach::{ApplyingBreach, CommitmentBreach, ElectionBreach, SnapshotBreach, Violation};
use crate::sample::Transition;
use history::Moment;

/// What was known about a peer when it was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Floor {
    /// It had said that it is in this term.
    pub(crate) term: u64,
    /// It had applied the command at this index.
    pub(crate) applied: u64,
}

impl Floor {
    /// Checks an answer of `get_state`.
    pub(crate) fn check_term(
        &self,
        server: usize,
        term: u64,
        seen: Moment,
    ) -> Result<(), Violation> {
        if term >= self.term {
            return Ok(());
        }
        Err(Violation::of(server, ElectionBreach::TermFell { before: self.term, now: term, seen }))
    }

    /// Checks an answer of `inspect`.
    pub(crate) fn see(&self, seen: &Transition<'_>) -> Result<(), Violation> {
        let (server, at, new) = (seen.now.server, seen.now.at, &seen.now.state);
        self.check_term(server, new.current_term, at)?;
        let (applied, commit_index) = (self.applied, new.commit_index);
        if commit_index < applied {
            let breach = ApplyingBreach::AppliedUncommitted { applied, commit_index, seen: at };
            return Err(Violation::of(server, breach));
        }
        let Some(before) = seen.before else { return Ok(()) };
        let (old, seen) = (&before.state, [before.at, at]);
        if commit_index < old.commit_index {
            let indices = [old.commit_index, commit_index];
            return Err(Violation::of(server, CommitmentBreach::CommitIndexFell { indices, seen }));
        }
        if new.last_included_index < old.last_included_index {
            let indices = [old.last_included_index, new.last_included_index];
            return Err(Violation::of(server, SnapshotBreach::SnapshotFell { indices, seen }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn a_commit_index_may_be_lower_after_a_restart() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1]).commit(1))?;
            scenario.applies(0, 1, b"a")?;
            scenario.restarts(0, |peer| peer.term(1).log(&[1]))
        });
    }

    #[test]
    fn a_term_that_falls_is_reported() {
        broke(
            Rule::S12,
            "server 0 is in term 1 after it was in term 2",
            |scenario: &mut Scenario| {
                scenario.sees(0, |peer| peer.term(2))?;
                scenario.says(0, 1, false)
            },
        );
        broke(
            Rule::S12,
            "server 0 is in term 1 after it was in term 2",
            |scenario: &mut Scenario| {
                scenario.says(0, 2, false)?;
                scenario.sees(0, |peer| peer.term(1))
            },
        );
    }

    #[test]
    fn a_commit_index_or_a_snapshot_that_falls_is_reported() {
        let sentence = "server 0 had commit index 2 at 0.001 s and has 1 at 0.002 s";
        broke(Rule::S12, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1, 1]).commit(2))?;
            scenario.sees(0, |peer| peer.term(1).log(&[1, 1]).commit(1))
        });
        let sentence = "server 0 had a snapshot up to index 2 at 0.001 s and has 1 at 0.002 s";
        broke(Rule::S14, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).snapshot(2, 1).commit(2))?;
            scenario.sees(0, |peer| peer.term(1).snapshot(1, 1).log(&[1]).commit(2))
        });
    }

    #[test]
    fn an_applied_index_above_the_commit_index_is_reported() {
        let sentence = "server 0 has applied index 1, but shows commit index 0 at 0.002 s";
        broke(Rule::S8, sentence, |scenario: &mut Scenario| {
            scenario.applies(0, 1, b"a")?;
            scenario.sees(0, |peer| peer.term(1).log(&[1]))
        });
    }
}

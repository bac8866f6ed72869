//! S10, what a server has reported survives a crash, and S12, no term is lower after a crash than
//! one that was reported before it (Figure 2: persistent state is updated on stable storage before
//! responding to RPCs); and S14, state and snapshot are saved together (section 7).
//!
//! The restored state is inspected before the new incarnation is on the network. It is judged only
//! if the incarnation has read its persister by then.
//!
//! **Sound for terms**: a handler that begins after a term was shown and returns before the crash
//! answers with that term or a later one.
//!
//! **Sound for votes**: only settled ones count, see [`votes`](super::votes).
//!
//! **Sound for entries**: they come from the last inspection before the crash, and count only if
//! no handler was running then and none has begun since. So all handlers that brought an entry have
//! returned, which means that it was acknowledged, and no handler can have removed it again. An
//! entry that the server made as a leader is not acknowledged just because it is in its log; for
//! those see [`majority`](super::majority).
//!
//! **Sound for snapshots**: `save` takes state and snapshot in one call. A log that begins after
//! the end of the saved snapshot has lost the entries in between.

use crate::breach::{CrashBreach, Forgotten, SnapshotBreach, Violation};
use crate::rules::leaders::Leaders;
use crate::rules::votes::Votes;
use crate::sample::Sample;

/// What other servers can know about a server, so that it must survive a crash.
#[derive(Debug, Default)]
pub(crate) struct DurableClaims {
    /// The highest term that it answered an RPC with.
    pub(crate) answered_term: u64,
    /// Its last state before the crash, if no handler can have changed it since.
    pub(crate) settled: Option<Sample>,
}

impl DurableClaims {
    /// Judges the restored state. Returns the last committed entry that the server had made itself
    /// and lost, if any.
    pub(crate) fn check(
        &self,
        now: &Sample,
        votes: &mut Votes,
        leaders: &Leaders,
        alive: &[bool],
    ) -> Result<Option<(u64, u64)>, Violation> {
        let (server, state) = (now.server, &now.state);
        let forgot =
            |what| Err(Violation::of(server, CrashBreach::Forgot { restarted: now.at, what }));
        let term = state.current_term;
        if term < self.answered_term {
            return forgot(Forgotten::Term { now: term, answered: self.answered_term });
        }
        votes.check_restored(now, leaders.of(term), alive)?;
        let Some(settled) = &self.settled else { return Ok(None) };
        let old = &settled.state;
        let mut own = None;
        for index in old.last_included_index.max(1)..=old.last_index() {
            let Some(term) = old.term_at(index) else { continue };
            if index < state.last_included_index || state.term_at(index) == Some(term) {
                continue;
            }
            match leaders.of(term) {
                Some(leader) if leader != server => {
                    let entry = (index, term);
                    return forgot(Forgotten::Entry { entry, leader, seen: settled.at });
                }
                Some(_) if index <= old.commit_index => own = Some((index, term)),
                _ => {}
            }
        }
        Ok(own)
    }
}

/// Checks that the restored log begins at the end of the snapshot that was saved with it, or
/// before.
pub(crate) fn check_snapshot(now: &Sample, covers: u64) -> Result<(), Violation> {
    let begins_after = now.state.last_included_index;
    if begins_after <= covers {
        return Ok(());
    }
    let breach = SnapshotBreach::GapAfterSnapshot { begins_after, covers, restarted: now.at };
    Err(Violation::of(now.server, breach))
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn an_unreported_term_and_an_unacknowledged_entry_may_be_lost() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(3).stands())?;
            scenario.restarts(0, |peer| peer.term(2))
        });
        kept(|scenario: &mut Scenario| {
            scenario.sees(1, |peer| peer.term(1).leads().log(&[1]))?;
            scenario.dispatches(0, 7);
            scenario.sees(0, |peer| peer.term(1).voted(1).log(&[1]))?;
            scenario.restarts(0, |peer| peer.term(1).voted(1))
        });
    }

    #[test]
    fn a_term_that_was_reported_and_lost_is_reported() {
        let sentence = "server 0 restarted at 0.004 s in term 2, but had answered in term 3";
        broke(Rule::S12, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(3))?;
            scenario.dispatches(0, 7);
            scenario.handles(0, 7);
            scenario.restarts(0, |peer| peer.term(2))
        });
    }

    #[test]
    fn a_vote_that_was_given_and_lost_is_reported() {
        let sentence = "server 0 restarted at 0.002 s in term 3 without its vote for server 1, \
                        seen at 0.001 s";
        broke(Rule::S10, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(3).voted(1))?;
            scenario.restarts(0, |peer| peer.term(3))?;
            scenario.sees(1, |peer| peer.term(3).stands())
        });
        // The handler of a leader's message may have cleared the vote, or noted the leader.
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(3).voted(1))?;
            scenario.restarts(0, |peer| peer.term(3).voted(2))?;
            scenario.sees(2, |peer| peer.term(3).leads())?;
            scenario.sees(1, |peer| peer.term(3).voted(2))
        });
    }

    #[test]
    fn an_entry_that_was_acknowledged_and_lost_is_reported() {
        let sentence = "server 0 restarted at 0.003 s without the entry of index 2 and term 1 that \
                        it had from server 1, seen at 0.002 s";
        broke(Rule::S10, sentence, |scenario: &mut Scenario| {
            scenario.sees(1, |peer| peer.term(1).leads().log(&[1, 1]))?;
            scenario.sees(0, |peer| peer.term(1).voted(1).log(&[1, 1]))?;
            scenario.restarts(0, |peer| peer.term(1).voted(1).log(&[1]))
        });
    }

    #[test]
    fn a_log_that_begins_after_its_snapshot_is_reported() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).snapshot(2, 1).commit(2))?;
            scenario.restarts_with(0, 2, |peer| peer.term(1).snapshot(2, 1).commit(2))
        });
        let sentence = "server 0 restarted at 0.001 s with a log that begins after index 2, but \
                        the snapshot saved with it covers only index 1";
        broke(Rule::S14, sentence, |scenario: &mut Scenario| {
            scenario.restarts_with(0, 1, |peer| peer.term(1).snapshot(2, 1).commit(2))
        });
    }
}

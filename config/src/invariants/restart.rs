//! S10, what was said survives a crash, and S12, no term falls below what was said before one
//! (Figure 2: persistent state is updated on stable storage before responding to RPCs); and S14,
//! that state and snapshot are saved together (section 7).
//!
//! The restored state is inspected before the new incarnation is on the network, and judged only if
//! it has read its persister by then.
//!
//! **Sound for terms**: a handler that begins after a term was shown and returns before the crash
//! answers with that term or a later one.
//!
//! **Sound for votes**: only settled ones count, see [`votes`](super::votes).
//!
//! **Sound for entries**: they are taken from the last inspection before the crash, and only if no
//! handler was running then and none has begun since: all that brought an entry have returned, so
//! it was acknowledged, and none can have taken it away again. An entry that the server made as a
//! leader is not acknowledged by being in its log; for those see [`majority`](super::majority).
//!
//! **Sound for snapshots**: `save` takes both at once. A log that begins behind what the saved
//! snapshot covers has lost what lies between.

use crate::failure::Failure;
use crate::invariants::broken;
use crate::invariants::leaders::Leaders;
use crate::invariants::rule::Rule;
use crate::invariants::sighting::{Sighting, seconds};
use crate::invariants::votes::Votes;

/// What a server must not forget in a crash.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The highest term that it answered an RPC with.
    pub(crate) told_term: u64,
    /// Its last state before the crash, if that was settled.
    pub(crate) settled: Option<Sighting>,
}

impl Memory {
    /// Judges the restored state, and returns the last committed entry that the server had made
    /// itself and lost.
    pub(crate) fn check(
        &self,
        now: &Sighting,
        votes: &Votes,
        leaders: &Leaders,
    ) -> Result<Option<(u64, u64)>, Failure> {
        let (server, state) = (now.server, &now.state);
        let at = seconds(now.at);
        let forgot = |rule, what: String| {
            Err(broken(rule, server, format!("server {server} restarted at {at} {what}")))
        };
        if state.current_term < self.told_term {
            let (term, told) = (state.current_term, self.told_term);
            return forgot(Rule::S12, format!("in term {term}, but had answered in term {told}"));
        }
        if let Some(vote) = votes.of(server, state.current_term)
            && state.voted_for != Some(vote.candidate)
        {
            let what = format!(
                "in term {} without its vote for server {}, seen at {}",
                state.current_term,
                vote.candidate,
                seconds(vote.at)
            );
            return forgot(Rule::S10, what);
        }
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
                    let what = format!(
                        "without the entry of index {index} and term {term} that it had from \
                         server {leader}, seen at {}",
                        seconds(settled.at)
                    );
                    return forgot(Rule::S10, what);
                }
                Some(_) if index <= old.commit_index => own = Some((index, term)),
                _ => {}
            }
        }
        Ok(own)
    }
}

/// Whether the restored log begins where the snapshot that was saved with it ends, or before.
pub(crate) fn check_snapshot(now: &Sighting, covers: u64) -> Result<(), Failure> {
    let begins_behind = now.state.last_included_index;
    if begins_behind <= covers {
        return Ok(());
    }
    let server = now.server;
    let sentence = format!(
        "server {server} restarted at {} with a log that begins behind index {begins_behind}, but \
         {}",
        seconds(now.at),
        match covers {
            0 => "no snapshot was saved with it".to_owned(),
            _ => format!("the snapshot saved with it covers only index {covers}"),
        }
    );
    Err(broken(Rule::S14, server, sentence))
}

#[cfg(test)]
mod tests {
    use crate::invariants::Rule;
    use crate::invariants::story::{Story, broke, kept};

    #[test]
    fn a_term_told_to_nobody_and_an_entry_never_acknowledged_may_be_lost() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(3).stands())?;
            story.restarts(0, |peer| peer.term(2))
        });
        kept(|story: &mut Story| {
            story.sees(1, |peer| peer.term(1).leads().log(&[1]))?;
            story.dispatches(0, 7);
            story.sees(0, |peer| peer.term(1).voted(1).log(&[1]))?;
            story.restarts(0, |peer| peer.term(1).voted(1))
        });
    }

    #[test]
    fn a_term_that_was_answered_is_not_forgotten() {
        let sentence = "server 0 restarted at 0.004 s in term 2, but had answered in term 3";
        broke(Rule::S12, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(3))?;
            story.dispatches(0, 7);
            story.handles(0, 7);
            story.restarts(0, |peer| peer.term(2))
        });
    }

    #[test]
    fn a_vote_that_was_given_is_not_forgotten() {
        let sentence = "server 0 restarted at 0.002 s in term 3 without its vote for server 1, \
                        seen at 0.001 s";
        broke(Rule::S10, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(3).voted(1))?;
            story.restarts(0, |peer| peer.term(3))
        });
    }

    #[test]
    fn an_entry_that_was_acknowledged_is_not_forgotten() {
        let sentence = "server 0 restarted at 0.003 s without the entry of index 2 and term 1 that \
                        it had from server 1, seen at 0.002 s";
        broke(Rule::S10, sentence, |story: &mut Story| {
            story.sees(1, |peer| peer.term(1).leads().log(&[1, 1]))?;
            story.sees(0, |peer| peer.term(1).voted(1).log(&[1, 1]))?;
            story.restarts(0, |peer| peer.term(1).voted(1).log(&[1]))
        });
    }

    #[test]
    fn a_log_begins_where_its_snapshot_ends() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(1).snapshot(2, 1).commit(2))?;
            story.restarts_with(0, 2, |peer| peer.term(1).snapshot(2, 1).commit(2))
        });
        let sentence = "server 0 restarted at 0.001 s with a log that begins behind index 2, but \
                        the snapshot saved with it covers only index 1";
        broke(Rule::S14, sentence, |story: &mut Story| {
            story.restarts_with(0, 1, |peer| peer.term(1).snapshot(2, 1).commit(2))
        });
    }
}

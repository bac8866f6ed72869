//! S2, at most one vote of a server in a term, across crashes (section 5.2).
//!
//! **Sound within an incarnation**: `voted_for` is "the candidate that got this server's vote in
//! the current term" (Figure 2), and two values of it in one term are two votes. That it is empty
//! in between changes nothing, and is itself not judged.
//!
//! **Sound across a crash**: a vote that was set in memory and sent to no other server may be lost,
//! so it is forgotten at the crash unless it is *settled*. A vote for another is given by an RPC
//! handler; once no handler runs any more that had begun before the vote was seen, the one that
//! gave it has returned, and Figure 2 wants persistent state on stable storage before it responds.
//! A vote for oneself is settled when another server is seen with a vote for that candidate in that
//! term, since it can only have been asked for it after the candidate had voted.

use std::collections::BTreeMap;

use history::Moment;

use crate::breach::{ElectionBreach, Violation};
use crate::sample::Sample;

/// All votes that were seen.
#[derive(Debug, Default)]
pub(crate) struct Votes {
    by_server_and_term: BTreeMap<(usize, u64), Vote>,
}

/// One vote.
#[derive(Debug, Clone, Copy)]
struct Vote {
    candidate: usize,
    at: Moment,
    /// Another server may know of it.
    settled: bool,
}

impl Votes {
    pub(crate) fn see(&mut self, now: &Sample) -> Result<(), Violation> {
        let Some(candidate) = now.state.voted_for else { return Ok(()) };
        let (server, term) = (now.server, now.state.current_term);
        let settled = now.quiet && candidate != server;
        let fresh = Vote { candidate, at: now.at, settled };
        let vote = self.by_server_and_term.entry((server, term)).or_insert(fresh);
        if vote.candidate != candidate {
            let votes = [(vote.candidate, vote.at), (candidate, now.at)];
            return Err(Violation::of(server, ElectionBreach::TwoVotes { term, votes }));
        }
        vote.settled |= settled;
        if server != candidate
            && let Some(own) = self.by_server_and_term.get_mut(&(candidate, term))
        {
            own.settled |= own.candidate == candidate;
        }
        Ok(())
    }

    /// Forgets what a crash can lose without breaking the rule: what no other server can know.
    pub(crate) fn crash(&mut self, server: usize) {
        self.by_server_and_term.retain(|(voter, _), vote| *voter != server || vote.settled);
    }

    /// The candidate that a server was seen to vote for in a term, and when.
    pub(crate) fn of(&self, server: usize, term: u64) -> Option<(usize, Moment)> {
        self.by_server_and_term.get(&(server, term)).map(|vote| (vote.candidate, vote.at))
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn a_vote_in_each_term_is_correct_and_so_is_one_for_a_loser() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.sees(0, |peer| peer.term(2).voted(2))?;
            scenario.sees(0, |peer| peer.term(3))
        });
    }

    #[test]
    fn two_votes_in_a_term_are_reported_with_both_candidates() {
        let sentence = "server 0 voted for server 2 in term 1, seen at 0.003 s, and for server 1 \
                        before, seen at 0.001 s";
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.sees(0, |peer| peer.term(1))?;
            scenario.sees(0, |peer| peer.term(1).voted(2))
        });
    }

    #[test]
    fn a_vote_that_no_other_server_knows_of_may_be_lost_in_a_crash() {
        kept(|scenario: &mut Scenario| {
            scenario.dispatches(0, 7);
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.restarts(0, |peer| peer)?;
            scenario.sees(0, |peer| peer.term(1).voted(2))
        });
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).stands())?;
            scenario.restarts(0, |peer| peer)?;
            scenario.sees(0, |peer| peer.term(1).voted(2))
        });
    }

    #[test]
    fn a_vote_that_was_answered_counts_after_a_crash() {
        let sentence = "server 0 voted for server 2 in term 1, seen at 0.006 s, and for server 1 \
                        before, seen at 0.002 s";
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.dispatches(0, 7);
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.handles(0, 7);
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            // It forgot the term, too, so that nothing was seen to be missing at once.
            scenario.restarts(0, |peer| peer)?;
            scenario.sees(0, |peer| peer.term(1).voted(2))
        });
        let sentence = "server 0 voted for server 2 in term 1, seen at 0.004 s, and for server 0 \
                        before, seen at 0.001 s";
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).stands())?;
            scenario.sees(1, |peer| peer.term(1).voted(0))?;
            scenario.restarts(0, |peer| peer)?;
            scenario.sees(0, |peer| peer.term(1).voted(2))
        });
    }
}

//! S2, at most one vote of a server in a term, across crashes (section 5.2).
//!
//! **Sound within an incarnation**: `voted_for` is "the candidate that got this server's vote in
//! the current term" (Figure 2), and two values of it in one term are two votes. A vote that
//! vanishes while the term stays can be given a second time, so it breaks the rule at once: the
//! cause is named, not the second vote or the crash that it leads to.
//!
//! **What hurts nobody is a remark**. Nobody but the candidate counts a candidate's vote for itself.
//! Two leaders of a term have a voter in common, and this voter is not a candidate that gave up its
//! own vote and does not lead: it has counted for nobody but the rival. So a candidate that follows
//! the leader of its term and clears its vote breaks nothing, nor does one that gives way to a rival
//! with a better log. If it leads that term, S15 finds it. A vote for a candidate that has lost can
//! be cleared as well: once another server leads the term, its voters suffice to keep everybody else
//! from a majority, and this voter is none of them. What was given up is not held against the server
//! after a crash.
//!
//! **Sound across a crash**: a vote that was set in memory and sent to no other server may be lost,
//! so it is forgotten at the crash unless it is *settled*. A vote for another is given by an RPC
//! handler; once no handler runs any more that had begun before the vote was seen, the one that
//! gave it has returned, and Figure 2 wants persistent state on stable storage before it responds.
//! A vote for oneself is settled when another server is seen with a vote for that candidate in that
//! term, since it can only have been asked for it after the candidate had voted.

use std::collections::BTreeMap;

use history::Moment;

use raftapi::Role;

use crate::breach::{ElectionBreach, Violation};
use crate::remark::{Deviation, Remark};
use crate::sample::Transition;

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
    /// Takes in what a server shows. `leader` is the server that is known to lead its term.
    pub(crate) fn see(
        &mut self,
        seen: &Transition<'_>,
        leader: Option<usize>,
    ) -> Result<Option<Remark>, Violation> {
        let now = seen.now;
        let (server, term) = (now.server, now.state.current_term);
        let remark = self.check_kept(seen, leader)?;
        let Some(candidate) = now.state.voted_for else { return Ok(remark) };
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
        Ok(remark)
    }

    /// Checks that the vote that was seen before is still there, and forgets it if it was given up
    /// in a way that hurts nobody.
    fn check_kept(
        &mut self,
        seen: &Transition<'_>,
        leader: Option<usize>,
    ) -> Result<Option<Remark>, Violation> {
        let now = seen.now;
        let (server, term, new) = (now.server, now.state.current_term, now.state.voted_for);
        let before = seen.before.filter(|before| before.state.current_term == term);
        let Some(before) = before else { return Ok(None) };
        let Some(old) = before.state.voted_for.filter(|old| new != Some(*old)) else {
            return Ok(None);
        };
        let leads = leader == Some(server) || now.state.role == Role::Leader;
        let what = match (new, leader) {
            (None, _) if old == server && !leads => Deviation::FreedOwnVote { term },
            (Some(candidate), _) if old == server && !leads => {
                Deviation::GaveWay { term, candidate }
            }
            (None, Some(leader)) if leader != old && !leads => {
                Deviation::FreedVoteForLoser { term, candidate: old, leader }
            }
            (None, _) => {
                let seen = [before.at, now.at];
                let breach = ElectionBreach::VoteVanished { term, candidate: old, seen };
                return Err(Violation::of(server, breach));
            }
            (Some(_), _) => return Ok(None),
        };
        self.by_server_and_term.remove(&(server, term));
        Ok(Some(Remark { server, what, seen: now.at }))
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
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.sees(0, |peer| peer.term(1).voted(2))
        });
    }

    #[test]
    fn a_vote_that_vanishes_in_its_term_is_reported_before_it_is_given_again() {
        let sentence = "server 0 voted for server 1 in term 1, seen at 0.001 s, and is in term 1 \
                        without that vote at 0.002 s; it has not restarted";
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.sees(0, |peer| peer.term(1))
        });
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.sees(0, |peer| peer.term(1))?;
            scenario.restarts(0, |peer| peer.term(1))
        });
        let sentence = "server 0 voted for server 0 in term 1, seen at 0.001 s, and is in term 1 \
                        without that vote at 0.002 s; it has not restarted";
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads())?;
            scenario.sees(0, |peer| peer.term(1))
        });
    }

    #[test]
    fn a_candidate_that_has_lost_may_give_up_its_own_vote() {
        let mut scenario = Scenario::new();
        scenario.sees(0, |peer| peer.term(1).stands()).unwrap();
        scenario.sees(1, |peer| peer.term(1).voted(0)).unwrap();
        scenario.sees(0, |peer| peer.term(1)).unwrap();
        scenario.sees(0, |peer| peer.term(1).voted(2)).unwrap();
        scenario.restarts(0, |peer| peer.term(1).voted(2)).unwrap();
        assert_eq!(
            scenario.remarks(),
            ["server 0 was a candidate in term 1 and cleared its own vote, seen at 0.003 s; \
             voted_for is cleared only when the term rises (section 5.2)"]
        );
        scenario.sees(1, |peer| peer.term(2).stands()).unwrap();
        scenario.sees(1, |peer| peer.term(2).voted(2)).unwrap();
        assert_eq!(
            scenario.remarks(),
            ["server 1 was a candidate in term 2 and then voted for server 2, seen at 0.007 s; a \
             server votes once in a term (section 5.2)"]
        );
    }

    #[test]
    fn a_candidate_that_gave_way_has_one_vote_left_and_leads_no_more() {
        let sentence = "server 0 voted for server 1 in term 1, seen at 0.003 s, and for server 2 \
                        before, seen at 0.002 s";
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).stands())?;
            scenario.sees(0, |peer| peer.term(1).voted(2))?;
            scenario.sees(0, |peer| peer.term(1).voted(1))
        });
        let sentence = "`get_state` of server 0 said at 0.003 s that it leads term 1, in which it \
                        voted for server 2";
        broke(Rule::S15, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).stands())?;
            scenario.sees(0, |peer| peer.term(1).voted(2))?;
            scenario.says(0, 1, true)
        });
    }

    #[test]
    fn a_vote_for_a_candidate_that_has_lost_may_be_given_up() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.sees(2, |peer| peer.term(1).leads())?;
            scenario.sees(0, |peer| peer.term(1))
        });
        broke(
            Rule::S2,
            "server 0 voted for server 2 in term 1, seen at 0.001 s, and is in term 1 without \
             that vote at 0.003 s; it has not restarted",
            |scenario: &mut Scenario| {
                scenario.sees(0, |peer| peer.term(1).voted(2))?;
                scenario.sees(2, |peer| peer.term(1).leads())?;
                scenario.sees(0, |peer| peer.term(1))
            },
        );
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

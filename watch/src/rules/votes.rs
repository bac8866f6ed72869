//! S2, at most one vote of a server in a term, across crashes (section 5.2).
//!
//! **Sound within an incarnation**: `voted_for` is "the candidate that got this server's vote in
//! the current term" (Figure 2), and two values of it in one term are two votes. Only a change that
//! can do harm is a failure: two candidates of a term must never both count one voter.
//!
//! **A candidate's own vote**: no other candidate counts it. So a candidate may follow the leader
//! of its term and clear its vote, or give way to a rival with a better log: both are remarks. If
//! it leads that term, S15 finds it. A leader that shows no vote at all (its type has no such
//! field) has lost nothing: it can vote again only when it no longer leads.
//!
//! **A vote for another that changes or vanishes** is immediately a failure in two cases: if its
//! candidate leads the term, since the vote may have been counted, or if the server then becomes a
//! candidate in that term itself. Any other change stays open in [`given_up`](super::given_up)
//! until it is known whether it can have done harm. After a crash a vote that was given up before
//! does not count.
//!
//! **Sound across a crash**: a vote that was set in memory and sent to no other server may be
//! lost, so it is forgotten at the crash unless it is *settled*. An RPC handler gives a vote for
//! another server. Once all handlers that had begun before the vote was seen have returned, the one
//! that gave it has returned too, and Figure 2 requires persistent state on stable storage before
//! it responds. A server's vote for itself is settled when another server is seen with a vote for
//! that candidate in that term, since it can only have been asked for its vote after the candidate
//! had voted. A settled vote may have been given up between the last sample and the crash. So a
//! settled vote for another server stays open too, unless its candidate leads the term. A candidate
//! may ask for votes while it saves its own vote: if it crashes, these votes are never counted. So
//! its own vote breaks the rule only if it led.

use history::Moment;

use raftapi::Role;

use crate::breach::{CrashBreach, ElectionBreach, Forgotten, Violation};
use crate::remark::{Deviation, Remark};
use crate::rules::first_votes::{FirstVotes, Vote};
use crate::rules::given_up::{Change, GivenUp, How};
use crate::rules::leaders::Leaders;
use crate::sample::Sample;

/// All votes that were seen.
#[derive(Debug, Default)]
pub(crate) struct Votes {
    first: FirstVotes,
    given_up: GivenUp,
}

impl Votes {
    /// Reads a sample. `leader` is the known leader of its term; `alive` says which servers run.
    pub(crate) fn see(
        &mut self,
        now: &Sample,
        leader: Option<usize>,
        alive: &[bool],
    ) -> Result<Option<Remark>, Violation> {
        let (server, term) = (now.server, now.state.current_term);
        let new = now.state.voted_for;
        let mut remark = None;
        let vote = self.first.get(&(server, term)).copied();
        if let Some(vote) = vote.filter(|vote| new != Some(vote.candidate)) {
            remark = if vote.candidate == server {
                self.own_changed(now, vote, leader)?
            } else {
                self.changed(now, vote, leader, alive)?;
                None
            };
        }
        let Some(candidate) = new else { return Ok(remark) };
        let settled = now.quiet && candidate != server;
        let shown = Some(now.at);
        let fresh = Vote { candidate, at: now.at, settled, shown, vanished: None };
        let vote = self.first.entry((server, term)).or_insert(fresh);
        if vote.candidate == candidate {
            vote.settled |= settled;
            (vote.shown, vote.vanished) = (shown, None);
            self.given_up.note_back(server, term);
        }
        if server != candidate
            && let Some(own) = self.first.get_mut(&(candidate, term))
        {
            own.settled |= own.candidate == candidate;
        }
        Ok(remark)
    }

    /// Judges a server that no longer shows its vote for itself.
    fn own_changed(
        &mut self,
        now: &Sample,
        vote: Vote,
        leader: Option<usize>,
    ) -> Result<Option<Remark>, Violation> {
        let (server, term) = (now.server, now.state.current_term);
        let leads = now.state.role == Role::Leader || leader == Some(server);
        let what = match (now.state.voted_for, vote.shown) {
            (None, None) => return Ok(None),
            (None, Some(_)) if now.state.role == Role::Leader => return Ok(None),
            (None, Some(from)) if leads => {
                let seen = [from, now.at];
                let breach = ElectionBreach::VoteVanished { term, candidate: server, seen };
                return Err(Violation::of(server, breach));
            }
            (None, Some(_)) => Deviation::FreedOwnVote { term },
            (Some(candidate), _) if !leads => Deviation::GaveWay { term, candidate },
            (Some(candidate), _) => {
                let votes = [(server, vote.at), (candidate, now.at)];
                let breach = ElectionBreach::TwoVotes { term, votes, vanished: None };
                return Err(Violation::of(server, breach));
            }
        };
        self.first.remove(&(server, term));
        Ok(Some(Remark { server, what, seen: now.at }))
    }

    /// Judges a server that no longer shows its vote for another.
    fn changed(
        &mut self,
        now: &Sample,
        vote: Vote,
        leader: Option<usize>,
        alive: &[bool],
    ) -> Result<(), Violation> {
        let (server, term) = (now.server, now.state.current_term);
        let how = match now.state.voted_for {
            Some(second) => How::Second { candidate: second, vanished: vote.vanished },
            None => {
                let Some(from) = vote.shown.filter(|_| vote.vanished.is_none()) else {
                    return Ok(());
                };
                if let Some(vote) = self.first.get_mut(&(server, term)) {
                    vote.vanished = Some([from, now.at]);
                }
                How::Vanished { from }
            }
        };
        let first = (vote.candidate, vote.at);
        let change = Change { server, term, first, how, at: now.at };
        if leader == Some(vote.candidate) || now.state.voted_for == Some(server) {
            return Err(change.violation());
        }
        self.given_up.open(change, alive);
        Ok(())
    }

    /// Judges the votes that were given up, by a new sample and by the known leaders.
    pub(crate) fn judge(
        &mut self,
        now: &Sample,
        leaders: &Leaders,
    ) -> Result<Vec<Remark>, Violation> {
        self.given_up.hear(now, &self.first);
        self.given_up.judge(leaders)
    }

    /// Checks the vote that a server has restored.
    pub(crate) fn check_restored(
        &mut self,
        now: &Sample,
        leader: Option<usize>,
        alive: &[bool],
    ) -> Result<(), Violation> {
        let (server, term, new) = (now.server, now.state.current_term, now.state.voted_for);
        let Some(vote) = self.first.get(&(server, term)) else { return Ok(()) };
        let (candidate, is_own) = (vote.candidate, vote.candidate == server);
        if new == Some(candidate) || vote.vanished.is_some() || self.given_up.has(server, term) {
            return Ok(());
        }
        let vote = (candidate, vote.at);
        if leader == Some(candidate) {
            let what = Forgotten::Vote { term, vote };
            return Err(Violation::of(server, CrashBreach::Forgot { restarted: now.at, what }));
        }
        if new.is_none() && !is_own {
            let how = How::Forgotten;
            self.given_up.open(Change { server, term, first: vote, how, at: now.at }, alive);
        }
        Ok(())
    }

    /// Forgets the votes that a crash can lose without breaking the rule: those that no other
    /// server can know of.
    pub(crate) fn crash(&mut self, server: usize) {
        self.first.retain(|(voter, _), vote| *voter != server || vote.settled);
        self.first
            .iter_mut()
            .filter(|((voter, _), _)| *voter == server)
            .for_each(|(_, vote)| vote.shown = None);
        self.given_up.crash(server);
    }

    /// The candidate of the first vote of a server that was seen in a term, and when.
    pub(crate) fn of(&self, server: usize, term: u64) -> Option<(usize, Moment)> {
        self.first.get(&(server, term)).map(|vote| (vote.candidate, vote.at))
    }

    /// The first vote of each server in each term.
    pub(crate) fn first(&self) -> &FirstVotes {
        &self.first
    }

    /// A second vote for this leader by one of these servers.
    pub(crate) fn second(
        &self,
        term: u64,
        leader: usize,
        voters: &[(usize, Moment)],
    ) -> Option<Violation> {
        self.given_up.second(term, leader, voters)
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn a_vote_in_each_term_is_correct_even_for_a_loser() {
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
            scenario.sees(0, |peer| peer.term(1).voted(2))?;
            scenario.sees(1, |peer| peer.term(1).stands())
        });
    }

    #[test]
    fn a_vote_for_the_leader_that_vanishes_is_reported_before_a_second_vote() {
        let sentence = "server 0 voted for server 1 in term 1, seen at 0.001 s, and is in term 1 \
                        without that vote at 0.002 s; it has not restarted";
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.sees(0, |peer| peer.term(1))?;
            scenario.sees(1, |peer| peer.term(1).leads())
        });
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.sees(0, |peer| peer.term(1))?;
            scenario.restarts(0, |peer| peer.term(1))?;
            scenario.says(1, 1, true)?;
            scenario.sees(2, |peer| peer.term(1))
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
    fn a_candidate_that_gave_way_has_one_vote_left_and_must_not_lead() {
        let sentence = "server 0 voted for server 1 in term 1, seen at 0.003 s, and for server 2 \
                        before, seen at 0.002 s";
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).stands())?;
            scenario.sees(0, |peer| peer.term(1).voted(2))?;
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.sees(2, |peer| peer.term(1).stands())
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
    fn a_leader_may_show_no_vote_while_it_leads() {
        let leads = |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads())?;
            scenario.sees(0, |peer| peer.term(1).leads().without_vote())?;
            scenario.sees(1, |peer| peer.term(1).voted(0))
        };
        kept(leads);
        let sentence = "server 0 voted for server 0 in term 1, seen at 0.001 s, and is in term 1 \
                        without that vote at 0.004 s; it has not restarted";
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            leads(scenario)?;
            scenario.sees(0, |peer| peer.term(1))
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
    fn a_vote_that_was_sent_counts_after_a_crash() {
        let sentence = "server 0 voted for server 2 in term 1, seen at 0.006 s, and for server 1 \
                        before, seen at 0.002 s";
        broke(Rule::S2, sentence, |scenario: &mut Scenario| {
            scenario.dispatches(0, 7);
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            scenario.handles(0, 7);
            scenario.sees(0, |peer| peer.term(1).voted(1))?;
            // It also forgot the term, so the lost vote was not seen immediately.
            scenario.restarts(0, |peer| peer)?;
            scenario.sees(0, |peer| peer.term(1).voted(2))?;
            scenario.sees(1, |peer| peer.term(1).stands())
        });
        let sentence = "server 0 restarted at 0.004 s in term 1 without its vote for server 0, \
                        seen at 0.001 s";
        broke(Rule::S10, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).stands())?;
            scenario.sees(1, |peer| peer.term(1).voted(0))?;
            scenario.sees(0, |peer| peer.term(1).leads())?;
            scenario.restarts(0, |peer| peer.term(1))
        });
    }

    #[test]
    fn a_candidate_may_ask_for_votes_before_it_has_saved_its_own() {
        let mut scenario = Scenario::new();
        scenario.sees(0, |peer| peer.term(1).stands()).unwrap();
        scenario.sees(1, |peer| peer.term(1).voted(0)).unwrap();
        scenario.restarts(0, |peer| peer.term(1)).unwrap();
        scenario.sees(0, |peer| peer.term(1).voted(2)).unwrap();
        assert_eq!(
            scenario.remarks(),
            ["server 0 was a candidate in term 1 and then voted for server 2, seen at 0.004 s; a \
             server votes once in a term (section 5.2)"]
        );
    }
}

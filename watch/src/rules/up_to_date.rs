//! S3, votes only for a log at least as up to date as the voter's (section 5.4.1).
//!
//! **Sound**: the candidate's log is taken when it is seen standing with a vote for itself, or
//! leading, in that term. A candidate appends nothing and truncates nothing as long as it is one,
//! and a leader appends only entries of its own term, which are left out; so this is its log as it
//! stood when it stood. The voter's log at the moment of its vote is known only if the inspections
//! before and after the vote show the same log and at most two handlers ran in between: one of
//! them gave the vote, and the other alone cannot take entries away and bring them back.
//!
//! **What hurts nobody is a remark**. A voter that notes the end of its log apart from the log may
//! forget to renew the note when it installs a snapshot. Then it votes for candidates that lack
//! the snapshot's end. The majority that committed this end had it as an entry, before there was a
//! snapshot of it, and refuses such candidates, so none of them is elected; and the next entry
//! that the voter stores renews the note. So the end of a voter's log counts only if it was seen
//! there as an entry. One that made the snapshot itself belongs to that majority, perhaps, and is
//! judged.

use std::collections::BTreeMap;

use history::Moment;
use raftapi::{Inspect, Role};

use crate::breach::{ElectionBreach, LogEnd, Violation};
use crate::remark::{Deviation, Remark};
use crate::sample::Transition;

/// How the logs of candidates ended, and those of their voters.
#[derive(Debug, Default)]
pub(crate) struct UpToDate {
    /// By term and candidate.
    stood: BTreeMap<(u64, usize), (LogEnd, Moment)>,
    /// By term and candidate: the voter with the most up-to-date log.
    voters: BTreeMap<(u64, usize), Voter>,
    /// The same of voters whose log is nothing but an installed snapshot.
    with_snapshot: BTreeMap<(u64, usize), Voter>,
    /// By server: the last entry that was seen in its log.
    ends: BTreeMap<usize, LogEnd>,
}

#[derive(Debug, Clone, Copy)]
struct Voter {
    server: usize,
    end: LogEnd,
    at: Moment,
}

impl UpToDate {
    /// Takes in what a server shows. A second vote of the term elects nobody, or breaks S2; it may
    /// only name the leader.
    pub(crate) fn see(
        &mut self,
        seen: &Transition<'_>,
        is_second_vote: bool,
    ) -> Result<Option<Remark>, Violation> {
        let now = seen.now;
        let term = now.state.current_term;
        if !now.state.log_terms.is_empty() {
            self.ends.insert(now.server, end_of(&now.state));
        }
        if now.state.voted_for == Some(now.server)
            && now.state.role != Role::Follower
            && let Some(end) = end_before_term(&now.state)
        {
            self.stood.entry((term, now.server)).or_insert((end, now.at));
            return self.compare(term, now.server);
        }
        let vote = new_vote(seen).filter(|_| !is_second_vote);
        let Some((candidate, end)) = vote else { return Ok(None) };
        let is_entry = end.1 == 0 || self.ends.get(&now.server) == Some(&end);
        let voters = if is_entry { &mut self.voters } else { &mut self.with_snapshot };
        let key = (term, candidate);
        if voters.get(&key).is_none_or(|highest| end > highest.end) {
            voters.insert(key, Voter { server: now.server, end, at: now.at });
        }
        self.compare(term, candidate)
    }

    /// A crash can lose a candidacy that no other server knows of. Another one, with another log,
    /// can follow in the same term.
    pub(crate) fn crash(&mut self, server: usize) {
        self.stood.retain(|(_, candidate), _| *candidate != server);
        self.voters.retain(|_, voter| voter.server != server);
        self.with_snapshot.retain(|_, voter| voter.server != server);
    }

    fn compare(&mut self, term: u64, candidate: usize) -> Result<Option<Remark>, Violation> {
        let key = (term, candidate);
        let Some(stood) = self.stood.get(&key) else { return Ok(None) };
        let Some(voter) = self.voters.get(&key).filter(|voter| voter.end > stood.0) else {
            let voter = self.with_snapshot.remove(&key).filter(|voter| voter.end > stood.0);
            return Ok(voter.map(|Voter { server, end: snapshot, at: seen }| {
                let stood = stood.0;
                let what = Deviation::VotedBelowSnapshot { term, candidate, snapshot, stood };
                Remark { server, what, seen }
            }));
        };
        let breach = ElectionBreach::StaleCandidate {
            term,
            candidate,
            voter: (voter.end, voter.at),
            stood: *stood,
        };
        Err(Violation::of(voter.server, breach))
    }
}

/// A new vote for another server, with the voter's log if that is known for sure.
fn new_vote(seen: &Transition<'_>) -> Option<(usize, LogEnd)> {
    let (before, now) = (&seen.before?.state, &seen.now.state);
    let candidate = now.voted_for?;
    let is_new = before.current_term < now.current_term || before.voted_for.is_none();
    let is_same_log = seen.differs_at.is_none()
        && before.last_index() == now.last_index()
        && before.last_included_index == now.last_included_index;
    (is_new && candidate != seen.now.server && is_same_log && seen.now.handlers <= 2)
        .then(|| (candidate, end_of(now)))
}

fn end_of(state: &Inspect) -> LogEnd {
    (state.last_term(), state.last_index())
}

/// The end of the log without entries of the current term; none if a snapshot hides it.
fn end_before_term(state: &Inspect) -> Option<LogEnd> {
    let own = state.log_terms.iter().rev().take_while(|term| **term == state.current_term).count();
    let index = state.last_index() - own as u64;
    let term = state.term_at(index)?;
    (term < state.current_term).then_some((term, index))
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn a_vote_for_a_log_as_long_or_of_a_later_term_is_correct() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).log(&[1, 1, 1]))?;
            scenario.sees(1, |peer| peer.term(3).stands().log(&[1, 2]))?;
            scenario.sees(0, |peer| peer.term(3).voted(1).log(&[1, 1, 1]))?;
            scenario.sees(2, |peer| peer.term(2).log(&[1, 2]))?;
            scenario.sees(2, |peer| peer.term(3).voted(1).log(&[1, 2]))
        });
    }

    #[test]
    fn the_candidates_log_counts_as_it_was_when_it_stood() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(2).stands().log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(3).log(&[1]))?;
            scenario.sees(0, |peer| peer.term(2).voted(1).log(&[1, 1]))
        });
    }

    #[test]
    fn a_voter_that_got_entries_since_is_not_judged() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1]))?;
            scenario.sees(0, |peer| peer.term(2).voted(1).log(&[1, 2]))?;
            scenario.sees(1, |peer| peer.term(2).leads().log(&[1, 2]))
        });
    }

    #[test]
    fn a_voter_that_installed_a_snapshot_is_not_judged_by_its_end() {
        let mut scenario = Scenario::new();
        let installed = |peer: crate::scenario::Peer| peer.snapshot(2, 1).commit(2);
        scenario.sees(0, |peer| peer.term(1).log(&[1])).unwrap();
        scenario.sees(0, |peer| installed(peer.term(1))).unwrap();
        scenario.sees(1, |peer| peer.term(2).stands().log(&[1])).unwrap();
        scenario.sees(0, |peer| installed(peer.term(2).voted(1))).unwrap();
        assert_eq!(
            scenario.remarks(),
            ["server 0 voted for server 1 in term 2, seen at 0.004 s: the snapshot that it had \
             installed ended with index 2 of term 1, the candidate's log ended with index 1 of \
             term 1; the end of a snapshot counts as the end of the log (section 5.4.1)"]
        );
    }

    #[test]
    fn a_voter_that_made_its_snapshot_is_judged_by_its_end() {
        let sentence = "server 0 voted for server 1 in term 2, seen at 0.004 s: its own log ended \
                        with index 2 of term 1, the candidate's ended with index 1 of term 1";
        broke(Rule::S3, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1, 1]).commit(2))?;
            scenario.sees(0, |peer| peer.term(1).snapshot(2, 1).commit(2))?;
            scenario.sees(1, |peer| peer.term(2).stands().log(&[1]))?;
            scenario.sees(0, |peer| peer.term(2).voted(1).snapshot(2, 1).commit(2))
        });
    }

    #[test]
    fn a_vote_for_a_shorter_log_or_an_older_term_shows_both_ends() {
        let sentence = "server 0 voted for server 1 in term 2, seen at 0.002 s: its own log ended \
                        with index 2 of term 1, the candidate's ended with index 1 of term 1";
        broke(Rule::S3, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1, 1]))?;
            scenario.sees(0, |peer| peer.term(2).voted(1).log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(2).leads().log(&[1, 2]))
        });
        let sentence = "server 0 voted for server 1 in term 3, seen at 0.003 s: its own log ended \
                        with index 1 of term 2, the candidate's was empty";
        broke(Rule::S3, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).log(&[2]))?;
            scenario.sees(1, |peer| peer.term(3).stands())?;
            scenario.sees(0, |peer| peer.term(3).voted(1).log(&[2]))
        });
    }
}

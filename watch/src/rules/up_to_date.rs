//! S3, votes only for a log at least as up to date as the voter's (section 5.4.1).
//!
//! **Sound**: the candidate's log is taken from a sample that shows it in that term as a
//! candidate with a vote for itself, or as the leader. A candidate appends and truncates nothing,
//! and a leader appends only entries of its own term, which are left out. So this is the log with
//! which it asked for votes. The voter's log at the moment of its vote is known only if the
//! inspections before and after the vote show the same log and at most two handlers ran in between:
//! one of them gave the vote, and the other one cannot both remove entries and bring them back.
//!
//! **A follower may note the leader as its vote**, although its own log is longer. Entries that
//! are not committed do not keep a leader from being elected, and no vote is given. So the rule is
//! broken only when the candidate cannot have been elected without all such voters: by the
//! [`ballot`](super::ballot), or because another server leads the term. Otherwise the vote has
//! decided nothing, and is a remark.
//!
//! **An installed snapshot counts for less**. A voter may keep a separate note of the end of its
//! log, and forget to update the note when it installs a snapshot. Then it votes for candidates
//! that lack the snapshot's end. The majority that committed this end had it as an entry, before
//! there was a snapshot of it, and refuses such candidates, so none of them is elected. The next
//! entry that the voter stores updates the note. So the end of a voter's log counts only if it was
//! seen there as an entry; otherwise the vote is a remark. A voter that made the snapshot itself
//! may belong to that majority, so it is judged.

use std::collections::BTreeMap;

use history::Moment;
use raftapi::{Inspect, Role};

use crate::breach::{ElectionBreach, LogEnd, Violation};
use crate::remark::{Deviation, Remark};
use crate::rules::ballot::Ballot;
use crate::rules::first_votes::FirstVotes;
use crate::rules::leaders::Leaders;
use crate::sample::{Sample, Transition};

/// The ends of the logs of candidates and of their voters.
#[derive(Debug, Default)]
pub(crate) struct UpToDate {
    /// By term and candidate: the end of the log.
    stood: BTreeMap<(u64, usize), (LogEnd, Moment)>,
    /// By term and candidate: the end of the log.
    voters: BTreeMap<(u64, usize), Vec<Voter>>,
    /// Votes for a log that ends before the voter's log, until it is known what they decided.
    open: Vec<Stale>,
    /// By server: the last entry that was seen in its log.
    ends: BTreeMap<usize, LogEnd>,
}

#[derive(Debug, Clone, Copy)]
struct Voter {
    server: usize,
    end: LogEnd,
    at: Moment,
    /// Whether its log is only an installed snapshot.
    has_only_snapshot: bool,
}

/// The votes for one candidate by servers with a more up-to-date log than the candidate's.
#[derive(Debug)]
struct Stale {
    term: u64,
    candidate: usize,
    stood: (LogEnd, Moment),
    voters: Vec<Voter>,
    ballot: Ballot,
}

impl UpToDate {
    /// Reads a sample and the one before it. A second vote of the term is ignored: it may only note
    /// the leader, and otherwise S2 judges it. `alive` says which servers run.
    pub(crate) fn see(
        &mut self,
        seen: &Transition<'_>,
        is_second_vote: bool,
        alive: &[bool],
    ) -> Option<Remark> {
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
            return self.compare((term, now.server), now.at, alive);
        }
        let vote = new_vote(seen).filter(|_| !is_second_vote);
        let (candidate, end) = vote?;
        let is_entry = end.1 == 0 || self.ends.get(&now.server) == Some(&end);
        let voter = Voter { server: now.server, end, at: now.at, has_only_snapshot: !is_entry };
        self.voters.entry((term, candidate)).or_default().push(voter);
        self.compare((term, candidate), now.at, alive)
    }

    /// Finds the votes for a shorter log.
    fn compare(&mut self, of: (u64, usize), at: Moment, alive: &[bool]) -> Option<Remark> {
        let (term, candidate) = of;
        let stood = *self.stood.get(&of)?;
        let mut remark = None;
        for voter in self.voters.remove(&of)?.into_iter().filter(|voter| voter.end > stood.0) {
            if voter.has_only_snapshot {
                let (snapshot, stood) = (voter.end, stood.0);
                let what = Deviation::VotedBelowSnapshot { term, candidate, snapshot, stood };
                remark = Some(Remark { server: voter.server, what, seen: voter.at });
                continue;
            }
            match self.open.iter_mut().find(|votes| (votes.term, votes.candidate) == of) {
                Some(votes) => votes.voters.push(voter),
                None => {
                    let ballot = Ballot::new(term, at, alive);
                    self.open.push(Stale { term, candidate, stood, voters: vec![voter], ballot });
                }
            }
        }
        remark
    }

    /// Judges the votes for a shorter log by a new sample and by the known leaders.
    pub(crate) fn judge(
        &mut self,
        now: &Sample,
        first: &FirstVotes,
        leaders: &Leaders,
    ) -> Result<Vec<Remark>, Violation> {
        for votes in &mut self.open {
            votes.ballot.hear(now, first);
        }
        if let Some(votes) = self.open.iter().find(|votes| votes.did_harm(leaders)) {
            return Err(votes.violation());
        }
        let decided = self.open.extract_if(.., |votes| votes.are_harmless(leaders));
        Ok(decided.flat_map(Stale::remarks).collect())
    }

    /// Forgets a candidacy that a crash can lose, because no other server knows of it. Another one,
    /// with another log, can follow in the same term.
    pub(crate) fn crash(&mut self, server: usize) {
        self.stood.retain(|(_, candidate), _| *candidate != server);
        for voters in self.voters.values_mut() {
            voters.retain(|voter| voter.server != server);
        }
        for votes in &mut self.open {
            votes.ballot.crash(server);
        }
    }
}

impl Stale {
    fn is_by(&self, server: usize) -> bool {
        self.voters.iter().any(|voter| voter.server == server)
    }

    /// Whether the votes broke the rule: another server leads, or the candidate can only have been
    /// elected by these votes.
    fn did_harm(&self, leaders: &Leaders) -> bool {
        let leader = leaders.of(self.term);
        let is_known = leader == Some(self.candidate);
        let is_elected =
            self.ballot.can_have_elected(self.candidate, is_known, |server| self.is_by(server));
        (leader.is_some() && !is_known) || !is_elected
    }

    /// Whether the candidate leads by the votes of others, and no answer is missing.
    fn are_harmless(&self, leaders: &Leaders) -> bool {
        leaders.of(self.term) == Some(self.candidate)
            && self.ballot.is_over(|server| self.is_by(server))
    }

    /// The violation, which names the voter with the most up-to-date log.
    fn violation(&self) -> Violation {
        let Stale { term, candidate, stood, .. } = *self;
        let voter = self.voters.iter().rev().max_by_key(|voter| voter.end);
        let Voter { server, end, at, .. } = *voter.expect("there is a vote");
        let voter = (end, at);
        Violation::of(server, ElectionBreach::StaleCandidate { term, candidate, voter, stood })
    }

    fn remarks(self) -> impl Iterator<Item = Remark> {
        let Stale { term, candidate: leader, stood: (stood, _), voters, .. } = self;
        voters.into_iter().map(move |Voter { server, end, at, .. }| {
            let what = Deviation::NotedShorterLeader { term, leader, end, stood };
            Remark { server, what, seen: at }
        })
    }
}

/// A new vote for another server, with the end of the voter's log. None if that end is not certain.
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

/// The end of the log without entries of the current term. None if a snapshot hides it.
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
    fn the_log_counts_with_which_the_candidate_asked_for_votes() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(2).stands().log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(3).log(&[1]))?;
            scenario.sees(0, |peer| peer.term(2).voted(1).log(&[1, 1]))
        });
    }

    #[test]
    fn a_voter_that_got_entries_after_its_vote_is_not_judged() {
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
            scenario.sees(0, |peer| peer.term(2).voted(1).snapshot(2, 1).commit(2))?;
            scenario.sees(2, |peer| peer)
        });
    }

    #[test]
    fn a_vote_for_a_shorter_log_or_an_older_term_is_reported_with_both_ends() {
        let sentence = "server 0 voted for server 1 in term 2, seen at 0.002 s: its own log ended \
                        with index 2 of term 1, the candidate's ended with index 1 of term 1";
        broke(Rule::S3, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1, 1]))?;
            scenario.sees(0, |peer| peer.term(2).voted(1).log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(2).leads().log(&[1, 2]))?;
            scenario.sees(2, |peer| peer.term(2))
        });
        let sentence = "server 0 voted for server 1 in term 3, seen at 0.003 s: its own log ended \
                        with index 1 of term 2, the candidate's was empty";
        broke(Rule::S3, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).log(&[2]))?;
            scenario.sees(1, |peer| peer.term(3).stands())?;
            scenario.sees(0, |peer| peer.term(3).voted(1).log(&[2]))?;
            scenario.says(2, 3, true)?;
            scenario.sees(0, |peer| peer.term(3).voted(1).log(&[2]))
        });
    }

    #[test]
    fn a_follower_with_a_longer_log_may_note_the_leader_as_its_vote() {
        let noted = |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(2).stands())?;
            scenario.sees(0, |peer| peer.term(2).voted(1).log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(2).leads())
        };
        let mut scenario = Scenario::new();
        noted(&mut scenario).unwrap();
        assert_eq!(scenario.remarks(), [""; 0]);
        scenario.sees(2, |peer| peer.term(2).voted(1)).unwrap();
        assert_eq!(
            scenario.remarks(),
            ["server 0 shows server 1 as its vote in term 2, seen at 0.003 s, although its own \
             log ended with index 2 of term 1 and the candidate's was empty; server 1 leads that \
             term without its vote, and voted_for is the candidate that got the vote (Figure 2)"]
        );
        kept(|scenario: &mut Scenario| {
            noted(scenario)?;
            scenario.sees(2, |peer| peer.term(3))
        });
        kept(|scenario: &mut Scenario| {
            scenario.sees(2, |peer| peer.term(2).voted(1))?;
            noted(scenario)?;
            scenario.sees(2, |peer| peer.term(2).voted(1))
        });
        let sentence = "server 0 voted for server 1 in term 2, seen at 0.003 s: its own log ended \
                        with index 2 of term 1, the candidate's was empty";
        broke(Rule::S3, sentence, |scenario: &mut Scenario| {
            noted(scenario)?;
            scenario.sees(2, |peer| peer.term(1))
        });
    }
}

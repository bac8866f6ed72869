//! S3, votes only for a log at least as up to date as the voter's (section 5.4.1).
//!
//! **Sound**: the candidate's log is taken when it is seen standing with a vote for itself, or
//! leading, in that term. A candidate appends nothing and truncates nothing as long as it is one,
//! and a leader appends only entries of its own term, which are left out; so this is its log as it
//! stood when it stood. The voter's log at the moment of its vote is known only if the inspections
//! before and after the vote show the same log and at most two handlers ran in between: one of them
//! gave the vote, and the other alone cannot take entries away and bring them back.

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::invariants::broken;
use crate::invariants::rule::Rule;
use crate::invariants::sighting::{Look, seconds};
use raftapi::{Inspect, Role};

/// The end of a log: its last term, then its last index, in the order of "up to date".
type End = (u64, u64);

/// How candidates' logs ended, and those of their voters.
#[derive(Debug, Default)]
pub(crate) struct UpToDate {
    /// By term and candidate.
    stood: BTreeMap<(u64, usize), End>,
    /// By term and candidate: the voter with the most up-to-date log.
    voters: BTreeMap<(u64, usize), (End, usize, String)>,
}

impl UpToDate {
    pub(crate) fn see(&mut self, look: &Look<'_>) -> Result<(), Failure> {
        let now = look.now;
        let term = now.state.current_term;
        if now.state.voted_for == Some(now.server)
            && now.state.role != Role::Follower
            && let Some(end) = end_before_term(&now.state)
        {
            self.stood.entry((term, now.server)).or_insert(end);
            return self.compare(term, now.server);
        }
        let Some((candidate, end)) = vote(look) else { return Ok(()) };
        let key = (term, candidate);
        if self.voters.get(&key).is_none_or(|(highest, ..)| end > *highest) {
            self.voters.insert(key, (end, now.server, seconds(now.at)));
        }
        self.compare(term, candidate)
    }

    /// A crash may lose a candidacy that nobody was told of, and another with another log follow.
    pub(crate) fn crash(&mut self, server: usize) {
        self.stood.retain(|(_, candidate), _| *candidate != server);
        self.voters.retain(|_, (_, voter, _)| *voter != server);
    }

    fn compare(&self, term: u64, candidate: usize) -> Result<(), Failure> {
        let key = (term, candidate);
        let (Some(stood), Some((end, voter, at))) = (self.stood.get(&key), self.voters.get(&key))
        else {
            return Ok(());
        };
        if end <= stood {
            return Ok(());
        }
        let show = |(term, index): &End| match index {
            0 => "was empty".to_owned(),
            _ => format!("ended with index {index} of term {term}"),
        };
        let sentence = format!(
            "server {voter} voted for server {candidate} in term {term}, seen at {at}: its own log \
             {}, the candidate's {}",
            show(end),
            show(stood)
        );
        Err(broken(Rule::S3, *voter, sentence))
    }
}

/// A new vote for another, with the voter's log if that is known for sure.
fn vote(look: &Look<'_>) -> Option<(usize, End)> {
    let (before, now) = (&look.before?.state, &look.now.state);
    let candidate = now.voted_for?;
    let is_new = before.current_term < now.current_term || before.voted_for.is_none();
    let is_same_log = look.differs_at.is_none()
        && before.last_index() == now.last_index()
        && before.last_included_index == now.last_included_index;
    (is_new && candidate != look.now.server && is_same_log && look.now.handlers <= 2)
        .then(|| (candidate, (now.last_term(), now.last_index())))
}

/// The end of the log without entries of the current term; none if a snapshot hides it.
fn end_before_term(state: &Inspect) -> Option<End> {
    let own = state.log_terms.iter().rev().take_while(|term| **term == state.current_term).count();
    let index = state.last_index() - own as u64;
    let term = state.term_at(index)?;
    (term < state.current_term).then_some((term, index))
}

#[cfg(test)]
mod tests {
    use crate::invariants::Rule;
    use crate::invariants::story::{Story, broke, kept};

    #[test]
    fn a_vote_for_a_log_as_long_or_of_a_later_term_is_lawful() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(2).log(&[1, 1, 1]))?;
            story.sees(1, |peer| peer.term(3).stands().log(&[1, 2]))?;
            story.sees(0, |peer| peer.term(3).voted(1).log(&[1, 1, 1]))?;
            story.sees(2, |peer| peer.term(2).log(&[1, 2]))?;
            story.sees(2, |peer| peer.term(3).voted(1).log(&[1, 2]))
        });
    }

    #[test]
    fn the_candidates_log_counts_as_it_was_when_it_stood() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(1).log(&[1, 1]))?;
            story.sees(1, |peer| peer.term(2).stands().log(&[1, 1]))?;
            story.sees(1, |peer| peer.term(3).log(&[1]))?;
            story.sees(0, |peer| peer.term(2).voted(1).log(&[1, 1]))
        });
    }

    #[test]
    fn a_voter_that_got_entries_since_is_not_judged() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(1).log(&[1]))?;
            story.sees(0, |peer| peer.term(2).voted(1).log(&[1, 2]))?;
            story.sees(1, |peer| peer.term(2).leads().log(&[1, 2]))
        });
    }

    #[test]
    fn a_vote_for_a_shorter_log_or_an_older_term_shows_both_ends() {
        let sentence = "server 0 voted for server 1 in term 2, seen at 0.002 s: its own log ended \
                        with index 2 of term 1, the candidate's ended with index 1 of term 1";
        broke(Rule::S3, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(1).log(&[1, 1]))?;
            story.sees(0, |peer| peer.term(2).voted(1).log(&[1, 1]))?;
            story.sees(1, |peer| peer.term(2).leads().log(&[1, 2]))
        });
        let sentence = "server 0 voted for server 1 in term 3, seen at 0.003 s: its own log ended \
                        with index 1 of term 2, the candidate's was empty";
        broke(Rule::S3, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(2).log(&[2]))?;
            story.sees(1, |peer| peer.term(3).stands())?;
            story.sees(0, |peer| peer.term(3).voted(1).log(&[2]))
        });
    }
}

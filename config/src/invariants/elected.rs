//! S4, a leader has the votes of a majority in that very term (section 5.2).
//!
//! **Sound**: once a server says that it leads a term, a majority has voted for it, and a vote
//! stays in `voted_for` as long as the voter stays in the term. So a peer that is inspected after
//! the claim has not voted for it if it shows a lower term, or that very term with another vote or
//! none, unless it was once seen with the vote. A peer that has left the term may have voted, and
//! so may one that is down; neither counts. The rule is broken when no majority is left.

use std::time::Duration;

use crate::failure::Failure;
use crate::invariants::broken;
use crate::invariants::rule::Rule;
use crate::invariants::sighting::{Sighting, seconds};
use crate::invariants::survey::Survey;
use crate::invariants::votes::Votes;

/// Elections whose voters are still being asked.
#[derive(Debug, Default)]
pub(crate) struct Elected {
    open: Vec<Election>,
}

#[derive(Debug)]
struct Election {
    term: u64,
    leader: usize,
    at: Duration,
    voters: Survey,
}

impl Elected {
    /// A server says for the first time that it leads a term.
    pub(crate) fn claim(&mut self, leader: usize, term: u64, at: Duration, mut voters: Survey) {
        voters.give_up(leader);
        self.open.push(Election { term, leader, at, voters });
    }

    pub(crate) fn see(&mut self, now: &Sighting, votes: &Votes) -> Result<(), Failure> {
        for election in &mut self.open {
            let Election { term, leader, at, voters } = election;
            if !voters.awaits(now) {
                continue;
            }
            if voters.answer(now.server, may_have_voted(now, *term, *leader, votes)) {
                let sentence = format!(
                    "server {leader} led term {term} at {} without a majority: {} had not voted \
                     for it",
                    seconds(*at),
                    voters.naysayers()
                );
                return Err(broken(Rule::S4, *leader, sentence));
            }
        }
        self.open.retain(|election| !election.voters.is_over());
        Ok(())
    }

    pub(crate) fn crash(&mut self, server: usize) {
        for election in &mut self.open {
            election.voters.give_up(server);
        }
    }
}

fn may_have_voted(now: &Sighting, term: u64, leader: usize, votes: &Votes) -> bool {
    match votes.of(now.server, term) {
        Some(vote) => vote.candidate == leader,
        None => now.state.current_term > term,
    }
}

#[cfg(test)]
mod tests {
    use crate::invariants::Rule;
    use crate::invariants::story::{Story, broke, kept};

    #[test]
    fn a_majority_that_voted_is_enough_and_who_moved_on_may_have() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(1).leads())?;
            story.sees(1, |peer| peer.term(1).voted(0))?;
            story.sees(2, |peer| peer)
        });
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(1).leads())?;
            story.sees(1, |peer| peer.term(2))?;
            story.sees(2, |peer| peer)
        });
    }

    #[test]
    fn what_was_seen_before_the_claim_proves_nothing() {
        kept(|story: &mut Story| {
            story.sees(1, |peer| peer)?;
            story.sees(2, |peer| peer)?;
            story.sees(0, |peer| peer.term(1).leads())?;
            story.sees(1, |peer| peer.term(1).voted(0))?;
            story.sees(2, |peer| peer.term(1).voted(0))
        });
    }

    #[test]
    fn a_leader_without_a_majority_is_told_with_those_who_did_not_vote() {
        let sentence = "server 0 led term 3 at 0.001 s without a majority: servers 1 and 2 had \
                        not voted for it";
        broke(Rule::S4, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(3).leads())?;
            story.sees(2, |peer| peer.term(3).voted(2))?;
            story.sees(1, |peer| peer.term(2).voted(0))
        });
        broke(Rule::S4, sentence, |story: &mut Story| {
            story.says(0, 3, true)?;
            story.sees(2, |peer| peer.term(3))?;
            story.sees(1, |peer| peer.term(2).voted(0))
        });
    }
}

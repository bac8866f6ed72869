//! S4, a leader has the votes of a majority in its term (section 5.2).
//!
//! **Sound**: once a server says that it leads a term, a majority has voted for it, and a vote
//! stays in `voted_for` while the voter stays in the term. So a peer that is inspected after the
//! claim has not voted for it if it shows a lower term, or the same term with another vote or none,
//! unless it was once seen with the vote. A peer that has left the term or is down may have voted,
//! so it does not count. A server that voted for another first has not elected this one, whatever
//! it shows later. The rule is broken when no majority is left.

use history::Moment;

use crate::breach::{ElectionBreach, Violation};
use crate::poll::Poll;
use crate::rules::votes::Votes;
use crate::sample::Sample;

/// Elections whose voters are still being asked.
#[derive(Debug, Default)]
pub(crate) struct Elected {
    open: Vec<Election>,
}

#[derive(Debug)]
struct Election {
    term: u64,
    leader: usize,
    led: Moment,
    voters: Poll,
}

impl Elected {
    /// Records the first claim of a server that it leads a term.
    pub(crate) fn claim(&mut self, leader: usize, term: u64, led: Moment, mut voters: Poll) {
        voters.give_up(leader);
        self.open.push(Election { term, leader, led, voters });
    }

    pub(crate) fn see(&mut self, now: &Sample, votes: &Votes) -> Result<(), Violation> {
        for Election { term, leader, led, voters } in &mut self.open {
            if voters.awaits(now) && voters.answer(now, may_have_voted(now, *term, *leader, votes))
            {
                let against = voters.against().to_vec();
                // Both rules can be broken. The breach that says more is reported.
                if let Some(second) = votes.second(*term, *leader, &against) {
                    return Err(second);
                }
                let breach = ElectionBreach::NotElected { term: *term, led: *led, against };
                return Err(Violation::of(*leader, breach));
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

fn may_have_voted(now: &Sample, term: u64, leader: usize, votes: &Votes) -> bool {
    match votes.of(now.server, term) {
        Some((candidate, _)) => candidate == leader,
        None => now.state.current_term > term,
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn a_majority_of_votes_is_enough_and_a_server_in_a_later_term_may_have_voted() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads())?;
            scenario.sees(1, |peer| peer.term(1).voted(0))?;
            scenario.sees(2, |peer| peer)
        });
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads())?;
            scenario.sees(1, |peer| peer.term(2))?;
            scenario.sees(2, |peer| peer)
        });
    }

    #[test]
    fn samples_from_before_the_claim_prove_nothing() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(1, |peer| peer)?;
            scenario.sees(2, |peer| peer)?;
            scenario.sees(0, |peer| peer.term(1).leads())?;
            scenario.sees(1, |peer| peer.term(1).voted(0))?;
            scenario.sees(2, |peer| peer.term(1).voted(0))
        });
    }

    #[test]
    fn a_leader_without_a_majority_is_reported_with_the_servers_that_did_not_vote() {
        let sentence = "server 0 led term 3 at 0.001 s without a majority: servers 1 and 2 had \
                        not voted for it";
        broke(Rule::S4, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(3).leads())?;
            scenario.sees(2, |peer| peer.term(3).voted(2))?;
            scenario.sees(1, |peer| peer.term(2).voted(0))
        });
        broke(Rule::S4, sentence, |scenario: &mut Scenario| {
            scenario.says(0, 3, true)?;
            scenario.sees(2, |peer| peer.term(3))?;
            scenario.sees(1, |peer| peer.term(2).voted(0))
        });
    }
}

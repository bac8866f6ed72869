//! S1, at most one leader in a term, and S15, a server leads no term in which it voted for another
//! (section 5.2).
//!
//! **S1 is sound**: a peer counts as the leader of a term because it said so, by `inspect`, by
//! `get_state` or by taking a command in that term. Raft gives a term at most one leader, ever. So
//! two servers that say so contradict each other, at any time and even after restarts.
//!
//! **S15 is sound**: a candidate votes for itself when it enters a term (5.2). A server that gave
//! its vote in a term to another cannot lead that term, neither before nor after. So `(term, true)`
//! is wrong if the peer ever shows a vote for another in that term. A `get_state` that locks twice,
//! once for the term and once for the role, returns such an answer.

use std::collections::BTreeMap;

use history::Moment;

use crate::breach::{Claim, ElectionBreach, Violation};

/// The leader of each term, if one was seen.
#[derive(Debug, Default)]
pub(crate) struct Leaders {
    /// By term: the server, and how and when it first said so.
    by_term: BTreeMap<u64, (usize, Claim, Moment)>,
}

impl Leaders {
    /// Checks and records a claim that a server leads a term. True if it is new.
    pub(crate) fn claim(
        &mut self,
        server: usize,
        term: u64,
        claim: Claim,
        at: Moment,
    ) -> Result<bool, Violation> {
        let is_new = !self.by_term.contains_key(&term);
        let first = *self.by_term.entry(term).or_insert((server, claim, at));
        if first.0 == server {
            return Ok(is_new);
        }
        let leaders = [first, (server, claim, at)];
        Err(Violation::of(server, ElectionBreach::TwoLeaders { term, leaders }))
    }

    /// The leader of a term, if one was seen.
    pub(crate) fn of(&self, term: u64) -> Option<usize> {
        self.by_term.get(&term).map(|(leader, ..)| *leader)
    }

    /// Checks a vote that a server shows in a term: if it is for another server, it must not have
    /// said that it leads that term.
    pub(crate) fn check_vote(
        &self,
        server: usize,
        term: u64,
        vote: Option<(usize, Moment)>,
    ) -> Result<(), Violation> {
        match (self.by_term.get(&term), vote) {
            (Some((leader, claim, at)), Some(vote)) if *leader == server && vote.0 != server => {
                let said = (*claim, *at);
                let breach = ElectionBreach::LeadsWithoutOwnVote { term, said, vote };
                Err(Violation::of(server, breach))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn leaders_of_two_terms_at_the_same_time_are_correct() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads())?;
            scenario.sees(1, |peer| peer.term(2).leads())?;
            scenario.sees(0, |peer| peer.term(1).leads())?;
            scenario.says(1, 2, true)
        });
    }

    #[test]
    fn two_leaders_of_a_term_are_named_even_if_they_led_at_different_times() {
        broke(
            Rule::S1,
            "term 2 has two leaders: `inspect` of server 0 showed it at 0.001 s, and `get_state` \
             of server 1 said it at 0.003 s",
            {
                |scenario: &mut Scenario| {
                    scenario.sees(0, |peer| peer.term(2).leads())?;
                    scenario.sees(0, |peer| peer.term(3))?;
                    scenario.says(1, 2, true)
                }
            },
        );
    }

    #[test]
    fn a_server_that_claims_a_term_in_which_it_voted_for_another_is_reported() {
        let sentence = "`get_state` of server 1 said at 0.002 s that it leads term 4, in which it \
                        voted for server 2";
        broke(Rule::S15, sentence, |scenario: &mut Scenario| {
            scenario.sees(1, |peer| peer.term(4).voted(2))?;
            scenario.says(1, 4, true)
        });
        let sentence = "`get_state` of server 1 said at 0.001 s that it leads term 4, in which it \
                        voted for server 2";
        broke(Rule::S15, sentence, |scenario: &mut Scenario| {
            scenario.says(1, 4, true)?;
            scenario.sees(1, |peer| peer.term(4).voted(2))
        });
    }
}

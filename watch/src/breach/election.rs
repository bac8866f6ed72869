//! Breaches of terms, votes and leaders: S1 to S4, S15, and the part of S12 about terms.

use history::{Moment, Rule};

use crate::breach::fact::Fact;
use crate::breach::family::Family;
use crate::breach::words::{LogEnd, has_voted, log_end, seconds, servers};

/// How a rule of elections was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElectionBreach {
    /// S1: a second leader in a term.
    TwoLeaders {
        /// The term.
        term: u64,
        /// The leaders, and when each was seen to lead.
        leaders: [(usize, Moment); 2],
    },
    /// S2: a second vote in a term.
    TwoVotes {
        /// The term.
        term: u64,
        /// The candidates, and when each vote was seen.
        votes: [(usize, Moment); 2],
    },
    /// S3: a vote for a candidate whose log is less up to date than the voter's.
    StaleCandidate {
        /// The term.
        term: u64,
        /// The candidate.
        candidate: usize,
        /// How the voter's log ended, and when the vote was seen.
        voter: (LogEnd, Moment),
        /// How the candidate's log ended, and when that was seen.
        stood: (LogEnd, Moment),
    },
    /// S4: a leader without the votes of a majority.
    NotElected {
        /// The term.
        term: u64,
        /// When it was seen to lead.
        led: Moment,
        /// The servers that had not voted for it, and when each was seen so.
        against: Vec<(usize, Moment)>,
    },
    /// S15: a server said that it leads a term in which it voted for another.
    LeadsWithoutOwnVote {
        /// The term.
        term: u64,
        /// When it said that it leads.
        said: Moment,
        /// The candidate that it voted for, and when that was seen.
        vote: (usize, Moment),
    },
    /// S12: a term fell.
    TermFell {
        /// The term that it had been in.
        before: u64,
        /// The term that it is in.
        now: u64,
        /// When it said so.
        seen: Moment,
    },
}

impl Family for ElectionBreach {
    fn rule(&self) -> Option<Rule> {
        Some(match self {
            ElectionBreach::TwoLeaders { .. } => Rule::S1,
            ElectionBreach::TwoVotes { .. } => Rule::S2,
            ElectionBreach::StaleCandidate { .. } => Rule::S3,
            ElectionBreach::NotElected { .. } => Rule::S4,
            ElectionBreach::LeadsWithoutOwnVote { .. } => Rule::S15,
            ElectionBreach::TermFell { .. } => Rule::S12,
        })
    }

    fn sentence(&self, server: usize) -> String {
        match self {
            ElectionBreach::TwoLeaders { term, leaders: [(first, since), (second, at)] } => {
                format!(
                    "term {term} has two leaders, server {first} since {} and server {second} at {}",
                    seconds(*since),
                    seconds(*at)
                )
            }
            ElectionBreach::TwoVotes { term, votes: [(before, then), (candidate, now)] } => {
                format!(
                    "server {server} voted for server {candidate} in term {term}, seen at {}, and \
                     for server {before} before, seen at {}",
                    seconds(*now),
                    seconds(*then)
                )
            }
            ElectionBreach::StaleCandidate { term, candidate, voter, stood } => format!(
                "server {server} voted for server {candidate} in term {term}, seen at {}: its own \
                 log {}, the candidate's {}",
                seconds(voter.1),
                log_end(voter.0),
                log_end(stood.0)
            ),
            ElectionBreach::NotElected { term, led, against } => format!(
                "server {server} led term {term} at {} without a majority: {} had not voted for it",
                seconds(*led),
                servers(against)
            ),
            ElectionBreach::LeadsWithoutOwnVote { term, said, vote: (candidate, _) } => format!(
                "server {server} said at {} that it leads term {term}, in which it voted for \
                 server {candidate}",
                seconds(*said)
            ),
            ElectionBreach::TermFell { before, now, .. } => {
                format!("server {server} is in term {now} after it was in term {before}")
            }
        }
    }

    fn evidence(&self, server: usize) -> Vec<Fact> {
        match self {
            ElectionBreach::TwoLeaders { term, leaders } => leaders
                .map(|(leader, at)| Fact::new(at, leader, format!("leads term {term}")))
                .into(),
            ElectionBreach::TwoVotes { term, votes } => votes
                .map(|(candidate, at)| Fact::new(at, server, has_voted(candidate, *term)))
                .into(),
            ElectionBreach::StaleCandidate { term, candidate, voter, stood } => {
                let stands = format!("stands in term {term}; its log {}", log_end(stood.0));
                let voted =
                    format!("has voted for server {candidate}; its log {}", log_end(voter.0));
                vec![Fact::new(stood.1, *candidate, stands), Fact::new(voter.1, server, voted)]
            }
            ElectionBreach::NotElected { term, led, against } => {
                let mut facts = Fact::of_each(against, &format!("has no vote for server {server}"));
                facts.push(Fact::new(*led, server, format!("leads term {term}")));
                facts
            }
            ElectionBreach::LeadsWithoutOwnVote { term, said, vote: (candidate, at) } => vec![
                Fact::new(*said, server, format!("says that it leads term {term}")),
                Fact::new(*at, server, has_voted(*candidate, *term)),
            ],
            ElectionBreach::TermFell { before, now, seen } => {
                vec![Fact::new(*seen, server, format!("is in term {now}, after term {before}"))]
            }
        }
    }
}

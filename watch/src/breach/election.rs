//! Breaches about terms, votes and leaders: S1 to S4, S15, and the part of S12 about terms.

use std::fmt;

use history::{Moment, Rule};

use crate::breach::fact::Fact;
use crate::breach::family::Family;
use crate::breach::words::{LogEnd, has_voted, log_end, seconds, servers};

/// How a rule about elections was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElectionBreach {
    /// S1: a second leader in a term.
    TwoLeaders {
        /// The term.
        term: u64,
        /// The leaders, and how and when each one said so.
        leaders: [(usize, Claim, Moment); 2],
    },
    /// S2: a second vote in a term.
    TwoVotes {
        /// The term.
        term: u64,
        /// The candidates, and when each vote was seen.
        votes: [(usize, Moment); 2],
        /// When the first vote was seen to have vanished, if that was seen.
        vanished: Option<Moment>,
    },
    /// S2: a vote vanished although its server ran and stayed in the term.
    VoteVanished {
        /// The term.
        term: u64,
        /// The candidate.
        candidate: usize,
        /// When the vote was seen, and when it was seen to be gone.
        seen: [Moment; 2],
    },
    /// S3: a vote for a candidate whose log is less up to date than the voter's.
    StaleCandidate {
        /// The term.
        term: u64,
        /// The candidate.
        candidate: usize,
        /// The end of the voter's log, and when the vote was seen.
        voter: (LogEnd, Moment),
        /// The end of the candidate's log, and when that was seen.
        stood: (LogEnd, Moment),
    },
    /// S4: a leader without the votes of a majority.
    NotElected {
        /// The term.
        term: u64,
        /// When it was seen to lead.
        led: Moment,
        /// The servers that had not voted for it, and when each was seen without the vote.
        against: Vec<(usize, Moment)>,
    },
    /// S15: a server said that it leads a term in which it voted for another.
    LeadsWithoutOwnVote {
        /// The term.
        term: u64,
        /// How and when it said that it leads.
        said: (Claim, Moment),
        /// The candidate that it voted for, and when that was seen.
        vote: (usize, Moment),
    },
    /// S12: a term fell.
    TermFell {
        /// The term that it was in before.
        before: u64,
        /// The term that it is in now.
        now: u64,
        /// When it showed the lower term.
        seen: Moment,
    },
}

/// How a server says that it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// `inspect` shows the role of a leader.
    Inspect,
    /// `get_state` says that it leads.
    GetState,
    /// `start` took a command in that term.
    Start,
}

impl Claim {
    fn verb(self) -> &'static str {
        match self {
            Claim::Inspect => "showed it",
            Claim::GetState => "said it",
            Claim::Start => "took a command",
        }
    }
}

impl fmt::Display for Claim {
    /// The name of the method.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Claim::Inspect => "`inspect`",
            Claim::GetState => "`get_state`",
            Claim::Start => "`start`",
        })
    }
}

impl Family for ElectionBreach {
    fn rule(&self) -> Option<Rule> {
        Some(match self {
            ElectionBreach::TwoLeaders { .. } => Rule::S1,
            ElectionBreach::TwoVotes { .. } | ElectionBreach::VoteVanished { .. } => Rule::S2,
            ElectionBreach::StaleCandidate { .. } => Rule::S3,
            ElectionBreach::NotElected { .. } => Rule::S4,
            ElectionBreach::LeadsWithoutOwnVote { .. } => Rule::S15,
            ElectionBreach::TermFell { .. } => Rule::S12,
        })
    }

    fn look(&self) -> Option<&'static str> {
        match self {
            ElectionBreach::TwoLeaders { leaders, .. }
                if leaders.iter().any(|leader| leader.1 != Claim::Inspect) =>
            {
                Some(
                    "get_state and start, which read current_term and the role under one lock, and \
                     where a candidate counts votes; a reply counts only in the term in which the \
                     vote was asked for (section 5.2)",
                )
            }
            ElectionBreach::TermFell { .. } => Some(
                "every line that sets current_term; it only rises, and get_state and inspect read \
                 it under the lock (section 5.1, Figure 2)",
            ),
            _ => None,
        }
    }

    fn sentence(&self, server: usize) -> String {
        match self {
            ElectionBreach::TwoLeaders { term, leaders: [first, second] } => {
                let [first, second] = [first, second].map(|(leader, claim, at)| {
                    format!("{claim} of server {leader} {} at {}", claim.verb(), seconds(*at))
                });
                format!("term {term} has two leaders: {first}, and {second}")
            }
            ElectionBreach::TwoVotes {
                term,
                votes: [(before, then), (candidate, now)],
                vanished,
            } => format!(
                "server {server} voted for server {candidate} in term {term}, seen at {}, and for \
                 server {before} before, seen at {}{}",
                seconds(*now),
                seconds(*then),
                vanished.map_or_else(String::new, |at| {
                    format!("; that vote had vanished by {}", seconds(at))
                })
            ),
            ElectionBreach::VoteVanished { term, candidate, seen: [from, to] } => format!(
                "server {server} voted for server {candidate} in term {term}, seen at {}, and is \
                 in term {term} without that vote at {}; it has not restarted",
                seconds(*from),
                seconds(*to)
            ),
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
                "{} of server {server} said at {} that it leads term {term}, in which it voted for \
                 server {candidate}",
                said.0,
                seconds(said.1)
            ),
            ElectionBreach::TermFell { before, now, .. } => {
                format!("server {server} is in term {now} after it was in term {before}")
            }
        }
    }

    fn evidence(&self, server: usize) -> Vec<Fact> {
        match self {
            ElectionBreach::TwoLeaders { term, leaders } => leaders
                .map(|(leader, claim, at)| {
                    Fact::new(at, leader, format!("leads term {term}, by {claim}"))
                })
                .into(),
            ElectionBreach::TwoVotes { term, votes: [first, second], vanished } => {
                let voted = |(candidate, at)| Fact::new(at, server, has_voted(candidate, *term));
                let without = format!("is in term {term} without that vote");
                let vanished = vanished.map(|at| Fact::new(at, server, without));
                [Some(voted(*first)), vanished, Some(voted(*second))]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            ElectionBreach::VoteVanished { term, candidate, seen: [from, to] } => vec![
                Fact::new(*from, server, has_voted(*candidate, *term)),
                Fact::new(*to, server, format!("is in term {term} without that vote")),
            ],
            ElectionBreach::StaleCandidate { term, candidate, voter, stood } => {
                let stands = format!("stands in term {term}; its log {}", log_end(stood.0));
                let voted =
                    format!("has voted for server {candidate}; its log {}", log_end(voter.0));
                vec![Fact::new(stood.1, *candidate, stands), Fact::new(voter.1, server, voted)]
            }
            ElectionBreach::NotElected { term, led, against } => {
                let without = format!("has not voted for server {server} in term {term}");
                let mut facts = Fact::of_each(against, &without);
                facts.push(Fact::new(*led, server, format!("leads term {term}")));
                facts
            }
            ElectionBreach::LeadsWithoutOwnVote { term, said, vote: (candidate, at) } => vec![
                Fact::new(said.1, server, format!("says by {} that it leads term {term}", said.0)),
                Fact::new(*at, server, has_voted(*candidate, *term)),
            ],
            ElectionBreach::TermFell { before, now, seen } => {
                vec![Fact::new(*seen, server, format!("is in term {now}, after term {before}"))]
            }
        }
    }
}

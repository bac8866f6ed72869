//! A remark: something that the paper forbids to the letter, but that provably does no harm.
//!
//! It is not a violation. The files in `rules/` argue for each kind why it cannot break safety.

use std::fmt;

use history::Moment;

use crate::breach::LogEnd;
use crate::breach::words::{log_end, seconds};

/// A deviation of a server from the letter of the paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The server that did it.
    pub server: usize,
    /// What it did.
    pub what: Deviation,
    /// When it was seen.
    pub seen: Moment,
}

/// How a server deviated from the paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deviation {
    /// A candidate that did not win cleared its vote for itself.
    FreedOwnVote {
        /// The term.
        term: u64,
    },
    /// A candidate that did not win voted for a rival in its own term.
    GaveWay {
        /// The term.
        term: u64,
        /// The rival.
        candidate: usize,
    },
    /// A voter cleared its vote for a candidate that had lost against the leader of the term.
    FreedVoteForLoser {
        /// The term.
        term: u64,
        /// The candidate.
        candidate: usize,
        /// The leader.
        leader: usize,
    },
    /// A voter set its vote to the leader of the term, which won without this vote.
    NotedLeader {
        /// The term.
        term: u64,
        /// The candidate that got its vote.
        candidate: usize,
        /// The leader.
        leader: usize,
    },
    /// A server set its vote to the leader, although its own log was more up to date than the
    /// leader's.
    NotedShorterLeader {
        /// The term.
        term: u64,
        /// The leader.
        leader: usize,
        /// The end of the server's log.
        end: LogEnd,
        /// The end of the leader's log when it was a candidate.
        stood: LogEnd,
    },
    /// A server kept the entries after a snapshot although its log conflicts with the snapshot.
    KeptTail {
        /// The last entry of the snapshot: index and term.
        snapshot: (u64, u64),
        /// The term of the entry after it.
        next_term: u64,
    },
    /// A voter whose whole log is an installed snapshot voted for a log that ends before that
    /// snapshot.
    VotedBelowSnapshot {
        /// The term.
        term: u64,
        /// The candidate.
        candidate: usize,
        /// The end of the snapshot.
        snapshot: LogEnd,
        /// The end of the candidate's log.
        stood: LogEnd,
    },
}

impl Remark {
    /// One number for each kind of deviation.
    pub fn kind(&self) -> usize {
        match self.what {
            Deviation::FreedOwnVote { .. } => 0,
            Deviation::GaveWay { .. } => 1,
            Deviation::FreedVoteForLoser { .. } => 2,
            Deviation::KeptTail { .. } => 3,
            Deviation::VotedBelowSnapshot { .. } => 4,
            Deviation::NotedLeader { .. } => 5,
            Deviation::NotedShorterLeader { .. } => 6,
        }
    }
}

impl fmt::Display for Remark {
    /// One sentence: what was seen, and what the paper says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (server, at) = (self.server, seconds(self.seen));
        match &self.what {
            Deviation::FreedOwnVote { term } => write!(
                f,
                "server {server} was a candidate in term {term} and cleared its own vote, seen at \
                 {at}; voted_for is cleared only when the term rises (section 5.2)"
            ),
            Deviation::GaveWay { term, candidate } => write!(
                f,
                "server {server} was a candidate in term {term} and then voted for server \
                 {candidate}, seen at {at}; a server votes once in a term (section 5.2)"
            ),
            Deviation::FreedVoteForLoser { term, candidate, leader } => write!(
                f,
                "server {server} cleared its vote for server {candidate} in term {term}, which \
                 server {leader} leads, seen at {at}; voted_for is cleared only when the term \
                 rises (section 5.2)"
            ),
            Deviation::NotedLeader { term, candidate, leader } => write!(
                f,
                "server {server} voted for server {candidate} in term {term} and then set \
                 voted_for to server {leader}, which leads that term without its vote, seen at \
                 {at}; a server votes once in a term (section 5.2)"
            ),
            Deviation::NotedShorterLeader { term, leader, end, stood } => write!(
                f,
                "server {server} shows server {leader} as its vote in term {term}, seen at {at}, \
                 although its own log {} and the candidate's {}; server {leader} leads that term \
                 without its vote, and voted_for is the candidate that got the vote (Figure 2)",
                log_end(*end),
                log_end(*stood)
            ),
            Deviation::KeptTail { snapshot: (index, term), next_term } => write!(
                f,
                "server {server} has a snapshot that ends with index {index} of term {term} and \
                 kept an entry of term {next_term} after it, which conflicts, seen at {at}; such \
                 a log is discarded (section 7, Figure 13)"
            ),
            Deviation::VotedBelowSnapshot { term, candidate, snapshot, stood } => write!(
                f,
                "server {server} voted for server {candidate} in term {term}, seen at {at}: the \
                 snapshot that it had installed {}, the candidate's log {}; the end of a snapshot \
                 counts as the end of the log (section 5.4.1)",
                log_end(*snapshot),
                log_end(*stood)
            ),
        }
    }
}

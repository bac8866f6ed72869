//! What is known about the votes of a term: which servers can have been elected in it before some
//! moment.
//!
//! All servers are asked at that moment. A voter has not elected a server before that moment if a
//! sample that was asked for later shows a lower term, or the same term without a vote for that
//! server. It has not elected it either if it was first seen with a vote for another server; but a
//! first vote for itself does not count, because a candidate may give way to a rival. A voter that
//! is down, or has left the term, may have voted for any server.

use history::Moment;

use crate::rules::first_votes::FirstVotes;
use crate::sample::Sample;

/// The votes of a term up to a moment.
#[derive(Debug)]
pub(crate) struct Ballot {
    term: u64,
    since: Moment,
    /// By server: what is known about its vote.
    voters: Vec<Voter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voter {
    /// Its next sample will show it.
    Asked,
    /// It may have voted for any server.
    Unknown,
    /// It has not voted in the term yet.
    Below,
    /// It has voted for this server, or shows no vote in the term.
    Voted(Option<usize>),
}

impl Ballot {
    /// Asks all servers. `alive` are those that run.
    pub(crate) fn new(term: u64, since: Moment, alive: &[bool]) -> Ballot {
        let asked = |alive: &bool| if *alive { Voter::Asked } else { Voter::Unknown };
        Ballot { term, since, voters: alive.iter().map(asked).collect() }
    }

    /// Reads a sample; `first` are the first votes of all servers.
    pub(crate) fn hear(&mut self, now: &Sample, first: &FirstVotes) {
        let term = self.term;
        for (voter, known) in self.voters.iter_mut().enumerate() {
            let vote = first.get(&(voter, term)).map(|vote| vote.candidate);
            if matches!(known, Voter::Asked | Voter::Unknown)
                && vote.is_some_and(|candidate| candidate != voter)
            {
                *known = Voter::Voted(vote);
            }
            if voter == now.server && now.asked > self.since && *known == Voter::Asked {
                *known = match now.state.current_term {
                    below if below < term => Voter::Below,
                    same if same == term => Voter::Voted(vote),
                    _ => Voter::Unknown,
                };
            }
        }
    }

    /// Stops asking a server that has crashed, since the crash can have lost its vote.
    pub(crate) fn crash(&mut self, server: usize) {
        if self.voters[server] == Voter::Asked {
            self.voters[server] = Voter::Unknown;
        }
    }

    /// Whether a server can have been elected without the votes of the servers in `left_out`. A
    /// server that is known to lead has its own vote, whatever it shows.
    pub(crate) fn can_have_elected(
        &self,
        server: usize,
        is_known: bool,
        left_out: impl Fn(usize) -> bool,
    ) -> bool {
        let may_have_voted = |(voter, known): (usize, &Voter)| match *known {
            _ if left_out(voter) => false,
            _ if voter == server && is_known => true,
            Voter::Asked | Voter::Unknown => true,
            Voter::Below => false,
            Voter::Voted(None) => voter == server,
            Voter::Voted(Some(candidate)) => candidate == server,
        };
        let voters = self.voters.iter().enumerate().filter(|it| may_have_voted(*it)).count();
        voters * 2 > self.voters.len()
    }

    /// Whether all servers except those in `left_out` have answered.
    pub(crate) fn is_over(&self, left_out: impl Fn(usize) -> bool) -> bool {
        let mut voters = self.voters.iter().enumerate().filter(|(voter, _)| !left_out(*voter));
        voters.all(|(_, known)| *known != Voter::Asked)
    }

    /// All servers of the cluster.
    pub(crate) fn servers(&self) -> std::ops::Range<usize> {
        0..self.voters.len()
    }
}

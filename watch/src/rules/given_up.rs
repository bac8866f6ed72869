//! Votes for another server that changed or vanished within their term, until it is known whether
//! that can have done harm: the part of S2 that needs to know which server leads.
//!
//! A voter may clear its vote for a candidate that has lost, and it may note the leader of the term
//! as its vote. Both are against the letter of Figure 2, but do no harm: the voters of that leader
//! are a majority without this server, whose vote another candidate got, so no other server can be
//! elected in the term. The samples of two servers come in any order, so the voter can be seen
//! before the leader.
//!
//! **Sound**: a vote that only vanished breaks the rule when its candidate is known to lead: the
//! vote may have been counted and its candidate has not lost, so the paper requires that it is
//! kept. A second vote, and a vote that a crash lost, also break the rule when no leader can excuse
//! them. Such a leader is a server other than the first candidate and the voter, and had a majority
//! *without the voter* before the change. The [`ballot`](super::ballot) finds the possible winners.
//!
//! A real second vote that elects a leader is found if its voters are sampled in that term: either
//! the first candidate leads, or the second one has no majority without this voter. If the voters
//! of a leader are a majority without this voter, the second vote has decided nothing, and is a
//! remark.

use history::Moment;

use crate::breach::{CrashBreach, ElectionBreach, Forgotten, Violation};
use crate::remark::{Deviation, Remark};
use crate::rules::ballot::Ballot;
use crate::rules::first_votes::FirstVotes;
use crate::rules::leaders::Leaders;
use crate::sample::Sample;

/// All votes that were given up.
#[derive(Debug, Default)]
pub(crate) struct GivenUp {
    open: Vec<Case>,
    /// Second votes that have decided nothing: server and term.
    closed: Vec<(usize, u64)>,
}

/// A change of a vote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) server: usize,
    pub(crate) term: u64,
    /// The candidate of the first vote, and when that was seen.
    pub(crate) first: (usize, Moment),
    pub(crate) how: How,
    /// When the change was seen.
    pub(crate) at: Moment,
}

/// How a vote was given up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    /// It vanished while the server ran; it was last seen at `from`.
    Vanished { from: Moment },
    /// It was gone after a crash.
    Forgotten,
    /// Another vote took its place, possibly after the first was seen to have vanished.
    Second { candidate: usize, vanished: Option<[Moment; 2]> },
}

#[derive(Debug)]
struct Case {
    change: Change,
    ballot: Ballot,
}

impl GivenUp {
    /// Records that a vote was given up. `alive` says which servers run.
    pub(crate) fn open(&mut self, change: Change, alive: &[bool]) {
        let Change { server, term, at, .. } = change;
        if self.closed.contains(&(server, term)) {
            return;
        }
        let place = self.open.iter().position(|case| case.is_of(server, term));
        if place.is_some_and(|place| self.open[place].is_second()) {
            return;
        }
        let case = Case { change, ballot: Ballot::new(term, at, alive) };
        match place {
            Some(place) => self.open[place] = case,
            None => self.open.push(case),
        }
    }

    /// Records that a server shows its first vote again.
    pub(crate) fn note_back(&mut self, server: usize, term: u64) {
        self.open.retain(|case| case.is_second() || !case.is_of(server, term));
    }

    /// Whether a server has given up a vote of this term.
    pub(crate) fn has(&self, server: usize, term: u64) -> bool {
        self.closed.contains(&(server, term))
            || self.open.iter().any(|case| case.is_of(server, term))
    }

    /// Reads a sample.
    pub(crate) fn hear(&mut self, now: &Sample, first: &FirstVotes) {
        for case in &mut self.open {
            case.ballot.hear(now, first);
        }
    }

    /// Returns what is decided now: a breach, or remarks.
    pub(crate) fn judge(&mut self, leaders: &Leaders) -> Result<Vec<Remark>, Violation> {
        let breach = self.open.iter().position(|case| case.did_harm(leaders));
        if let Some(place) = breach {
            return Err(self.open.swap_remove(place).change.violation());
        }
        let mut remarks = Vec::new();
        for case in &self.open {
            let remark = case.remark(leaders);
            if remark.is_some() && case.is_second() {
                self.closed.push((case.change.server, case.change.term));
            }
            remarks.extend(remark);
        }
        self.open.retain(|case| case.remark(leaders).is_none());
        Ok(remarks)
    }

    /// Stops asking a server that has crashed, since the crash can have lost its vote.
    pub(crate) fn crash(&mut self, server: usize) {
        for case in &mut self.open {
            case.ballot.crash(server);
        }
    }

    /// A second vote for this leader by one of these servers.
    pub(crate) fn second(
        &self,
        term: u64,
        leader: usize,
        voters: &[(usize, Moment)],
    ) -> Option<Violation> {
        let elects = |change: &&Change| {
            change.term == term
                && matches!(change.how, How::Second { candidate, .. } if candidate == leader)
                && voters.iter().any(|(voter, _)| *voter == change.server)
        };
        self.open.iter().map(|case| &case.change).find(elects).map(Change::violation)
    }
}

impl Case {
    fn is_of(&self, server: usize, term: u64) -> bool {
        (self.change.server, self.change.term) == (server, term)
    }

    fn is_second(&self) -> bool {
        matches!(self.change.how, How::Second { .. })
    }

    fn did_harm(&self, leaders: &Leaders) -> bool {
        let leader = leaders.of(self.change.term);
        if leader == Some(self.change.first.0) {
            return true;
        }
        if matches!(self.change.how, How::Vanished { .. }) {
            return false;
        }
        match leader {
            Some(leader) => !self.can_lead(leader, true),
            None => !self.ballot.servers().any(|server| self.can_lead(server, false)),
        }
    }

    /// Whether a server can have been elected without this voter.
    fn can_lead(&self, server: usize, is_known: bool) -> bool {
        server != self.change.server
            && server != self.change.first.0
            && self.ballot.can_have_elected(server, is_known, |voter| voter == self.change.server)
    }

    /// The remark, once another leader is known and all servers have answered. If the vote only
    /// vanished, the answers are not needed.
    fn remark(&self, leaders: &Leaders) -> Option<Remark> {
        let Change { server, term, first: (candidate, _), how, at } = self.change;
        let leader = leaders.of(term)?;
        let is_open = !self.ballot.is_over(|voter| voter == server);
        let what = match how {
            How::Forgotten | How::Second { .. } if is_open => return None,
            How::Second { candidate: second, .. } if second == leader => {
                Deviation::NotedLeader { term, candidate, leader }
            }
            _ => Deviation::FreedVoteForLoser { term, candidate, leader },
        };
        Some(Remark { server, what, seen: at })
    }
}

impl Change {
    pub(crate) fn violation(&self) -> Violation {
        let Change { server, term, first, how, at } = *self;
        let breach = match how {
            How::Vanished { from } => {
                ElectionBreach::VoteVanished { term, candidate: first.0, seen: [from, at] }
            }
            How::Second { candidate, vanished } => {
                let votes = [first, (candidate, at)];
                ElectionBreach::TwoVotes { term, votes, vanished: vanished.map(|[_, at]| at) }
            }
            How::Forgotten => {
                let what = Forgotten::Vote { term, vote: first };
                return Violation::of(server, CrashBreach::Forgot { restarted: at, what });
            }
        };
        Violation::of(server, breach)
    }
}

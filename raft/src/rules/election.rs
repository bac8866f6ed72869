//! Leader election (section 5.2) with the restriction on who may win (section 5.4.1).

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::senders::Request;
use crate::state::{Role, State};

/// Invoked by candidates to gather votes (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestVoteArgs {
    /// The candidate's term.
    pub(crate) term: u64,
    pub(crate) candidate_id: usize,
    /// The index and the term of the candidate's last log entry.
    pub(crate) last_log_index: u64,
    pub(crate) last_log_term: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestVoteReply {
    /// The voter's term, for the candidate to update itself.
    pub(crate) term: u64,
    pub(crate) vote_granted: bool,
}

impl State {
    /// The election timeout has run out: stands for the next term, and asks everybody at once.
    pub(crate) fn stand_for_election(&mut self, now: Instant) -> Vec<(usize, Request)> {
        self.become_candidate();
        let args = RequestVoteArgs {
            term: self.current_term,
            candidate_id: self.me,
            last_log_index: self.log.last_index(),
            last_log_term: self.log.last_term(),
        };
        self.lead_if_elected(now);
        let others = (0..self.servers).filter(|server| *server != self.me);
        others.map(|server| (server, Request::Vote(args.clone()))).collect()
    }

    /// The RequestVote RPC, receiver implementation (Figure 2).
    pub(crate) fn request_vote(&mut self, args: &RequestVoteArgs) -> RequestVoteReply {
        let &RequestVoteArgs { term, candidate_id, last_log_index, last_log_term } = args;
        self.adopt_higher_term(term);
        // The candidate may ask again for the vote that it has: the first answer may be lost.
        let is_free = self.voted_for.is_none_or(|voted_for| voted_for == candidate_id);
        let vote_granted = term == self.current_term
            && is_free
            && self.log.is_no_newer_than(last_log_index, last_log_term);
        if vote_granted {
            if self.voted_for.is_none() {
                self.voted_for = Some(candidate_id);
                // A vote that a crash forgets could be given twice.
                self.must_save = true;
            }
            self.reset_election_timer();
        }
        RequestVoteReply { term: self.current_term, vote_granted }
    }

    /// A voter has answered.
    pub(crate) fn count_vote(
        &mut self,
        server: usize,
        args: &RequestVoteArgs,
        reply: &RequestVoteReply,
        now: Instant,
    ) {
        self.adopt_higher_term(reply.term);
        // The answer may be to an election that is over: a vote counts only in its own term.
        if !reply.vote_granted || args.term != self.current_term {
            return;
        }
        if let Role::Candidate { votes } = &mut self.role {
            votes.insert(server);
            self.lead_if_elected(now);
        }
    }

    fn lead_if_elected(&mut self, now: Instant) {
        if matches!(&self.role, Role::Candidate { votes } if votes.len() >= self.majority()) {
            self.become_leader(now);
        }
    }
}

//! Leader election (section 5.2) with the restriction on who may win (section 5.4.1).
//!
//! A RequestVote that is lost is not sent again within its term, although servers retry RPCs in the
//! paper (section 5.1). That is correct: a lost request only means a vote fewer, and a candidate
//! that has too few stands again, in a new term, when its election timer expires. So safety needs
//! no retry, and liveness has that timer.

use std::time::Instant;

use super::clock::Clock;
use super::messages::{Request, RequestVoteArgs, RequestVoteReply};
use super::state::{Role, State};

impl State {
    /// The election timer has expired: stands for the next term, and asks all others at once.
    pub(super) fn stand_for_election(
        &mut self,
        now: Instant,
        clock: &dyn Clock,
    ) -> Vec<(usize, Request)> {
        self.become_candidate(clock);
        let args = RequestVoteArgs {
            term: self.current_term(),
            candidate_id: self.me,
            last_log_index: self.log().last_index(),
            last_log_term: self.log().last_term(),
        };
        self.lead_if_elected(now);
        let others = (0..self.servers).filter(|server| *server != self.me);
        others.map(|server| (server, Request::Vote(args.clone()))).collect()
    }

    /// The RequestVote RPC, receiver implementation (Figure 2).
    pub(crate) fn request_vote(
        &mut self,
        args: &RequestVoteArgs,
        clock: &dyn Clock,
    ) -> RequestVoteReply {
        let &RequestVoteArgs { term, candidate_id, last_log_index, last_log_term } = args;
        self.adopt_higher_term(term, clock);
        // The candidate may ask again for the vote that it has: the first reply may be lost.
        let is_free = self.voted_for().is_none_or(|voted_for| voted_for == candidate_id);
        let vote_granted = term == self.current_term()
            && is_free
            && self.log().is_no_newer_than(last_log_index, last_log_term);
        if vote_granted {
            if self.voted_for().is_none() {
                self.persistent.vote_for(candidate_id);
            }
            self.reset_election_timer(clock);
        }
        RequestVoteReply { term: self.current_term(), vote_granted }
    }

    /// A voter has replied.
    pub(crate) fn count_vote(
        &mut self,
        server: usize,
        args: &RequestVoteArgs,
        reply: &RequestVoteReply,
        clock: &dyn Clock,
    ) {
        let now = clock.now();
        self.adopt_higher_term(reply.term, clock);
        // The reply may be from an election that is over: a vote counts only in its own term.
        if !reply.vote_granted || args.term != self.current_term() {
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

//! Leader election (section 5.2) with the restriction on who may win (section 5.4.1).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::raft::Raft;
use crate::state::{Role, State};

pub(crate) const REQUEST_VOTE: &str = "RequestVote";

/// Invoked by candidates to gather votes (Figure 2).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RequestVoteArgs {
    /// The candidate's term.
    pub(crate) term: u64,
    pub(crate) candidate_id: usize,
    /// The index and the term of the candidate's last log entry.
    pub(crate) last_log_index: u64,
    pub(crate) last_log_term: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestVoteReply {
    /// The voter's term, for the candidate to update itself.
    pub(crate) term: u64,
    pub(crate) vote_granted: bool,
}

impl Raft {
    /// The election timeout has run out: stands for the next term and asks everybody at once.
    pub(crate) fn stand_for_election(self: &Arc<Self>, state: &mut State) {
        state.become_candidate(self.me);
        self.persist(state);
        let args = RequestVoteArgs {
            term: state.current_term,
            candidate_id: self.me,
            last_log_index: state.log.last_index(),
            last_log_term: state.log.last_term(),
        };
        for server in self.peers() {
            let (raft, args) = (Arc::clone(self), args.clone());
            self.spawn("vote", move || raft.ask_for_vote(server, &args));
        }
        self.lead_if_elected(state);
    }

    fn ask_for_vote(&self, server: usize, args: &RequestVoteArgs) {
        // Without an answer there is nothing to do: the next election asks again.
        let Ok(reply) = self.ends[server].call(&format!("Raft.{REQUEST_VOTE}"), args) else {
            return;
        };
        self.count_vote(server, args, &reply);
    }

    fn count_vote(&self, server: usize, args: &RequestVoteArgs, reply: &RequestVoteReply) {
        let mut state = self.state.lock();
        if state.adopt_higher_term(reply.term) {
            self.persist(&state);
        }
        // The answer may be to an election that is over: a vote counts only in its own term.
        if !reply.vote_granted || state.current_term != args.term {
            return;
        }
        if let Role::Candidate { votes } = &mut state.role {
            votes.insert(server);
            self.lead_if_elected(&mut state);
        }
    }

    fn lead_if_elected(&self, state: &mut State) {
        if matches!(&state.role, Role::Candidate { votes } if votes.len() >= self.majority()) {
            state.become_leader();
            self.changed.notify_all();
        }
    }

    /// The RequestVote RPC, receiver implementation (Figure 2).
    pub(crate) fn request_vote(&self, args: &RequestVoteArgs) -> RequestVoteReply {
        let &RequestVoteArgs { term, candidate_id, last_log_index, last_log_term } = args;
        let mut state = self.state.lock();
        let mut must_persist = state.adopt_higher_term(term);
        let is_free = state.voted_for.is_none_or(|voted_for| voted_for == candidate_id);
        let vote_granted = term == state.current_term
            && is_free
            && state.log.is_no_newer_than(last_log_index, last_log_term);
        if vote_granted {
            must_persist |= state.voted_for.is_none();
            state.voted_for = Some(candidate_id);
            state.reset_election_timer();
        }
        // Before the answer: a vote that a crash forgets could be given twice.
        if must_persist {
            self.persist(&state);
        }
        RequestVoteReply { term: state.current_term, vote_granted }
    }
}

//! Leader election: sections 5.2 and 5.4.1.

use super::messages::{RequestVoteArgs, RequestVoteReply};
use super::state::State;

impl State {
    /// Answers a candidate: Figure 2, "RequestVote RPC", receiver implementation.
    pub fn request_vote(&mut self, args: &RequestVoteArgs) -> RequestVoteReply {
        // Your code here (3A; 3B adds the rule of section 5.4.1).
        let RequestVoteArgs {} = args;
        RequestVoteReply {}
    }
}

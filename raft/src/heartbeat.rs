//! Heartbeats: empty AppendEntries that keep a leader in office (section 5.2).

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::raft::Raft;
use crate::state::{HEARTBEAT_INTERVAL, Role, State};

pub(crate) const APPEND_ENTRIES: &str = "AppendEntries";

/// Invoked by a leader to keep the others from standing for election (Figure 2). It carries no
/// entries yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AppendEntriesArgs {
    /// The leader's term.
    pub(crate) term: u64,
    pub(crate) leader_id: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppendEntriesReply {
    /// The follower's term, for the leader to update itself.
    pub(crate) term: u64,
    pub(crate) success: bool,
}

impl Raft {
    /// Sends one round to everybody at once.
    pub(crate) fn send_heartbeats(self: &Arc<Self>, state: &mut State) {
        state.role = Role::Leader { heartbeat_due: Instant::now() + HEARTBEAT_INTERVAL };
        let args = AppendEntriesArgs { term: state.current_term, leader_id: self.me };
        for server in self.peers() {
            let (raft, args) = (Arc::clone(self), args.clone());
            self.spawn("heartbeat", move || raft.send_heartbeat(server, &args));
        }
    }

    fn send_heartbeat(&self, server: usize, args: &AppendEntriesArgs) {
        let method = format!("Raft.{APPEND_ENTRIES}");
        let Ok(reply) = self.ends[server].call::<_, AppendEntriesReply>(&method, args) else {
            return;
        };
        let mut state = self.state.lock();
        if state.adopt_higher_term(reply.term) {
            self.persist(&state);
        }
    }

    /// The AppendEntries RPC, receiver implementation (Figure 2).
    pub(crate) fn append_entries(&self, args: &AppendEntriesArgs) -> AppendEntriesReply {
        let mut state = self.state.lock();
        if state.adopt_higher_term(args.term) {
            self.persist(&state);
        }
        let success = args.term == state.current_term;
        if success {
            // Another server won this term: a candidate gives up (section 5.2).
            assert!(!state.is_leader(), "server {} leads this term too", args.leader_id);
            state.role = Role::Follower;
            state.reset_election_timer();
        }
        AppendEntriesReply { term: state.current_term, success }
    }
}

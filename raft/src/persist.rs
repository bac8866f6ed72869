//! What survives a crash (Figure 2, persistent state): saved before anyone is told of it.

use std::time::Instant;

use config::Persister;
use serde::{Deserialize, Serialize};

use crate::log::Log;
use crate::state::{Role, State, election_timeout};

#[derive(Serialize)]
struct Saved<'a> {
    current_term: u64,
    voted_for: Option<usize>,
    log: &'a Log,
}

#[derive(Default, Deserialize)]
struct Restored {
    current_term: u64,
    voted_for: Option<usize>,
    log: Log,
}

impl State {
    /// Saves the persistent state if it has changed. State and snapshot go together: neither is
    /// worth anything beside an older one of the other.
    pub(crate) fn save_to(&mut self, persister: &Persister) {
        if !self.must_save {
            return;
        }
        let State { current_term, voted_for, log, .. } = &*self;
        let saved = Saved { current_term: *current_term, voted_for: *voted_for, log };
        let bytes = labrpc::codec::encode(&saved).expect("plain data has an encoding");
        persister.save(bytes, self.snapshot.clone());
        self.must_save = false;
    }

    /// The state of a server that starts, maybe after a crash. The service starts from the same
    /// snapshot, so what that stands for is committed and applied (section 7).
    pub(crate) fn restored_from(me: usize, servers: usize, persister: &Persister) -> State {
        let raft_state = persister.read_raft_state();
        let Restored { current_term, voted_for, log } = if raft_state.is_empty() {
            Restored::default() // It never ran before.
        } else {
            labrpc::codec::decode(&raft_state).expect("what was saved can be read")
        };
        State {
            me,
            servers,
            current_term,
            voted_for,
            commit_index: log.last_included_index(),
            last_applied: log.last_included_index(),
            log,
            snapshot: persister.read_snapshot(),
            role: Role::Follower,
            election_due: Instant::now() + election_timeout(),
            must_save: false,
            killed: false,
        }
    }
}

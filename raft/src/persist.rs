//! What survives a crash (Figure 2, persistent state): saved before anyone is told of it.

use serde::{Deserialize, Serialize};

use crate::log::Log;
use crate::raft::Raft;
use crate::state::State;

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

impl Raft {
    /// Saves the persistent state. The caller still holds the lock, so nothing is sent before.
    pub(crate) fn persist(&self, state: &State) {
        let State { current_term, voted_for, log, .. } = state;
        let saved = Saved { current_term: *current_term, voted_for: *voted_for, log };
        let bytes = labrpc::codec::encode(&saved).expect("plain data has an encoding");
        self.persister.save(bytes, self.persister.read_snapshot());
    }
}

impl State {
    /// The state of a server that starts; `raft_state` is empty if it never ran.
    pub(crate) fn restored_from(raft_state: &[u8]) -> State {
        let restored = if raft_state.is_empty() {
            Restored::default()
        } else {
            labrpc::codec::decode(raft_state).expect("what was saved can be read")
        };
        State::follower(restored.current_term, restored.voted_for, restored.log)
    }
}

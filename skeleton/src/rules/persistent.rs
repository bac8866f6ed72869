//! What must survive a crash: Figure 2, "Persistent state".

use raftapi::Persister;

use super::state::State;

impl State {
    /// Saves what must survive a crash. The server calls this after every rule, before another
    /// server can see a change.
    pub fn save_to(&self, persister: &Persister) {
        // Your code here (3C; a snapshot is saved in the same step, 3D). Save only if something has
        // changed. For example:
        // let bytes = labrpc::codec::encode(&(self.current_term, ...)).unwrap();
        // persister.save(bytes, persister.read_snapshot());
        let _ = persister;
    }

    /// The state of a server that starts: what was saved before the last crash.
    pub fn restored_from(persister: &Persister) -> State {
        let saved = persister.read_raft_state();
        // Your code here (3C): labrpc::codec::decode reads what encode wrote. `saved` is empty if
        // nothing was saved yet.
        let _ = saved;
        State::default()
    }
}

//! Log replication: section 5.3. A heartbeat is an AppendEntries without entries.

use super::messages::{AppendEntriesArgs, AppendEntriesReply};
use super::state::State;

impl State {
    /// Answers a leader: Figure 2, "AppendEntries RPC", receiver implementation.
    pub fn append_entries(&mut self, args: &AppendEntriesArgs) -> AppendEntriesReply {
        // Your code here (3A: heartbeats; 3B: entries).
        let AppendEntriesArgs {} = args;
        AppendEntriesReply {}
    }
}

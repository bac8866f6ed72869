//! The service gets what is committed, in order (section 5.3; Figure 2, rules for all servers).

use raftapi::ApplyMsg;

use super::state::State;

impl State {
    pub(crate) fn has_something_to_apply(&self) -> bool {
        self.last_applied < self.commit_index
    }

    /// What the service gets next: the entry after the last one, or the snapshot if that entry is
    /// forgotten. It counts as applied from now on, so that the service, once it has it, can make a
    /// snapshot of it.
    pub(crate) fn next_to_apply(&mut self) -> Option<ApplyMsg> {
        if !self.has_something_to_apply() {
            return None;
        }
        let next = self.last_applied + 1;
        if let Some(entry) = self.persistent.log().get(next) {
            self.last_applied = next;
            return Some(ApplyMsg::Command { index: next, command: entry.command.clone() });
        }
        // A snapshot came from the leader.
        self.last_applied = self.log().last_included_index();
        Some(ApplyMsg::Snapshot {
            index: self.log().last_included_index(),
            term: self.log().last_included_term(),
            snapshot: self.persistent.snapshot().to_vec(),
        })
    }
}

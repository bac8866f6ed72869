//! Log compaction (section 7): the service's snapshot takes the place of the log's beginning.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::state::State;

/// Invoked by a leader to send a snapshot to a follower that lacks what the leader has forgotten
/// (Figure 13). As in the lab the snapshot is sent in one message, so there are no chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstallSnapshotArgs {
    /// The leader's term.
    pub(crate) term: u64,
    pub(crate) leader_id: usize,
    /// The snapshot stands for all entries up to and including this one.
    pub(crate) last_included_index: u64,
    /// The term of that entry.
    pub(crate) last_included_term: u64,
    #[serde(with = "serde_bytes")]
    pub(crate) snapshot: Vec<u8>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstallSnapshotReply {
    /// The follower's term, for the leader to update itself.
    pub(crate) term: u64,
}

impl State {
    /// The service has a snapshot of everything up to `index`. Only what it was given can be in
    /// there; and an installed snapshot may have overtaken it.
    pub(crate) fn snapshot(&mut self, index: u64, snapshot: Vec<u8>) {
        if index <= self.log.last_included_index() || index > self.last_applied {
            return;
        }
        self.log.forget_up_to(index);
        self.snapshot = snapshot;
        self.must_save = true;
    }

    /// The message for a follower that needs entries which this log has forgotten.
    pub(crate) fn install_snapshot_args(&self) -> InstallSnapshotArgs {
        InstallSnapshotArgs {
            term: self.current_term,
            leader_id: self.me,
            last_included_index: self.log.last_included_index(),
            last_included_term: self.log.last_included_term(),
            snapshot: self.snapshot.clone(),
        }
    }

    /// The InstallSnapshot RPC, receiver implementation (Figure 13). The service gets the snapshot
    /// when it is its turn, on the way of all that is applied.
    pub(crate) fn install_snapshot(&mut self, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        self.adopt_higher_term(args.term);
        if args.term < self.current_term {
            return InstallSnapshotReply { term: self.current_term };
        }
        self.follow_leader();
        let (index, term) = (args.last_included_index, args.last_included_term);
        // An old message: the entries up to there are committed here, and may be applied.
        if index > self.commit_index {
            if self.log.term_at(index) == Some(term) {
                // What follows this entry is the leader's, too, or may be: it stays.
                self.log.forget_up_to(index);
            } else {
                self.log.start_over(index, term);
            }
            self.snapshot = args.snapshot;
            self.must_save = true;
            self.commit_index = index;
        }
        InstallSnapshotReply { term: self.current_term }
    }

    /// A follower has answered: it has everything that the snapshot stands for.
    pub(crate) fn note_installed(
        &mut self,
        server: usize,
        args: &InstallSnapshotArgs,
        reply: &InstallSnapshotReply,
        now: Instant,
    ) {
        let Some(follower) = self.answering(server, args.term, reply.term) else { return };
        follower.has(args.last_included_index);
        self.advance_commit_index();
        self.schedule_news(now);
    }
}

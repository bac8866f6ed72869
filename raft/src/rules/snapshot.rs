//! Log compaction (section 7): the service's snapshot replaces the log's beginning.

use super::clock::Clock;
use super::messages::{InstallSnapshotArgs, InstallSnapshotReply};
use super::state::State;

impl State {
    /// The service has a snapshot of everything up to `index`. It can only contain what the service
    /// was given; and a snapshot that was installed meanwhile may be newer.
    pub(crate) fn snapshot(&mut self, index: u64, snapshot: Vec<u8>) {
        if index <= self.log().last_included_index() || index > self.last_applied {
            return;
        }
        self.persistent.compact(index, snapshot);
    }

    /// The message for a follower that needs entries which this log has forgotten.
    pub(super) fn install_snapshot_args(&self) -> InstallSnapshotArgs {
        InstallSnapshotArgs {
            term: self.current_term(),
            leader_id: self.me,
            last_included_index: self.log().last_included_index(),
            last_included_term: self.log().last_included_term(),
            snapshot: self.persistent.snapshot().to_vec(),
        }
    }

    /// The InstallSnapshot RPC, receiver implementation (Figure 13). The service gets the snapshot
    /// later, in the order of everything that is applied.
    pub(crate) fn install_snapshot(
        &mut self,
        args: InstallSnapshotArgs,
        clock: &dyn Clock,
    ) -> InstallSnapshotReply {
        self.adopt_higher_term(args.term, clock);
        if args.term < self.current_term() {
            return InstallSnapshotReply { term: self.current_term() };
        }
        self.follow_leader(clock);
        let (index, term) = (args.last_included_index, args.last_included_term);
        // Otherwise the message is old: those entries are committed here, and may be applied.
        if index > self.commit_index {
            if self.log().term_at(index) == Some(term) {
                // What follows this entry may be the leader's, too: it stays.
                self.persistent.compact(index, args.snapshot);
            } else {
                self.persistent.start_over(index, term, args.snapshot);
            }
            self.commit_index = index;
        }
        InstallSnapshotReply { term: self.current_term() }
    }

    /// A follower has replied: it has everything that the snapshot stands for.
    pub(crate) fn note_installed(
        &mut self,
        server: usize,
        args: &InstallSnapshotArgs,
        reply: &InstallSnapshotReply,
        clock: &dyn Clock,
    ) {
        let now = clock.now();
        let Some(follower) = self.accept_reply(server, args.term, reply.term, clock) else {
            return;
        };
        follower.record_match(args.last_included_index);
        self.advance_commit_index();
        self.schedule_news(now);
    }
}

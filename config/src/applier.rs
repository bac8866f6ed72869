//! The consumer of one incarnation's apply channel: 6.824's applier and applierSnap together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use cluster::{Calls, Method};
use crossbeam_channel::Receiver;
use history::{History, Incarnation, RaftEvent, What};
use raftapi::{ApplyMsg, RaftPeer};
use verdict::Life;
use verdict::label::{self, Label};

use crate::applied::Applied;

/// In the tests of part D the lab makes a snapshot if the next index is a multiple of this.
pub const SNAPSHOT_INTERVAL: u64 = 10;
/// If a server is killed during `snapshot`, no thread of the test waits for the call.
pub(crate) const SNAPSHOT: Method = Method::new("snapshot").ending_with_server();

/// The first index at or after `index` at which the lab makes a snapshot.
pub fn next_snapshot(index: u64) -> u64 {
    index / SNAPSHOT_INTERVAL * SNAPSHOT_INTERVAL + SNAPSHOT_INTERVAL - 1
}

/// The applier of one incarnation.
pub(crate) struct Applier {
    pub(crate) of: Incarnation,
    pub(crate) life: Life,
    pub(crate) peer: Weak<dyn RaftPeer>,
    pub(crate) snapshots: bool,
    pub(crate) applied: Arc<Applied>,
    pub(crate) calls: Calls,
    pub(crate) history: History,
    pub(crate) delays: Arc<ApplyDelays>,
}

/// By server: how long the lab takes for each message that the server applies.
pub(crate) struct ApplyDelays {
    millis: Vec<AtomicU64>,
}

impl ApplyDelays {
    pub(crate) fn none(servers: usize) -> ApplyDelays {
        ApplyDelays { millis: (0..servers).map(|_| AtomicU64::new(0)).collect() }
    }

    pub(crate) fn set(&self, server: usize, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.millis[server].store(millis, Ordering::Relaxed);
    }

    fn wait(&self, server: usize) {
        let millis = self.millis[server].load(Ordering::Relaxed);
        if millis > 0 {
            thread::sleep(Duration::from_millis(millis));
        }
    }
}

impl Applier {
    /// Starts a thread that receives messages until the peer has dropped its end of the channel.
    /// After a crash it still receives messages, and ignores them, so that the dying peer is not
    /// blocked.
    pub(crate) fn start(self, messages: Receiver<ApplyMsg>) {
        thread::Builder::new()
            .name("applier".into())
            .spawn(move || {
                let _label = label::enter(Label::Kit, "the applier");
                for message in messages {
                    self.delays.wait(self.of.server);
                    self.take(&message);
                }
            })
            .expect("failed to start an applier");
    }

    fn take(&self, message: &ApplyMsg) {
        self.history.record(What::Raft(self.of, RaftEvent::Applied(message)));
        if let ApplyMsg::Command { index, .. } = *message
            && self.snapshots
            && (index + 1) % SNAPSHOT_INTERVAL == 0
            && self.applied.has_just_applied(self.of, index)
        {
            self.make_snapshot(index);
        }
    }

    /// Calls `snapshot` on this thread, as in the original: if a Raft holds its lock while it sends
    /// on the channel, the call blocks.
    fn make_snapshot(&self, index: u64) {
        let Some(peer) = self.peer.upgrade() else { return };
        let snapshot = self.applied.snapshot(self.of.server, index);
        // A panic there is already reported, and this is not a thread of the test, which would have
        // to stop.
        let _ = self.calls.ask(self.life, SNAPSHOT, move || peer.snapshot(index, snapshot));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_made_where_the_next_index_is_a_multiple_of_ten() {
        let made: Vec<u64> = [1, 8, 9, 10, 19, 20].map(next_snapshot).into();
        assert_eq!(made, [9, 9, 9, 19, 19, 29]);
    }
}

//! The consumer of one incarnation's apply channel: 6.824's applier and applierSnap in one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::applied::{Applied, Taken};
use crate::calls::{Calls, SNAPSHOT};
use crate::failure::Failure;
use crate::invariants::observer::Observer;
use crate::label::{self, Label};
use crate::lives::Life;
use crate::referee::Referee;
use raftapi::{ApplyMsg, RaftPeer};

/// In the tests of part D the lab makes a snapshot whenever the next index is a multiple of this.
pub(crate) const SNAPSHOT_INTERVAL: u64 = 10;

/// One incarnation of one server, as its applier sees it.
pub(crate) struct Applier {
    pub(crate) server: usize,
    pub(crate) incarnation: u32,
    pub(crate) life: Life,
    pub(crate) peer: Weak<dyn RaftPeer>,
    pub(crate) snapshots: bool,
    pub(crate) applied: Arc<Applied>,
    pub(crate) calls: Calls,
    pub(crate) observer: Observer,
    pub(crate) referee: Referee,
    pub(crate) pace: Arc<Pace>,
}

/// How long each server's applier takes for a message.
pub(crate) struct Pace {
    wait_ms: Vec<AtomicU64>,
}

impl Pace {
    pub(crate) fn new(servers: usize) -> Pace {
        Pace { wait_ms: (0..servers).map(|_| AtomicU64::new(0)).collect() }
    }

    pub(crate) fn set(&self, server: usize, wait_ms: u64) {
        self.wait_ms[server].store(wait_ms, Ordering::Relaxed);
    }

    fn wait(&self, server: usize) {
        let wait_ms = self.wait_ms[server].load(Ordering::Relaxed);
        if wait_ms > 0 {
            thread::sleep(Duration::from_millis(wait_ms));
        }
    }
}

impl Applier {
    /// Starts a thread that takes messages until the peer has dropped its end of the channel. After
    /// a crash it goes on taking what it ignores, so that the dying peer is not left blocked.
    pub(crate) fn start(self, messages: Receiver<ApplyMsg>) {
        thread::Builder::new()
            .name("applier".into())
            .spawn(move || {
                let _label = label::enter(Label::Kit, "the applier");
                for message in messages {
                    self.pace.wait(self.server);
                    if let Err(failure) = self.take(message) {
                        self.referee.fail(failure);
                    }
                }
            })
            .expect("failed to start an applier");
    }

    fn take(&self, message: ApplyMsg) -> Result<(), Failure> {
        match message {
            ApplyMsg::Command { index, command } => {
                let taken = self.applied.command(self.server, self.incarnation, index, &command)?;
                if taken == Taken::Yes {
                    self.observer.applies(self.server, self.incarnation, index, &command)?;
                }
                if taken == Taken::Yes && self.snapshots && (index + 1) % SNAPSHOT_INTERVAL == 0 {
                    self.make_snapshot(index);
                }
            }
            ApplyMsg::Snapshot { index, snapshot, .. } => {
                self.applied.ingest(self.server, self.incarnation, Some(index), &snapshot)?;
            }
        }
        Ok(())
    }

    /// On this very thread, as in the original: a Raft that holds its lock while it sends on the
    /// channel cannot take the call.
    fn make_snapshot(&self, index: u64) {
        let Some(peer) = self.peer.upgrade() else { return };
        let snapshot = self.applied.snapshot(self.server, index);
        // A panic there is with the referee already, and there is nobody to stop here.
        let _ = self.calls.ask(self.life, SNAPSHOT, move || peer.snapshot(index, snapshot));
    }
}

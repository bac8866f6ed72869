//! Sends the server's saves to the grader, which keeps them after this process has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use raftapi::{Saved, Storage};

use crate::delta::Change;
use crate::frames::Output;
use crate::outlet::Outlet;

/// Keeps the last save of the server, and sends each save to the grader.
pub(crate) struct Saves {
    saved: Mutex<Arc<Saved>>,
    /// The last save that was sent to the grader.
    sent: Mutex<Arc<Saved>>,
    was_read: AtomicBool,
    outlet: Arc<Outlet>,
}

impl Saves {
    /// `saved`: the data that survived the last crash.
    pub(crate) fn new(saved: Saved, outlet: Arc<Outlet>) -> Saves {
        let saved = Arc::new(saved);
        let sent = Mutex::new(Arc::clone(&saved));
        Saves { saved: Mutex::new(saved), sent, was_read: AtomicBool::new(false), outlet }
    }

    /// Whether the server has read its state.
    pub(crate) fn was_read(&self) -> bool {
        self.was_read.load(Ordering::Relaxed)
    }
}

impl Storage for Saves {
    fn save(&self, saved: Saved) {
        *self.saved.lock() = Arc::new(saved);
        // If two threads save at the same time, their order here can differ from the order of their
        // saves. Each thread sends the current data, so the last one sends the last save.
        let mut sent = self.sent.lock();
        let saved = self.load();
        self.outlet.send(Output::Saved {
            state: Change::between(&sent.raft_state, &saved.raft_state),
            snapshot: Change::between(&sent.snapshot, &saved.snapshot),
        });
        *sent = saved;
    }

    fn load(&self) -> Arc<Saved> {
        Arc::clone(&self.saved.lock())
    }

    fn note_read(&self) {
        self.was_read.store(true, Ordering::Relaxed);
    }
}

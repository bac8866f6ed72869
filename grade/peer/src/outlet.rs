//! Sends all outputs of the server to the grader, in one order, and wakes the observer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};
use serde_bytes::ByteBuf;
use sim::Outbox;

use crate::frames::Output;

pub(crate) struct Outlet {
    outbox: Outbox<Output>,
    sent: AtomicU64,
    describes: AtomicBool,
    wakeup: Wakeup,
}

/// Wakes the thread that observes the server's state.
#[derive(Default)]
struct Wakeup {
    is_due: Mutex<bool>,
    became_due: Condvar,
}

impl Outlet {
    pub(crate) fn new(outbox: Outbox<Output>) -> Outlet {
        let (sent, describes) = (AtomicU64::new(0), AtomicBool::new(false));
        Outlet { outbox, sent, describes, wakeup: Wakeup::default() }
    }

    /// The run is recorded: messages are described from now on.
    pub(crate) fn describe(&self) {
        self.describes.store(true, Ordering::Relaxed);
    }

    /// Whether messages are described.
    pub(crate) fn describes(&self) -> bool {
        self.describes.load(Ordering::Relaxed)
    }

    pub(crate) fn send(&self, output: Output) {
        self.outbox.send(output);
        // Counted after it is sent, so that an observation that began before does not claim to
        // cover it.
        self.sent.fetch_add(1, Ordering::SeqCst);
        self.wake();
    }

    /// Sends an observation that covers the first `covers` outputs.
    pub(crate) fn show(&self, covers: u64, change: Option<Vec<u8>>) {
        let change = change.map(ByteBuf::from);
        self.outbox.send(Output::Observed { covers, change });
    }

    /// Wakes the observer, because the state may have changed.
    pub(crate) fn wake(&self) {
        let mut is_due = self.wakeup.is_due.lock();
        if !std::mem::replace(&mut *is_due, true) {
            self.wakeup.became_due.notify_one();
        }
    }

    /// Waits until the state may have changed, and returns the number of outputs so far.
    pub(crate) fn wait(&self) -> u64 {
        let mut is_due = self.wakeup.is_due.lock();
        while !std::mem::replace(&mut *is_due, false) {
            self.wakeup.became_due.wait(&mut is_due);
        }
        self.sent.load(Ordering::SeqCst)
    }
}

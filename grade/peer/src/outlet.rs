//! Where all that comes out of the peer is put, in one order, and who is told that something did.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};
use sim::Outbox;

use crate::delta::InspectChange;
use crate::frames::Output;

pub(crate) struct Outlet {
    outbox: Outbox<Output>,
    sent: AtomicU64,
    bell: Bell,
}

/// Wakes whoever looks at the peer's state.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    rings: Condvar,
}

impl Outlet {
    pub(crate) fn new(outbox: Outbox<Output>) -> Outlet {
        Outlet { outbox, sent: AtomicU64::new(0), bell: Bell::default() }
    }

    pub(crate) fn send(&self, output: Output) {
        self.outbox.send(output);
        // Behind it: a look that began before must not pass for one that came after.
        self.sent.fetch_add(1, Ordering::SeqCst);
        self.ring();
    }

    /// A look at the peer's state that began after so many outputs.
    pub(crate) fn show(&self, covers: u64, change: Option<InspectChange>) {
        self.outbox.send(Output::Inspected { covers, change });
    }

    /// Something may have happened to the peer.
    pub(crate) fn ring(&self) {
        let mut rung = self.bell.rung.lock();
        if !std::mem::replace(&mut *rung, true) {
            self.bell.rings.notify_one();
        }
    }

    /// Waits until something has happened, and gives the number of outputs before now.
    pub(crate) fn wait(&self) -> u64 {
        let mut rung = self.bell.rung.lock();
        while !std::mem::replace(&mut *rung, false) {
            self.bell.rings.wait(&mut rung);
        }
        self.sent.load(Ordering::SeqCst)
    }
}

//! What the peer saves goes to the grader, whose persister outlives this process.

use std::sync::{Arc, Weak};

use config::{Persister, Saved};
use parking_lot::Mutex;

use crate::delta::Change;
use crate::frames::Output;
use crate::outlet::Outlet;

/// A persister with what was saved before the last crash.
pub(crate) fn persister(saved: Saved, outlet: Arc<Outlet>) -> Arc<Persister> {
    let sent = Mutex::new(Arc::new(saved.clone()));
    Arc::new_cyclic(|persister: &Weak<Persister>| {
        let persister = Weak::clone(persister);
        Persister::restored(saved, move || {
            let Some(persister) = persister.upgrade() else { return };
            // Of two threads that save at once the one that is told of first may not be the one
            // that saved first. What is sent is what is saved by now, so the last one sent is.
            let mut sent = sent.lock();
            let saved = persister.peek();
            outlet.send(Output::Saved {
                raft_state: Change::between(&sent.raft_state, &saved.raft_state),
                snapshot: Change::between(&sent.snapshot, &saved.snapshot),
            });
            *sent = saved;
        })
    })
}

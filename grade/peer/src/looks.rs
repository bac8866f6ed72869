//! The observer's eyes: a thread that looks at the peer's state whenever something has happened.
//!
//! `inspect` may take the peer's lock. If the peer is busy the look comes later, and the grader
//! knows by its number what it covers.

use std::sync::{Arc, OnceLock};
use std::thread;

use config::label::{self, Label};
use raftapi::{Inspect, RaftPeer};

use crate::delta::InspectChange;
use crate::outlet::Outlet;

/// Starts the thread; it ends if the peer has no `inspect`.
pub(crate) fn start(me: usize, peer: Arc<OnceLock<Arc<dyn RaftPeer>>>, outlet: Arc<Outlet>) {
    let work = move || {
        let mut seen = Inspect::default();
        loop {
            let covers = outlet.wait();
            let Some(peer) = peer.get() else { continue };
            let state = {
                let _label = label::enter(Label::Server(me), "inspect");
                peer.inspect()
            };
            let Some(state) = state else { return outlet.show(covers, None) };
            outlet.show(covers, Some(InspectChange::between(&seen, &state)));
            seen = state;
        }
    };
    let builder = thread::Builder::new().name("observer".into());
    builder.spawn(work).expect("failed to start the observer");
}

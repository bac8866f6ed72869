//! The service under test: how the lab makes a Raft and connects it to its applier and observer.

use std::sync::Arc;
use std::thread;

use cluster::{Calls, Method, Service, Start};
use crossbeam_channel::bounded;
use history::History;
use raftapi::{Make, PeerContext, RaftPeer};
use verdict::{Life, label};

use crate::applied::Applied;
use crate::applier::{Applier, ApplyDelays};
use crate::observer::Observer;

/// The servers of a [`Config`](crate::Config): Rafts, made by one constructor.
pub struct Raft {
    pub(crate) make: Make,
    pub(crate) snapshots: bool,
    pub(crate) calls: Calls,
    pub(crate) history: History,
    pub(crate) applied: Arc<Applied>,
    /// None if the rules of Raft are not checked.
    pub(crate) observer: Option<Observer>,
    pub(crate) apply_delays: Arc<ApplyDelays>,
}

impl Service for Raft {
    type Server = dyn RaftPeer;

    fn start(&self, start: Start) -> Option<Arc<dyn RaftPeer>> {
        let Start { of, life, ends, persister, disk } = start;
        let (apply, messages) = bounded(0);
        let context = PeerContext { ends, me: of.server, persister, apply };
        let peer = self.make_peer(life, context)?;
        Applier {
            of,
            life,
            peer: Arc::downgrade(&peer),
            snapshots: self.snapshots,
            applied: Arc::clone(&self.applied),
            calls: self.calls.clone(),
            history: self.history.clone(),
            delays: Arc::clone(&self.apply_delays),
        }
        .start(messages);
        if let Some(observer) = &self.observer {
            observer.look_first(of, life, &peer, &disk);
        }
        Some(peer)
    }

    fn handlers(server: Arc<dyn RaftPeer>) -> labrpc::Service {
        server.service()
    }

    fn kill(server: &dyn RaftPeer) {
        server.kill();
    }
}

impl Raft {
    /// Calls `make` on a new thread that is named after the server, so that the threads that the
    /// peer starts inherit the name.
    fn make_peer(&self, life: Life, context: PeerContext) -> Option<Arc<dyn RaftPeer>> {
        let make = Arc::clone(&self.make);
        let work = move || {
            let _label = label::enter_life(life, Method::MAKE.name);
            make(context)
        };
        self.calls.ask_or_stop(life, Method::MAKE, || {
            let maker = thread::Builder::new()
                .name(label::thread_name(life.server))
                .spawn(work)
                .expect("failed to start a thread for `make`");
            maker.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
        })
    }
}

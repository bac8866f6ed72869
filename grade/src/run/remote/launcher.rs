//! Starts the process of a server, and the threads that serve it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use ::peer::frames::Init;
use config::{Class, Failure, Referee};
use crossbeam_channel::{Select, Sender};
use labrpc::{ClientEnd, codec};
use raftapi::{Persister, Saved};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use serde::de::DeserializeOwned;
use verdict::label;

use crate::run::remote::driver;
use crate::run::remote::peer::RemotePeer;
use crate::run::remote::process::Process;
use crate::run::remote::template::Template;
use crate::run::remote::view::Shown;

/// The peers of one run.
pub(super) struct Launcher {
    /// The program of which they are copies, or why there is none.
    template: io::Result<Template>,
    /// The seed of their random numbers.
    seed: [u8; 32],
    launched: AtomicU64,
    referee: Referee,
    /// Whether they describe what they send.
    describes: bool,
}

/// The parts from which a server with messages of type `M` is made.
pub(super) struct Parts<M> {
    pub(super) me: usize,
    pub(super) ends: Vec<ClientEnd>,
    pub(super) persister: Arc<Persister>,
    /// Receives the messages of the service.
    pub(super) messages: Sender<M>,
}

impl Launcher {
    pub(super) fn new(
        template: io::Result<Template>,
        seed: [u8; 32],
        referee: &Referee,
        describes: bool,
    ) -> Launcher {
        let (launched, referee) = (AtomicU64::new(0), referee.clone());
        Launcher { template, seed, launched, referee, describes }
    }

    /// Starts a process and makes the object there. `view` receives its state.
    ///
    /// Faults of the process that the lab cannot see are reported to the referee.
    pub(super) fn launch<M: DeserializeOwned + Send + 'static>(
        &self,
        parts: Parts<M>,
        view: Arc<dyn Shown>,
    ) -> Arc<RemotePeer> {
        let Parts { me, ends, persister, messages } = parts;
        let seed = self.next_seed();
        let template = self.template.as_ref().unwrap_or_else(|error| {
            let sentence = format!("failed to start the program of the peers: {error}");
            self.referee.stop(Failure::new(Class::Infra, sentence))
        });
        let saved = persister.storage().load();
        let Saved { raft_state: state, snapshot } = (*saved).clone();
        let init = Init { me, servers: ends.len(), seed, state, snapshot };
        let process = Process::start(template, &init)
            .unwrap_or_else(|fault| self.referee.stop(fault.verdict(me)));
        let peer =
            Arc::new(RemotePeer::new(me, process, view, self.referee.clone(), self.describes));
        {
            let _label = label::enter_beside(me, "a peer's driver");
            let deliver = forward_to(messages, &peer);
            driver::start(Arc::clone(&peer), ends, Arc::clone(&persister), saved, deliver);
        }
        let elsewhere = Arc::downgrade(&peer);
        self.referee.threads_are_elsewhere(me, move || {
            elsewhere.upgrade().map_or_else(Vec::new, |peer| peer.waiting())
        });
        if peer.make() {
            persister.storage().note_read();
        }
        peer
    }

    /// Each incarnation has its own stream of random numbers.
    fn next_seed(&self) -> u64 {
        let mut rng = ChaCha8Rng::from_seed(self.seed);
        rng.set_stream(self.launched.fetch_add(1, Ordering::Relaxed));
        rng.next_u64()
    }
}

/// Starts the thread that passes a message on whenever the receiver of `messages` waits.
fn forward_to<M: DeserializeOwned + Send + 'static>(
    messages: Sender<M>,
    peer: &Arc<RemotePeer>,
) -> driver::Deliver {
    let (delivered, waiting) = mpsc::channel();
    let peer = Arc::clone(peer);
    driver::spawn("forwarder", move || forward(&peer, &waiting, &messages));
    Box::new(move |message| {
        // The receiver may have ended together with the lab.
        drop(delivered.send(codec::decode(message)?));
        Ok(())
    })
}

fn forward<M>(peer: &RemotePeer, delivered: &mpsc::Receiver<M>, messages: &Sender<M>) {
    loop {
        let mut select = Select::new();
        select.send(messages);
        select.ready();
        peer.mailbox.credit();
        let Ok(message) = delivered.recv() else { return };
        if messages.send(message).is_err() {
            return;
        }
    }
}

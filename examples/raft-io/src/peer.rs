//! The handle that the lab has of a server: each call becomes a message to the server's thread.

use std::sync::Arc;
use std::sync::mpsc::{self, Sender, SyncSender};
use std::thread;

use crossbeam_channel as apply_channel;
use labrpc::Service;
use raftapi::{ApplyMsg, Inspect, PeerContext, RaftPeer, Started};

use crate::log::{Log, Numbering};
use crate::node::{Input, Node, Progress};
use crate::wire::{self, Request};

/// One server of the cluster.
pub(crate) struct Peer {
    inbox: Sender<Input>,
    progress: Arc<Progress>,
}

impl Peer {
    /// Starts the two threads that live as long as the server.
    pub(crate) fn start(context: PeerContext, numbering: Numbering) -> Arc<Peer> {
        let PeerContext { ends, me, persister, apply } = context;
        let log = Log::restored(numbering, persister);
        let progress = Arc::new(Progress::from(log.start_lab_index()));
        let (inbox, inputs) = mpsc::channel();
        let (to_apply, applied) = mpsc::channel();
        let node = Node::new(me, ends, log, inbox.clone(), to_apply, Arc::clone(&progress));
        spawn(me, "node", move || node.run(&inputs));
        let peer = Arc::new(Peer { inbox, progress: Arc::clone(&progress) });
        spawn(me, "applier", move || hand_over(applied, &apply, &progress));
        peer
    }

    /// Sends the server a question, and waits for its answer. None after `kill`: the server's
    /// thread has ended and dropped its inbox.
    fn ask<T>(&self, question: impl FnOnce(SyncSender<T>) -> Input) -> Option<T> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.inbox.send(question(answer)).ok()?;
        answered.recv().ok()
    }
}

impl RaftPeer for Peer {
    fn service(self: Arc<Self>) -> Service {
        wire::service(move |request: Request| {
            self.ask(|answer| Input::Request(request, answer)).unwrap_or_default()
        })
    }

    fn start(&self, command: Vec<u8>) -> Option<Started> {
        self.ask(|answer| Input::Start(command, answer)).flatten()
    }

    fn get_state(&self) -> (u64, bool) {
        self.ask(Input::State).unwrap_or_default()
    }

    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        self.ask(|done| Input::Snapshot { index, snapshot, done });
    }

    fn inspect(&self) -> Option<Inspect> {
        self.ask(Input::Inspect).flatten()
    }

    fn kill(&self) {
        self.progress.kill();
        // The thread is gone if this is the second kill.
        let _ = self.inbox.send(Input::Kill);
    }
}

/// Starts a thread of this server, named so that a stack dump says whose it is.
pub(crate) fn spawn(me: usize, what: &str, work: impl FnOnce() + Send + 'static) {
    thread::Builder::new()
        .name(format!("server {me} {what}"))
        .spawn(work)
        .expect("failed to start a thread");
}

/// The applier: hands over committed entries, one message at a time. The node goes on meanwhile.
fn hand_over(
    messages: mpsc::Receiver<ApplyMsg>,
    channel: &apply_channel::Sender<ApplyMsg>,
    progress: &Progress,
) {
    for message in messages {
        if !progress.count(&message) || channel.send(message).is_err() {
            return;
        }
    }
}

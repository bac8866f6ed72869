//! The thread that lets a peer's process make its steps, and carries out what comes of them.
//!
//! It works in the group of its server, so that what is done to a server's threads is done to it:
//! while they are paused the process makes no step, and the process goes by the group's clock.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ::peer::bounds::{self, NAME_BYTES_MAX};
use ::peer::frames::{Input, Output, Step, Stepped};
use config::{Class, Failure, label};
use crossbeam_channel::{Select, Sender};
use labrpc::ClientEnd;
use raftapi::{ApplyMsg, Persister, Saved};
use serde_bytes::ByteBuf;

use crate::run::remote::peer::RemotePeer;

struct Driver {
    peer: Arc<RemotePeer>,
    ends: Vec<ClientEnd>,
    persister: Arc<Persister>,
    /// What the process saved last.
    saved: Arc<Saved>,
    applied: mpsc::Sender<ApplyMsg>,
    /// Messages that the lab waits for, and the peer knows.
    credits: usize,
    /// The peer's clock showed `began_at` when the driver's showed `began`.
    began: Instant,
    began_at: Duration,
}

/// Starts the thread; it ends when the process does.
pub(super) fn start(
    peer: Arc<RemotePeer>,
    ends: Vec<ClientEnd>,
    persister: Arc<Persister>,
    saved: Arc<Saved>,
    apply: Sender<ApplyMsg>,
) {
    let _label = label::enter_beside(peer.me, "a peer's driver");
    let (applied, messages) = mpsc::channel();
    let forwarded = Arc::clone(&peer);
    spawn("forwarder", move || forward(&forwarded, &messages, &apply));
    spawn("driver", move || {
        let _label = label::enter_beside(peer.me, "a peer's driver");
        let (began, began_at) = (Instant::now(), sim::now());
        let credits = 0;
        let mut driver = Driver { peer, ends, persister, saved, applied, credits, began, began_at };
        let result = driver.drive();
        if let Err(failure) = result {
            driver.peer.referee.fail(failure);
        }
        driver.peer.give_up();
    });
}

/// Hands on what was applied, one message whenever the lab waits for one.
fn forward(peer: &RemotePeer, messages: &mpsc::Receiver<ApplyMsg>, apply: &Sender<ApplyMsg>) {
    loop {
        let mut select = Select::new();
        select.send(apply);
        select.ready();
        peer.mailbox.credit();
        let Ok(message) = messages.recv() else { return };
        if apply.send(message).is_err() {
            return;
        }
    }
}

/// A thread with the label of the calling one.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let builder = thread::Builder::new().name(name.into());
    builder.spawn(work).expect("failed to start a thread beside a server");
}

impl Driver {
    /// Until the peer is killed, or the process gives reason for a verdict.
    fn drive(&mut self) -> Result<(), Failure> {
        let mut deadline = None;
        while let Some(inputs) = self.peer.mailbox.take(deadline) {
            self.credits += inputs.iter().filter(|input| **input == Input::Credit).count();
            let step = Step { until: self.now(), inputs };
            let stepped = {
                let mut process = self.peer.process.lock();
                // It may have been killed while this waited for it.
                if self.peer.mailbox.is_closed() {
                    return Ok(());
                }
                process.step(&step)
            };
            let stepped = stepped.map_err(|fault| fault.verdict(self.peer.me))?;
            let Some(next) = self.carry_out(stepped)? else { return Ok(()) };
            deadline = next.and_then(|at| self.instant(at));
        }
        Ok(())
    }

    /// Gives the next deadline; none at all if the peer was killed meanwhile.
    fn carry_out(&mut self, stepped: Stepped) -> Result<Option<Option<Duration>>, Failure> {
        for (at, output) in stepped.outputs {
            let ahead = at.saturating_sub(self.now());
            if !ahead.is_zero() {
                thread::sleep(ahead);
            }
            if self.peer.mailbox.is_closed() {
                return Ok(None);
            }
            if !matches!(output, Output::Inspected { .. }) {
                // Before anybody can hear of it: an older look is good no more.
                self.peer.view.note_output();
            }
            if !self.carry_out_one(output) {
                let sentence = format!("server {}'s process sent nonsense", self.peer.me);
                return Err(Failure::of(self.peer.me, Class::Contract, sentence));
            }
        }
        Ok(Some(stepped.next_deadline))
    }

    /// False for what makes no sense.
    fn carry_out_one(&mut self, output: Output) -> bool {
        match output {
            Output::Call { id, to, method, args } => return self.call(id, to, method, args),
            Output::Answer { id, result } => return self.peer.requests.fill(id, result),
            Output::Told { id, answer } => return self.peer.questions.fill(id, answer),
            Output::Saved { raft_state, snapshot } => {
                let raft_state = raft_state.apply(&self.saved.raft_state);
                let snapshot = snapshot.apply(&self.saved.snapshot);
                let (Some(raft_state), Some(snapshot)) = (raft_state, snapshot) else {
                    return false;
                };
                self.saved =
                    Arc::new(Saved { raft_state: raft_state.clone(), snapshot: snapshot.clone() });
                // Maybe the last, if a test has chosen it: then what follows is not heard.
                self.persister.save(raft_state, snapshot);
            }
            Output::Applied(message) => {
                let Some(left) = self.credits.checked_sub(1) else { return false };
                self.credits = left;
                // Whoever hands it on may have ended, with the lab.
                drop(self.applied.send(message));
            }
            Output::Waits => self.peer.mailbox.note_waiting(),
            Output::Inspected { covers, change } => return self.peer.view.show(covers, change),
            Output::Failed(failure) => {
                self.peer.referee.fail(bounds::verdict(self.peer.me, failure));
            }
        }
        true
    }

    fn call(&self, id: u64, to: usize, method: String, args: Vec<u8>) -> bool {
        let Some(end) = self.ends.get(to).cloned() else { return false };
        if method.len() > NAME_BYTES_MAX {
            return false;
        }
        let peer = Arc::clone(&self.peer);
        spawn("caller", move || {
            let result = end.call_raw(&method, args).map(ByteBuf::from);
            peer.mailbox.push(Input::Reply { id, result });
        });
        true
    }

    /// By the peer's clock.
    fn now(&self) -> Duration {
        self.began_at + self.began.elapsed()
    }

    /// None if it is so far away that no clock gets there.
    fn instant(&self, at: Duration) -> Option<Instant> {
        self.began.checked_add(at.saturating_sub(self.began_at))
    }
}

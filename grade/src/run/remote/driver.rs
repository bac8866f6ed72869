//! The thread that lets a peer's process advance, and carries out its outputs.
//!
//! It belongs to the thread group of its server, so everything that is done to the server's threads
//! is done to it. While they are paused, the process does not advance, and the process follows the
//! clock of the group.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ::peer::bounds::{self, NAME_BYTES_MAX};
use ::peer::description;
use ::peer::frames::{Advance, Advanced, Input, Output};
use config::Failure;
use labrpc::ClientEnd;
use labrpc::network::Value;
use raftapi::{Persister, Saved};
use serde_bytes::ByteBuf;
use verdict::label;

use crate::run::remote::clock::PeerClock;
use crate::run::remote::nonsense::Nonsense;
use crate::run::remote::peer::{RemotePeer, Replied};

/// Decodes a message of the service and passes it on.
pub(super) type Deliver = Box<dyn FnMut(&[u8]) -> Result<(), Nonsense> + Send>;

struct Driver {
    peer: Arc<RemotePeer>,
    ends: Vec<ClientEnd>,
    persister: Arc<Persister>,
    /// The last save of the process.
    saved: Arc<Saved>,
    /// Dropped with the driver. That ends the thread that passes messages on.
    deliver: Deliver,
    /// The number of messages that the owner of the service waits for, as far as the peer knows.
    credits: usize,
    clock: PeerClock,
}

/// Starts the thread. It ends when the process ends.
pub(super) fn start(
    peer: Arc<RemotePeer>,
    ends: Vec<ClientEnd>,
    persister: Arc<Persister>,
    saved: Arc<Saved>,
    deliver: Deliver,
) {
    spawn("driver", move || {
        let _label = label::enter_beside(peer.me, "a peer's driver");
        let (clock, credits) = (PeerClock::begin(), 0);
        let mut driver = Driver { peer, ends, persister, saved, deliver, credits, clock };
        let result = driver.drive();
        if let Err(failure) = result {
            driver.peer.referee.fail(failure);
        }
        driver.peer.give_up();
    });
}

/// Starts a thread with the label of the calling thread.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let builder = thread::Builder::new().name(name.into());
    builder.spawn(work).expect("failed to start a thread for a server");
}

impl Driver {
    /// Works until the peer is killed. An error is a verdict on its process.
    fn drive(&mut self) -> Result<(), Failure> {
        let mut deadline = None;
        while let Some(inputs) = self.peer.mailbox.take(deadline) {
            self.credits += inputs.iter().filter(|input| **input == Input::Credit).count();
            let advance = Advance { until: self.clock.now(), inputs };
            let advanced = {
                let mut process = self.peer.process.lock();
                // It may have been killed while this thread waited for the lock.
                if self.peer.mailbox.is_closed() {
                    return Ok(());
                }
                process.advance(&advance)
            };
            let advanced = advanced.map_err(|fault| fault.verdict(self.peer.me))?;
            let Some(next) = self.carry_out(advanced)? else { return Ok(()) };
            deadline = next.and_then(|at| self.clock.instant(at));
        }
        Ok(())
    }

    /// Returns the next deadline, if there is one. The outer `None` means that the peer was killed.
    fn carry_out(&mut self, advanced: Advanced) -> Result<Option<Option<Duration>>, Failure> {
        for (at, output) in advanced.outputs {
            let ahead = at.saturating_sub(self.clock.now());
            if !ahead.is_zero() {
                thread::sleep(ahead);
            }
            if self.peer.mailbox.is_closed() {
                return Ok(None);
            }
            if !matches!(output, Output::Observed { .. }) {
                // Before the output takes effect, because older observations are out of date from
                // then on.
                self.peer.view.note_output();
            }
            self.carry_out_one(output).map_err(|nonsense| nonsense.verdict(self.peer.me))?;
        }
        Ok(Some(advanced.next_deadline))
    }

    fn carry_out_one(&mut self, output: Output) -> Result<(), Nonsense> {
        match output {
            Output::Request { id, to, method, args } => self.request(id, to, method, args, None),
            Output::DescribedRequest { id, to, method, args, value } => {
                expect(self.peer.describes)?;
                self.request(id, to, method, args, description::read(&value))
            }
            Output::Reply { id, result } => {
                expect(self.peer.requests.fill(id, Replied { result, value: None }))
            }
            Output::DescribedReply { id, result, value } => {
                expect(self.peer.describes)?;
                let value = description::read(&value);
                expect(self.peer.requests.fill(id, Replied { result, value }))
            }
            Output::Answer { id, answer } => expect(self.peer.calls.fill(id, answer)),
            Output::Saved { state, snapshot } => {
                let raft_state = state.apply(&self.saved.raft_state);
                let snapshot = snapshot.apply(&self.saved.snapshot);
                let (Some(raft_state), Some(snapshot)) = (raft_state, snapshot) else {
                    return Err(Nonsense::Unexpected);
                };
                self.saved =
                    Arc::new(Saved { raft_state: raft_state.clone(), snapshot: snapshot.clone() });
                // A test can crash the server at this save. Then later outputs have no effect.
                self.persister.save(raft_state, snapshot);
                Ok(())
            }
            Output::Delivered(message) => {
                self.credits = self.credits.checked_sub(1).ok_or(Nonsense::Unexpected)?;
                (self.deliver)(&message)
            }
            Output::Blocked => {
                self.peer.mailbox.note_blocked();
                Ok(())
            }
            Output::Observed { covers, change } => {
                let described_by = self.peer.describes.then_some(&self.clock);
                let change = change.as_ref().map(|change| &***change);
                self.peer.view.show(covers, change, described_by)
            }
            Output::Failed(failure) => {
                self.peer.referee.fail(bounds::verdict(self.peer.me, failure));
                Ok(())
            }
        }
    }

    /// Sends an RPC for the peer, on a thread of its own.
    fn request(
        &self,
        id: u64,
        to: usize,
        method: String,
        args: Vec<u8>,
        value: Option<Value>,
    ) -> Result<(), Nonsense> {
        let end = self.ends.get(to).cloned().ok_or(Nonsense::Unexpected)?;
        expect(method.len() <= NAME_BYTES_MAX)?;
        let peer = Arc::clone(&self.peer);
        spawn("caller", move || {
            let result = end.call_described(&method, args, value).map(ByteBuf::from);
            peer.mailbox.push(Input::Reply { id, result });
        });
        Ok(())
    }
}

fn expect(makes_sense: bool) -> Result<(), Nonsense> {
    if makes_sense { Ok(()) } else { Err(Nonsense::Unexpected) }
}

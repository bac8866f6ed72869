//! Sends the messages of the service to its owner, one for each credit.
//!
//! The channel has no capacity, so a message is received only when the owner waits for one.
//! Otherwise a service that holds its lock while it sends would block in one process but not here.

use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Select, Sender, bounded};
use labrpc::codec;
use parking_lot::{Condvar, Mutex};
use serde::Serialize;

use crate::frames::Output;
use crate::outlet::Outlet;

/// Sends the messages of a service to its owner.
pub struct Deliveries {
    credits: Arc<Credits>,
    outlet: Arc<Outlet>,
}

/// The number of messages that the owner waits for.
#[derive(Default)]
pub(crate) struct Credits {
    left: Mutex<u64>,
    added: Condvar,
}

impl Deliveries {
    pub(crate) fn new(credits: Arc<Credits>, outlet: Arc<Outlet>) -> Deliveries {
        Deliveries { credits, outlet }
    }

    /// Returns the channel for the messages. Each message is encoded and sent to the owner.
    ///
    /// Starts the thread that receives them. It ends when all senders are gone.
    ///
    /// # Panics
    /// If the thread cannot be started.
    pub fn channel<M: Serialize + Send + 'static>(self) -> Sender<M> {
        let (sender, messages) = bounded(0);
        let builder = thread::Builder::new().name("applier".into());
        builder.spawn(move || self.run(&messages)).expect("failed to start the applier");
        sender
    }

    fn run<M: Serialize>(&self, messages: &Receiver<M>) {
        loop {
            if self.credits.is_empty() {
                wait_for_a_sender(messages);
                // A credit may have come in the meantime, together with another input.
                if self.credits.is_empty() {
                    self.outlet.send(Output::Blocked);
                }
            }
            self.credits.take();
            let Ok(message) = messages.recv() else { return };
            let message = codec::encode(&message).expect("failed to encode a message");
            self.outlet.send(Output::Delivered(message.into()));
        }
    }
}

impl Credits {
    pub(crate) fn add(&self) {
        *self.left.lock() += 1;
        self.added.notify_one();
    }

    fn is_empty(&self) -> bool {
        *self.left.lock() == 0
    }

    fn take(&self) {
        let mut left = self.left.lock();
        while *left == 0 {
            self.added.wait(&mut left);
        }
        *left -= 1;
    }
}

/// Waits until a message could be received, but does not receive it.
fn wait_for_a_sender<M>(messages: &Receiver<M>) {
    let mut select = Select::new();
    select.recv(messages);
    select.ready();
}

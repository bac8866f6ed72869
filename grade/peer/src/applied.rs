//! What the peer applies goes to the lab, one message for each credit.
//!
//! The channel has no capacity: a Raft that holds its lock while it sends must be found out here
//! as it is in one process. So a message is taken only when the lab waits for one.

use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Select};
use parking_lot::{Condvar, Mutex};
use raftapi::ApplyMsg;

use crate::frames::Output;
use crate::outlet::Outlet;

/// The messages that the lab waits for.
#[derive(Default)]
pub(crate) struct Credits {
    left: Mutex<u64>,
    added: Condvar,
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

/// Starts the thread that takes messages; it ends when nobody can send any more.
pub(crate) fn start(messages: Receiver<ApplyMsg>, credits: Arc<Credits>, outlet: Arc<Outlet>) {
    let work = move || {
        loop {
            if credits.is_empty() {
                wait_for_a_sender(&messages);
                // It may have come meanwhile, along with something else.
                if credits.is_empty() {
                    outlet.send(Output::Waits);
                }
            }
            credits.take();
            let Ok(message) = messages.recv() else { return };
            outlet.send(Output::Applied(message));
        }
    };
    let builder = thread::Builder::new().name("applier".into());
    builder.spawn(work).expect("failed to start the applier");
}

/// Takes nothing.
fn wait_for_a_sender(messages: &Receiver<ApplyMsg>) {
    let mut select = Select::new();
    select.recv(messages);
    select.ready();
}

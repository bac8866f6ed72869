//! The inputs that wait for the next step of a peer's process.

use std::time::{Duration, Instant};

use ::peer::frames::Input;
use parking_lot::{Condvar, Mutex};

/// Inputs within this time go in together, because a round trip costs more than the inputs.
const GATHERED_WITHIN: Duration = Duration::from_micros(20);

#[derive(Default)]
pub(super) struct Mailbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    inputs: Vec<Input>,
    /// The owner of the service waits for a message, and the peer does not know that yet.
    has_credit: bool,
    /// The peer has a message, and no credit.
    is_blocked: bool,
    closed: bool,
}

impl State {
    /// A credit that the peer does not wait for is sent with the next input.
    fn is_due(&self) -> bool {
        !self.inputs.is_empty() || self.has_credit && self.is_blocked
    }
}

impl Mailbox {
    pub(super) fn push(&self, input: Input) {
        self.change(|state| state.inputs.push(input));
    }

    /// The owner of the service waits for the next message.
    pub(super) fn credit(&self) {
        self.change(|state| state.has_credit = true);
    }

    /// The peer has a message, and no credit.
    pub(super) fn note_blocked(&self) {
        self.change(|state| state.is_blocked = true);
    }

    pub(super) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        let was_due = state.is_due();
        change(&mut state);
        if !was_due && state.is_due() || state.closed {
            self.changed.notify_one();
        }
    }

    /// Waits until something is due, or until the deadline. None once it is closed.
    pub(super) fn take(&self, deadline: Option<Instant>) -> Option<Vec<Input>> {
        let mut state = self.state.lock();
        let mut is_over = false;
        while !state.closed && !state.is_due() && !is_over {
            match deadline {
                Some(deadline) => {
                    is_over = self.changed.wait_until(&mut state, deadline).timed_out();
                }
                None => self.changed.wait(&mut state),
            }
        }
        if state.is_due() && !state.closed {
            drop(state);
            std::thread::sleep(GATHERED_WITHIN);
            state = self.state.lock();
        }
        if state.closed {
            return None;
        }
        let mut inputs = std::mem::take(&mut state.inputs);
        if std::mem::take(&mut state.has_credit) {
            state.is_blocked = false;
            inputs.push(Input::Credit);
        }
        Some(inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: u64) -> Input {
        Input::Request { id, method: "Echo.Twice".into(), args: vec![] }
    }

    #[test]
    fn a_credit_is_sent_with_another_input_or_alone_if_the_peer_waits_for_it() {
        let past = Some(Instant::now());
        let mailbox = Mailbox::default();
        mailbox.credit();
        mailbox.push(request(1));
        assert_eq!(mailbox.take(None), Some(vec![request(1), Input::Credit]));
        mailbox.note_blocked();
        assert_eq!(mailbox.take(past), Some(vec![]));
        mailbox.credit();
        assert_eq!(mailbox.take(None), Some(vec![Input::Credit]));
        assert_eq!(mailbox.take(past), Some(vec![]));
    }

    #[test]
    fn a_closed_mailbox_gives_nothing() {
        let mailbox = Mailbox::default();
        mailbox.push(request(1));
        mailbox.close();
        assert_eq!(mailbox.take(None), None);
    }
}

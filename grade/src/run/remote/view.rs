//! The last state of its object that a peer's process has shown.
//!
//! An observation is current until the process has another output, because that output can reveal a
//! change that the observation does not show. A caller then waits for the next observation, as it
//! would wait for the peer's lock in one process.

use parking_lot::{Condvar, Mutex};

use crate::run::remote::clock::PeerClock;
use crate::run::remote::nonsense::Nonsense;

/// A state that arrives as changes.
pub(super) trait State: Clone + Default + Send + 'static {
    /// Decodes a change and applies it. In a recorded run the change has details, whose times are
    /// on the clock `described_by`.
    fn change(&mut self, change: &[u8], described_by: Option<&PeerClock>) -> Result<(), Nonsense>;
}

/// The part of a [`View`] that the driver uses, for any state.
pub(super) trait Shown: Send + Sync {
    /// The process had an output that is no observation.
    fn note_output(&self);

    /// The process sent an observation that covers the first `covers` other outputs. An empty
    /// change means that the state is the same. None means that the object never shows its state.
    /// For `described_by` see [`State::change`].
    fn show(
        &self,
        covers: u64,
        change: Option<&[u8]>,
        described_by: Option<&PeerClock>,
    ) -> Result<(), Nonsense>;

    /// There will be no more outputs.
    fn close(&self);
}

pub(super) struct View<S> {
    seen: Mutex<Seen<S>>,
    shown: Condvar,
}

#[derive(Default)]
struct Seen<S> {
    state: S,
    /// The number of outputs before the last observation.
    covers: u64,
    /// The number of outputs so far, without observations.
    outputs: u64,
    is_blind: bool,
    closed: bool,
}

impl<S: State> View<S> {
    pub(super) fn new() -> View<S> {
        View { seen: Mutex::default(), shown: Condvar::new() }
    }

    /// Waits for the current state. None if the peer does not show it.
    pub(super) fn wait(&self) -> Option<S> {
        let mut seen = self.seen.lock();
        while seen.covers < seen.outputs && !seen.is_blind && !seen.closed {
            self.shown.wait(&mut seen);
        }
        (!seen.is_blind).then(|| seen.state.clone())
    }

    /// Reads from the last state that was shown.
    pub(super) fn last<T>(&self, read: impl FnOnce(&S) -> T) -> T {
        read(&self.seen.lock().state)
    }
}

impl<S: State> Shown for View<S> {
    fn note_output(&self) {
        self.seen.lock().outputs += 1;
    }

    fn show(
        &self,
        covers: u64,
        change: Option<&[u8]>,
        described_by: Option<&PeerClock>,
    ) -> Result<(), Nonsense> {
        let mut seen = self.seen.lock();
        if covers < seen.covers || covers > seen.outputs {
            return Err(Nonsense::Unexpected);
        }
        seen.covers = covers;
        let result = match change {
            Some([]) => Ok(()),
            Some(change) => seen.state.change(change, described_by),
            None => {
                seen.is_blind = true;
                Ok(())
            }
        };
        self.shown.notify_all();
        result
    }

    fn close(&self) {
        self.seen.lock().closed = true;
        self.shown.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default, PartialEq, Debug)]
    struct Bytes(Vec<u8>);

    impl State for Bytes {
        fn change(&mut self, change: &[u8], _: Option<&PeerClock>) -> Result<(), Nonsense> {
            self.0 = change.to_vec();
            Ok(())
        }
    }

    fn view() -> View<Bytes> {
        View::new()
    }

    #[test]
    fn an_observation_is_current_until_another_output() {
        let view = view();
        view.note_output();
        assert!(view.show(1, Some(b"3"), None).is_ok());
        assert_eq!(
            (view.wait(), view.last(Bytes::clone)),
            (Some(Bytes(b"3".into())), Bytes(b"3".into()))
        );
        view.note_output();
        assert!(view.show(2, Some(&[]), None).is_ok());
        assert_eq!(view.wait(), Some(Bytes(b"3".into())));
        view.note_output();
        view.close();
        assert_eq!(view.wait(), Some(Bytes(b"3".into())));
    }

    #[test]
    fn an_observation_that_covers_future_outputs_is_refused() {
        let view = view();
        assert!(view.show(1, None, None).is_err());
    }

    #[test]
    fn a_peer_that_never_shows_its_state_is_not_waited_for() {
        let view = view();
        view.note_output();
        assert!(view.show(0, None, None).is_ok());
        assert_eq!(view.wait(), None);
    }
}

//! What a peer's process has last shown of its state, for `inspect`.
//!
//! A look is good until something else comes out of the process: that may tell of a change that the
//! look does not show. Then `inspect` waits for the next one, as it would for the peer's lock.

use ::peer::delta::InspectChange;
use parking_lot::{Condvar, Mutex};
use raftapi::Inspect;

#[derive(Default)]
pub(super) struct View {
    state: Mutex<State>,
    shown: Condvar,
}

#[derive(Default)]
struct State {
    inspect: Inspect,
    /// So many outputs had come before the last look.
    covers: u64,
    /// So many outputs have come, looks aside.
    outputs: u64,
    /// The highest term that the process has told of.
    term: u64,
    is_blind: bool,
    closed: bool,
}

impl View {
    /// Something came out that is no look.
    pub(super) fn note_output(&self) {
        self.state.lock().outputs += 1;
    }

    /// A look came out; false if it makes no sense.
    pub(super) fn show(&self, covers: u64, change: Option<InspectChange>) -> bool {
        let mut state = self.state.lock();
        if covers < state.covers || covers > state.outputs {
            return false;
        }
        state.covers = covers;
        let makes_sense = match change {
            Some(change) => change.apply(&mut state.inspect),
            None => {
                state.is_blind = true;
                true
            }
        };
        state.term = state.term.max(state.inspect.current_term);
        self.shown.notify_all();
        makes_sense
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.shown.notify_all();
    }

    /// The present state; none if the peer does not show it.
    pub(super) fn wait(&self) -> Option<Inspect> {
        let mut state = self.state.lock();
        while state.covers < state.outputs && !state.is_blind && !state.closed {
            self.shown.wait(&mut state);
        }
        (!state.is_blind).then(|| state.inspect.clone())
    }

    /// The process has told of a term.
    pub(super) fn note_term(&self, term: u64) {
        let mut state = self.state.lock();
        state.term = state.term.max(term);
    }

    pub(super) fn term(&self) -> u64 {
        self.state.lock().term
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_good_until_something_else_comes_out() {
        let view = View::default();
        let state = Inspect { current_term: 3, ..Inspect::default() };
        view.note_output();
        assert!(view.show(1, Some(InspectChange::between(&Inspect::default(), &state))));
        assert_eq!((view.wait(), view.term()), (Some(state), 3));
        view.note_output();
        view.close();
        view.note_term(2);
        assert_eq!((view.wait().map(|state| state.current_term), view.term()), (Some(3), 3));
    }

    #[test]
    fn a_look_that_covers_what_has_not_come_is_refused() {
        let view = View::default();
        assert!(!view.show(1, None));
    }

    #[test]
    fn who_has_nothing_to_show_is_not_waited_for() {
        let view = View::default();
        view.note_output();
        assert!(view.show(0, None));
        assert_eq!(view.wait(), None);
    }
}

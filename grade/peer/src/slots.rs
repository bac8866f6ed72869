//! Matches answers from the other process to the threads that wait for them, by number.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// The answers that are still due.
pub struct Slots<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    opened: u64,
    open: BTreeMap<u64, Arc<Slot<T>>>,
    closed: bool,
}

/// One answer that is due.
pub struct Slot<T> {
    /// None until it is filled. `Some(None)` means that no answer will come.
    content: Mutex<Option<Option<T>>>,
    filled: Condvar,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        let state = State { opened: 0, open: BTreeMap::new(), closed: false };
        Slots { state: Mutex::new(state) }
    }
}

impl<T> Slots<T> {
    /// Returns a new number and the slot for its answer.
    pub fn open(&self) -> (u64, Arc<Slot<T>>) {
        let mut state = self.state.lock();
        state.opened += 1;
        let id = state.opened;
        let content = Mutex::new(state.closed.then_some(None));
        let slot = Arc::new(Slot { content, filled: Condvar::new() });
        state.open.insert(id, Arc::clone(&slot));
        (id, slot)
    }

    /// Fills the slot with this number. Returns false if there is no such slot, or if it is filled.
    pub fn fill(&self, id: u64, answer: T) -> bool {
        let slot = self.state.lock().open.remove(&id);
        if let Some(slot) = &slot {
            slot.fill(Some(answer));
        }
        slot.is_some()
    }

    /// Ends all waiting, because no more answers will come.
    pub fn close(&self) {
        let open = {
            let mut state = self.state.lock();
            state.closed = true;
            std::mem::take(&mut state.open)
        };
        open.values().for_each(|slot| slot.fill(None));
    }
}

impl<T> Slot<T> {
    fn fill(&self, answer: Option<T>) {
        *self.content.lock() = Some(answer);
        self.filled.notify_all();
    }

    /// Waits for the answer. None if no answer will come.
    pub fn wait(&self) -> Option<T> {
        let mut content = self.content.lock();
        loop {
            match content.take() {
                Some(answer) => return answer,
                None => self.filled.wait(&mut content),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reaches_its_slot_and_only_once() {
        let slots = Slots::default();
        let ((first, one), (second, two)) = (slots.open(), slots.open());
        assert!(slots.fill(second, "two") && slots.fill(first, "one"));
        assert!(!slots.fill(first, "again") && !slots.fill(9, "never asked"));
        assert_eq!((one.wait(), two.wait()), (Some("one"), Some("two")));
    }

    #[test]
    fn no_thread_waits_for_an_answer_after_the_end() {
        let slots = Slots::<u8>::default();
        let (_, before) = slots.open();
        slots.close();
        let (_, after) = slots.open();
        assert_eq!((before.wait(), after.wait()), (None, None));
    }
}

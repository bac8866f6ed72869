//! The threads that can run, in order of arrival.

use std::collections::VecDeque;

/// A thread that can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadyThread {
    /// Its place in the scheduler's tables. Small, but used again when the thread has ended.
    pub(crate) slot: u32,
    /// Its number in the run, in order of creation. It is the same in every run that takes the same
    /// steps up to its creation, so a recording should hold this number.
    pub(crate) id: u32,
}

/// The queue of ready threads.
#[derive(Debug)]
pub(crate) struct Ready {
    threads: VecDeque<ReadyThread>,
}

impl Ready {
    pub(crate) fn new() -> Ready {
        Ready { threads: VecDeque::with_capacity(64) }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.threads.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }

    /// In order of arrival, unless `take` has changed that.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ReadyThread> {
        self.threads.iter().copied()
    }

    /// The thread that arrived last.
    #[inline]
    pub(crate) fn last(&self) -> Option<ReadyThread> {
        self.threads.back().copied()
    }

    #[inline]
    pub(crate) fn push(&mut self, thread: ReadyThread) {
        self.threads.push_back(thread);
    }

    /// Takes out the thread that arrived first.
    #[inline]
    pub(crate) fn take_first(&mut self) -> Option<ReadyThread> {
        self.threads.pop_front()
    }

    /// Takes out the thread at `index`, in constant time: the last one moves into the gap.
    #[inline]
    pub(crate) fn take(&mut self, index: usize) -> Option<ReadyThread> {
        self.threads.swap_remove_back(index)
    }

    /// Takes out every thread for which `leaves` is true. The others keep their order.
    pub(crate) fn remove(&mut self, mut leaves: impl FnMut(ReadyThread) -> bool) {
        self.threads.retain(|thread| !leaves(*thread));
    }
}

#[cfg(test)]
mod tests {
    use super::{Ready, ReadyThread};

    /// `remove` takes out exactly the threads named; the others keep their order.
    #[test]
    fn remove_keeps_the_order() {
        let mut ready = Ready::new();
        (1..=4).for_each(|slot| ready.push(ReadyThread { slot, id: slot }));
        let mut removed = Vec::new();
        ready.remove(|thread| {
            let leaves = thread.slot % 2 == 0;
            removed.extend(leaves.then_some(thread.slot));
            leaves
        });
        assert_eq!(removed, [2, 4]);
        assert_eq!(ready.iter().map(|thread| thread.slot).collect::<Vec<_>>(), [1, 3]);
    }
}

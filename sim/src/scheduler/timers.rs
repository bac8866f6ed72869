//! Timers, ordered by deadline and then by the order in which they were set.
//!
//! Most timers are cancelled long before they are due. A cancelled timer stays in the heap and is
//! skipped when it is due. The heap is swept when it has more cancelled timers than live ones.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// (deadline in ns, sequence, slot of the thread)
type Entry = Reverse<(u64, u64, u32)>;

/// The timers, and for each slot the sequence number of its live timer; 0 if it has none.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Entry>,
    live: Vec<u64>,
    live_count: usize,
    sequence: u64,
}

impl Timers {
    /// Starts the timer of a thread, which has at most one.
    pub(crate) fn set(&mut self, slot: u32, deadline: u64) {
        let index = slot as usize;
        if self.live.len() <= index {
            self.live.resize(index + 1, 0);
        }
        self.cancel(slot);
        self.sequence += 1;
        self.live[index] = self.sequence;
        self.live_count += 1;
        self.heap.push(Reverse((deadline, self.sequence, slot)));
        if self.heap.len() > 64 && self.heap.len() > 2 * self.live_count {
            let live = &self.live;
            self.heap.retain(|Reverse((_, sequence, slot))| live[*slot as usize] == *sequence);
        }
    }

    /// Stops a thread's timer, if it runs.
    #[inline]
    pub(crate) fn cancel(&mut self, slot: u32) {
        if let Some(live) = self.live.get_mut(slot as usize)
            && *live != 0
        {
            *live = 0;
            self.live_count -= 1;
        }
    }

    /// The next deadline, if any timer runs.
    #[inline]
    pub(crate) fn next_deadline(&mut self) -> Option<u64> {
        while let Some(Reverse((deadline, sequence, slot))) = self.heap.peek() {
            if self.live[*slot as usize] == *sequence {
                return Some(*deadline);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes out a timer that is due. Returns the slot of its thread.
    #[inline]
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<u32> {
        let deadline = self.next_deadline()?;
        if deadline > now {
            return None;
        }
        let Reverse((_, _, slot)) = self.heap.pop()?;
        self.cancel(slot);
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::Timers;

    /// Equal deadlines fire in the order in which they were set.
    #[test]
    fn fires_by_deadline_then_sequence() {
        let mut timers = Timers::default();
        for (slot, deadline) in [(3, 20), (1, 10), (2, 10), (0, 30)] {
            timers.set(slot, deadline);
        }
        timers.cancel(0);
        let fired: Vec<u32> = std::iter::from_fn(|| timers.pop_due(40)).collect();
        assert_eq!(fired, [1, 2, 3]);
        assert_eq!(timers.next_deadline(), None);
    }

    /// A thread has one timer: setting it again moves it.
    #[test]
    fn setting_again_moves_the_timer() {
        let mut timers = Timers::default();
        timers.set(0, 10);
        timers.set(0, 50);
        assert_eq!(timers.pop_due(20), None);
        assert_eq!(timers.next_deadline(), Some(50));
    }

    /// Cancelled timers do not accumulate.
    #[test]
    fn stale_entries_are_swept() {
        let mut timers = Timers::default();
        for i in 0..10_000 {
            timers.set(0, 1_000_000 + i);
        }
        assert!(timers.heap.len() <= 65, "{}", timers.heap.len());
    }
}

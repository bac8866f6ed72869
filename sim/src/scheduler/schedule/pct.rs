//! Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): the ready thread with the
//! highest random priority runs, and priorities change at a few random steps.

use crate::scheduler::ready::{Ready, ReadyThread};
use crate::scheduler::schedule::chances::Chances;
use crate::scheduler::schedule::{Point, Schedule};

/// The number of times in a row that one thread can run while others are ready.
const STREAK_MAX: u32 = 1_000;
/// Priorities of new threads are above this, those of lowered threads are below.
const FIRST_PRIORITY: u64 = 1 << 63;

#[derive(Debug)]
pub(crate) struct PctSchedule {
    chances: Chances,
    /// By slot; the highest runs first.
    priorities: Vec<u64>,
    /// The steps at which the running thread is lowered, ascending, and the number of those that
    /// have passed.
    changes: Vec<u64>,
    changes_passed: usize,
    /// The priority that the next lowered thread gets; it only falls.
    lowest: u64,
    /// The slot of the thread chosen last, and the number of times in a row that it was chosen.
    last: u32,
    streak: u32,
}

impl PctSchedule {
    /// With `depth - 1` change points below `steps`.
    pub(crate) fn new(mut chances: Chances, depth: u32, steps: u64) -> PctSchedule {
        let mut changes: Vec<u64> =
            (1..depth).map(|_| chances.random.below(steps.max(1))).collect();
        changes.sort_unstable();
        PctSchedule {
            chances,
            priorities: Vec::new(),
            changes,
            changes_passed: 0,
            lowest: FIRST_PRIORITY - 1,
            last: u32::MAX,
            streak: 0,
        }
    }

    fn lower(&mut self, slot: u32) {
        if let Some(priority) = self.priorities.get_mut(slot as usize) {
            *priority = self.lowest;
            self.lowest -= 1;
        }
    }

    /// The place in the queue and the slot of the thread with the highest priority.
    fn highest(&self, ready: &Ready) -> (usize, u32) {
        let priority = |slot: u32| self.priorities.get(slot as usize).copied().unwrap_or(0);
        let threads = ready.iter().map(|thread| thread.slot).enumerate();
        threads
            .max_by_key(|(_, slot)| priority(*slot))
            .expect("there are at least two ready threads")
    }
}

impl Schedule for PctSchedule {
    fn next(&mut self, _point: Point, ready: &mut Ready) -> ReadyThread {
        let (mut index, mut slot) = self.highest(ready);
        self.streak = if slot == self.last { self.streak + 1 } else { 0 };
        if self.streak > STREAK_MAX {
            self.streak = 0;
            self.lower(slot);
            (index, slot) = self.highest(ready);
        }
        self.last = slot;
        ready.take(index).expect("the index belongs to a ready thread")
    }

    fn edges_to_preemption(&mut self) -> u32 {
        self.chances.edges()
    }

    fn clock_reads_to_preemption(&mut self) -> u32 {
        self.chances.clock_reads()
    }

    fn early_wake(&mut self) -> Option<u64> {
        self.chances.early_wake()
    }

    fn started(&mut self, slot: u32) {
        let index = slot as usize;
        if self.priorities.len() <= index {
            self.priorities.resize(index + 1, 0);
        }
        self.priorities[index] = FIRST_PRIORITY | self.chances.random.next();
    }

    fn yielded(&mut self, slot: u32) {
        self.lower(slot);
    }

    fn stepped(&mut self, slot: u32, step: u64) -> u64 {
        while let Some(change) = self.changes.get(self.changes_passed) {
            if *change > step {
                return *change;
            }
            self.changes_passed += 1;
            self.lower(slot);
        }
        u64::MAX
    }

    fn turn(&mut self, seed: u64) {
        self.chances.turn(seed);
    }
}

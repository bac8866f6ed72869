//! The threads that could run, and the rule that picks one of them.

use crate::options::Schedule;
use crate::scheduler::random::Random;

/// Times in a row that PCT lets one thread run while others are ready.
const STREAK_MAX: u32 = 1_000;

/// The ready threads in order of arrival, with what the schedule needs to know of each.
#[derive(Debug)]
pub(crate) struct Ready {
    slots: std::collections::VecDeque<u32>,
    schedule: Schedule,
    /// By slot, for PCT: higher runs first.
    priorities: Vec<u64>,
    /// Steps at which PCT lowers the running thread, ascending, and how many have passed.
    changes: Vec<u64>,
    changes_passed: usize,
    /// The priority that the next lowered thread gets; it only falls.
    lowest: u64,
    last: u32,
    streak: u32,
}

/// Priorities of new threads lie above this, those of lowered ones below.
const FIRST_PRIORITY: u64 = 1 << 63;

impl Ready {
    pub(crate) fn new(schedule: Schedule, random: &mut Random) -> Ready {
        let mut changes = Vec::new();
        if let Schedule::Pct { depth, steps } = schedule {
            changes.extend((1..depth).map(|_| random.below(steps.max(1))));
            changes.sort_unstable();
        }
        Ready {
            slots: std::collections::VecDeque::with_capacity(64),
            schedule,
            priorities: Vec::new(),
            changes,
            changes_passed: 0,
            lowest: FIRST_PRIORITY - 1,
            last: u32::MAX,
            streak: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Gives a new thread its priority.
    pub(crate) fn admit(&mut self, slot: u32, random: &mut Random) {
        if matches!(self.schedule, Schedule::Pct { .. }) {
            let index = slot as usize;
            if self.priorities.len() <= index {
                self.priorities.resize(index + 1, 0);
            }
            self.priorities[index] = FIRST_PRIORITY | random.next();
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, slot: u32) {
        self.slots.push_back(slot);
    }

    /// Takes out every thread that `leave` names, and gives them in order.
    pub(crate) fn extract(&mut self, mut leave: impl FnMut(u32) -> bool) -> Vec<u32> {
        let (out, kept) = self.slots.iter().partition(|slot| leave(**slot));
        self.slots = kept;
        let out: std::collections::VecDeque<u32> = out;
        out.into()
    }

    /// Lowers a thread below all others, because it waits in a loop.
    pub(crate) fn lower(&mut self, slot: u32) {
        if let Some(priority) = self.priorities.get_mut(slot as usize) {
            *priority = self.lowest;
            self.lowest -= 1;
        }
    }

    /// Tells PCT that the running thread took a step.
    #[inline]
    pub(crate) fn stepped(&mut self, slot: u32, step: u64) {
        while self.changes.get(self.changes_passed).is_some_and(|change| *change <= step) {
            self.changes_passed += 1;
            self.lower(slot);
        }
    }

    /// The next thread to run; `avoid` is a thread that yields, and gives way to any other.
    #[inline]
    pub(crate) fn pick(&mut self, random: &mut Random, avoid: Option<u32>) -> Option<u32> {
        let count = self.slots.len();
        if count <= 1 {
            return self.slots.pop_front();
        }
        match self.schedule {
            Schedule::Fifo => self.slots.pop_front(),
            Schedule::Random => {
                // A yielding thread has just been pushed, so it stands last.
                let yields = avoid.is_some() && self.slots.back().copied() == avoid;
                let choices = if yields { count - 1 } else { count };
                let index = random.below(choices as u64) as usize;
                self.slots.swap_remove_back(index)
            }
            Schedule::Pct { .. } => self.pick_highest(),
        }
    }

    fn pick_highest(&mut self) -> Option<u32> {
        let priority = |slot: &u32| self.priorities.get(*slot as usize).copied().unwrap_or(0);
        let (mut index, slot) =
            self.slots.iter().enumerate().max_by_key(|(_, slot)| priority(slot))?;
        let mut slot = *slot;
        self.streak = if slot == self.last { self.streak + 1 } else { 0 };
        if self.streak > STREAK_MAX {
            self.streak = 0;
            self.lower(slot);
            let priority = |slot: &u32| self.priorities.get(*slot as usize).copied().unwrap_or(0);
            let (i, s) = self.slots.iter().enumerate().max_by_key(|(_, slot)| priority(slot))?;
            (index, slot) = (i, *s);
        }
        self.last = slot;
        self.slots.remove(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(schedule: Schedule, slots: &[u32]) -> (Ready, Random) {
        let mut random = Random::new(1, 0);
        let mut ready = Ready::new(schedule, &mut random);
        for slot in slots {
            ready.admit(*slot, &mut random);
            ready.push(*slot);
        }
        (ready, random)
    }

    /// First in, first out.
    #[test]
    fn fifo_keeps_order() {
        let (mut ready, mut random) = ready(Schedule::Fifo, &[4, 2, 7]);
        let order: Vec<u32> = std::iter::from_fn(|| ready.pick(&mut random, None)).collect();
        assert_eq!(order, [4, 2, 7]);
    }

    /// A thread that yields runs again only when nobody else is ready.
    #[test]
    fn random_gives_way() {
        for _ in 0..50 {
            let (mut ready, mut random) = ready(Schedule::Random, &[4, 2, 7]);
            assert_ne!(ready.pick(&mut random, Some(7)), Some(7));
        }
    }

    /// A PCT thread that never waits is lowered in the end.
    #[test]
    fn pct_ends_streaks() {
        let (mut ready, mut random) = ready(Schedule::Pct { depth: 1, steps: 10 }, &[0, 1]);
        let mut seen = [0; 2];
        for _ in 0..3 * STREAK_MAX {
            let slot = ready.pick(&mut random, None).unwrap_or_default();
            seen[slot as usize] += 1;
            ready.push(slot);
        }
        assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    }

    /// `extract` takes out exactly the threads named, in order.
    #[test]
    fn extract_keeps_both_orders() {
        let (mut ready, mut random) = ready(Schedule::Fifo, &[1, 2, 3, 4]);
        assert_eq!(ready.extract(|slot| slot % 2 == 0), [2, 4]);
        assert_eq!(ready.pick(&mut random, None), Some(1));
    }
}

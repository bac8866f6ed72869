//! The random schedule: any ready thread runs next, with equal chances.

use crate::scheduler::ready::{Ready, ReadyThread};
use crate::scheduler::schedule::chances::Chances;
use crate::scheduler::schedule::{Point, Schedule};

#[derive(Debug)]
pub(crate) struct RandomSchedule {
    chances: Chances,
}

impl RandomSchedule {
    pub(crate) fn new(chances: Chances) -> RandomSchedule {
        RandomSchedule { chances }
    }

    #[inline]
    fn draw(&mut self, point: Point, ready: &Ready) -> usize {
        // A yielding thread has just been pushed, so it stands last.
        let yields = point.yields && ready.last() == point.running;
        let choices = if yields { ready.len() - 1 } else { ready.len() };
        self.chances.random.below(choices as u64) as usize
    }
}

impl Schedule for RandomSchedule {
    #[inline]
    fn next(&mut self, point: Point, ready: &mut Ready) -> ReadyThread {
        let index = self.draw(point, ready);
        ready.take(index).expect("the index is below the number of ready threads")
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

    fn pass_over(&mut self, point: Point, ready: &Ready) {
        self.draw(point, ready);
    }

    fn turn(&mut self, seed: u64) {
        self.chances.turn(seed);
    }
}

//! The schedule without chance: first in, first out.

use crate::scheduler::ready::{Ready, ReadyThread};
use crate::scheduler::schedule::chances::Chances;
use crate::scheduler::schedule::{Point, Schedule};

/// The number of clock reads after which other threads get the turn.
const CLOCK_READS: u32 = 16;

#[derive(Debug)]
pub(crate) struct FifoSchedule {
    /// For edges and early wakes, which are random in every schedule.
    chances: Chances,
}

impl FifoSchedule {
    pub(crate) fn new(chances: Chances) -> FifoSchedule {
        FifoSchedule { chances }
    }
}

impl Schedule for FifoSchedule {
    fn next(&mut self, _point: Point, ready: &mut Ready) -> ReadyThread {
        ready.take_first().expect("there are at least two ready threads")
    }

    fn edges_to_preemption(&mut self) -> u32 {
        self.chances.edges()
    }

    fn clock_reads_to_preemption(&mut self) -> u32 {
        CLOCK_READS
    }

    fn early_wake(&mut self) -> Option<u64> {
        self.chances.early_wake()
    }

    fn turn(&mut self, seed: u64) {
        self.chances.turn(seed);
    }
}

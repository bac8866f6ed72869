//! Random answers that all seeded schedules use.

use crate::scheduler::random::Random;

/// One of this many waits ends early, if the run has spurious wakes.
const EARLY_WAKE_ONE_IN: u64 = 8;
/// An early wake comes within this time, in ns.
const EARLY_WAKE_NS_MAX: u64 = 2_000_000;

/// The schedule's stream of random numbers.
#[derive(Debug)]
pub(crate) struct Chances {
    pub(crate) random: Random,
    edge_mean: u32,
}

impl Chances {
    pub(crate) fn new(seed: u64, edge_mean: u32) -> Chances {
        Chances { random: Random::new(seed, 1), edge_mean }
    }

    pub(crate) fn turn(&mut self, seed: u64) {
        self.random = Random::new(seed, 1);
    }

    pub(crate) fn edges(&mut self) -> u32 {
        1 + self.random.below(2 * u64::from(self.edge_mean)) as u32
    }

    /// A random number with a mean of 16.
    pub(crate) fn clock_reads(&mut self) -> u32 {
        1 + self.random.below(2 * 16) as u32
    }

    pub(crate) fn early_wake(&mut self) -> Option<u64> {
        (self.random.below(EARLY_WAKE_ONE_IN) == 0).then(|| self.random.below(EARLY_WAKE_NS_MAX))
    }
}

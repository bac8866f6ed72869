//! Makes a schedule from the policy in a run's options.

use crate::options::{Options, Policy};
use crate::scheduler::schedule::Schedule;
use crate::scheduler::schedule::chances::Chances;
use crate::scheduler::schedule::fifo::FifoSchedule;
use crate::scheduler::schedule::partly::PartlySchedule;
use crate::scheduler::schedule::pct::PctSchedule;
use crate::scheduler::schedule::random::RandomSchedule;

/// A fresh schedule for one run.
pub(crate) fn schedule(options: &Options) -> Box<dyn Schedule> {
    let chances = Chances::new(options.seed, options.edge_mean);
    let schedule: Box<dyn Schedule> = match options.policy {
        Policy::Random => Box::new(RandomSchedule::new(chances)),
        Policy::Pct { depth, steps } => Box::new(PctSchedule::new(chances, depth, steps)),
        Policy::Fifo => Box::new(FifoSchedule::new(chances)),
    };
    match &options.drawn {
        Some(drawn) => Box::new(PartlySchedule::new(schedule, drawn.clone())),
        None => schedule,
    }
}

#[cfg(test)]
mod tests {
    use super::schedule;
    use crate::options::{Options, Policy};
    use crate::scheduler::ready::{Ready, ReadyThread};
    use crate::scheduler::schedule::{Point, Schedule};

    const POINT: Point = Point { running: None, yields: false };

    fn thread(slot: u32) -> ReadyThread {
        ReadyThread { slot, id: slot }
    }

    fn start(policy: Policy, slots: &[u32]) -> (Box<dyn Schedule>, Ready) {
        let mut schedule = schedule(&Options::new().seed(1).policy(policy));
        let mut ready = Ready::new();
        for slot in slots {
            schedule.started(*slot);
            ready.push(thread(*slot));
        }
        (schedule, ready)
    }

    /// First in, first out.
    #[test]
    fn fifo_keeps_order() {
        let (mut schedule, mut ready) = start(Policy::Fifo, &[4, 2, 7]);
        assert_eq!([0, 0].map(|_| schedule.next(POINT, &mut ready).slot), [4, 2]);
        assert_eq!(ready.take_first(), Some(thread(7)));
    }

    /// A thread that yields runs again only when no other thread is ready.
    #[test]
    fn random_gives_way() {
        let (mut schedule, _) = start(Policy::Random, &[]);
        for _ in 0..50 {
            let (_, mut ready) = start(Policy::Random, &[4, 2, 7]);
            let point = Point { running: Some(thread(7)), yields: true };
            assert_ne!(schedule.next(point, &mut ready).slot, 7);
        }
    }

    /// Under PCT, a thread that never waits is lowered after some time.
    #[test]
    fn pct_ends_streaks() {
        let (mut schedule, mut ready) = start(Policy::Pct { depth: 1, steps: 10 }, &[0, 1]);
        let mut seen = [0; 2];
        for _ in 0..3_000 {
            let thread = schedule.next(POINT, &mut ready);
            seen[thread.slot as usize] += 1;
            ready.push(thread);
        }
        assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    }
}

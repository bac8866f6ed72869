//! A schedule of which only some decisions are drawn; in all others the running thread runs on.
//!
//! It makes a run simpler: a failure that still happens does not need the decisions left out.

use std::ops::Range;

use crate::report::Decisions;
use crate::scheduler::ready::{Ready, ReadyThread};
use crate::scheduler::schedule::{Point, Schedule};

/// The number of times in a row that a thread runs on while others are ready. A loop that waits for
/// another thread without a system call would otherwise keep the turn without end.
const STREAK_MAX: u32 = 100;
/// The number of clock reads after which other threads get the turn.
const CLOCK_READS: u32 = 16;

#[derive(Debug)]
pub(crate) struct PartlySchedule {
    inner: Box<dyn Schedule>,
    /// The numbers of the decisions that `inner` takes, in ascending ranges, and the number of
    /// ranges that have passed.
    drawn: Vec<Range<u64>>,
    passed: usize,
    decisions: Decisions,
    streak: u32,
}

impl PartlySchedule {
    pub(crate) fn new(inner: Box<dyn Schedule>, drawn: Vec<Range<u64>>) -> PartlySchedule {
        PartlySchedule { inner, drawn, passed: 0, decisions: Decisions::default(), streak: 0 }
    }

    /// Counts a decision, and tells whether it is drawn.
    fn is_drawn(&mut self) -> bool {
        let number = self.decisions.made;
        self.decisions.made += 1;
        while self.drawn.get(self.passed).is_some_and(|range| range.end <= number) {
            self.passed += 1;
        }
        self.drawn.get(self.passed).is_some_and(|range| range.contains(&number))
    }

    /// The place of the thread that runs next if nothing is drawn. A thread that can run on has
    /// just been pushed, so it stands last.
    fn plain(&self, point: Point, ready: &Ready) -> usize {
        let can_run_on = ready.last().is_some() && ready.last() == point.running && !point.yields;
        if can_run_on && self.streak < STREAK_MAX { ready.len() - 1 } else { 0 }
    }
}

impl Schedule for PartlySchedule {
    fn next(&mut self, point: Point, ready: &mut Ready) -> ReadyThread {
        let index = self.plain(point, ready);
        let plain = ready.iter().nth(index).expect("there are at least two ready threads");
        let chosen = if self.is_drawn() {
            self.inner.next(point, ready)
        } else {
            self.inner.pass_over(point, ready);
            let is_last = index > 0;
            // Taking the first keeps the order of the others.
            let taken = if is_last { ready.take(index) } else { ready.take_first() };
            taken.expect("there are at least two ready threads")
        };
        self.decisions.different += u64::from(chosen != plain);
        self.streak = if Some(chosen) == point.running { self.streak + 1 } else { 0 };
        chosen
    }

    fn edges_to_preemption(&mut self) -> u32 {
        let edges = self.inner.edges_to_preemption();
        if self.is_drawn() { edges } else { u32::MAX }
    }

    fn clock_reads_to_preemption(&mut self) -> u32 {
        let reads = self.inner.clock_reads_to_preemption();
        if self.is_drawn() { reads } else { CLOCK_READS }
    }

    fn early_wake(&mut self) -> Option<u64> {
        let after = self.inner.early_wake();
        if self.is_drawn() { after } else { None }
    }

    fn started(&mut self, slot: u32) {
        self.inner.started(slot);
    }

    fn yielded(&mut self, slot: u32) {
        self.inner.yielded(slot);
    }

    fn stepped(&mut self, slot: u32, step: u64) -> u64 {
        self.inner.stepped(slot, step)
    }

    fn turn(&mut self, seed: u64) {
        self.inner.turn(seed);
    }

    fn decisions(&self) -> Decisions {
        self.decisions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Options, Policy};
    use crate::scheduler::schedule::policy::schedule;

    fn thread(slot: u32) -> ReadyThread {
        ReadyThread { slot, id: slot }
    }

    fn ready() -> Ready {
        let mut ready = Ready::new();
        [4, 2, 7].into_iter().for_each(|slot| ready.push(thread(slot)));
        ready
    }

    const LAST_RUNS: Point = Point { running: Some(ReadyThread { slot: 7, id: 7 }), yields: false };

    fn slots(drawn: Vec<Range<u64>>, times: usize) -> (Vec<u32>, Decisions) {
        let random = schedule(&Options::new().seed(1).policy(Policy::Random));
        let mut partly = PartlySchedule::new(random, drawn);
        let slots = (0..times).map(|_| partly.next(LAST_RUNS, &mut ready()).slot).collect();
        (slots, partly.decisions())
    }

    #[test]
    fn a_decision_draws_the_same_whatever_else_is_drawn() {
        let (all, counted) = slots(std::iter::once(0..u64::MAX).collect(), 60);
        assert_eq!(counted.made, 60);
        assert!((30..50).contains(&counted.different), "two of three threads do not run on");
        let (some, _) = slots(vec![10..20, 40..41], 60);
        for (number, (all, some)) in all.iter().zip(&some).enumerate() {
            let is_drawn = (10..20).contains(&number) || number == 40;
            assert_eq!(*some, if is_drawn { *all } else { 7 }, "decision {number}");
        }
    }

    #[test]
    fn without_a_draw_the_running_thread_runs_on_but_not_without_end() {
        let (plain, counted) = slots(Vec::new(), 250);
        assert_eq!(counted, Decisions { made: 250, different: 0 });
        let others: Vec<usize> = (0..250).filter(|number| plain[*number] != 7).collect();
        assert_eq!(others, [100, 201], "the first in the queue runs after a streak");
        let yields = Point { yields: true, ..LAST_RUNS };
        let random = schedule(&Options::new());
        let mut partly = PartlySchedule::new(random, Vec::new());
        assert_eq!(partly.next(yields, &mut ready()).slot, 4);
    }
}

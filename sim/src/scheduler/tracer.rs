//! The recorder of a run's trace.

use crate::trace::{Op, Step};

/// The recorder: the rolling hash, and the steps if they are kept.
#[derive(Debug)]
pub(crate) struct Tracer {
    pub(crate) hash: u64,
    pub(crate) steps: Option<Vec<Step>>,
}

impl Tracer {
    pub(crate) fn new(keep: bool) -> Tracer {
        Tracer { hash: 0x6a09_e667_f3bc_c908, steps: keep.then(Vec::new) }
    }

    /// Records a step. Its number is not part of the hash, because the order of steps is.
    #[inline]
    pub(crate) fn record(&mut self, step: u64, thread: u32, op: Op, at_ns: u64) {
        let who = (u64::from(thread) << 8) | op as u64;
        let mut hash = (self.hash ^ who).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 32;
        hash = (hash ^ at_ns).wrapping_mul(0xd6e8_feb8_6659_fd93);
        self.hash = hash ^ (hash >> 29);
        if let Some(steps) = &mut self.steps {
            steps.push(Step { step, thread, op, at_ns });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash depends on order, thread, operation and time.
    #[test]
    fn hash_depends_on_every_part() {
        let hash = |steps: &[(u32, Op, u64)]| {
            let mut tracer = Tracer::new(false);
            for (i, (thread, op, at)) in steps.iter().enumerate() {
                tracer.record(i as u64, *thread, *op, *at);
            }
            tracer.hash
        };
        let base = hash(&[(0, Op::Sleep, 5), (1, Op::Sleep, 9)]);
        assert_eq!(base, hash(&[(0, Op::Sleep, 5), (1, Op::Sleep, 9)]));
        assert_ne!(base, hash(&[(1, Op::Sleep, 9), (0, Op::Sleep, 5)]));
        assert_ne!(base, hash(&[(0, Op::Yield, 5), (1, Op::Sleep, 9)]));
        assert_ne!(base, hash(&[(0, Op::Sleep, 6), (1, Op::Sleep, 9)]));
        assert_ne!(base, hash(&[(2, Op::Sleep, 5), (1, Op::Sleep, 9)]));
    }
}

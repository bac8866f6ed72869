//! One seed always gives the same run: a few runs of each workload of the `determinism` example,
//! and its deliberate leak.

#[path = "../../examples/determinism/workloads.rs"]
mod workloads;

use sim::Output;

use crate::common::{ENGINES, limit, options};

/// Repeated runs take the same steps on both engines, and another seed takes other steps.
#[test]
fn workloads_repeat() {
    limit("workloads");
    for (name, work) in workloads::WORKLOADS {
        let repeat = |engine, seed, runs| {
            let options = options(engine).seed(seed).output(Output::Captured);
            let report =
                sim::repeat(&options, runs, *work).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(report.finished(), "{name}: {report}");
            report.trace_hash
        };
        let hash = repeat(ENGINES[0], 1, 10);
        assert_eq!(hash, repeat(ENGINES[1], 1, 2), "{name}: the engines differ");
        assert_ne!(hash, repeat(ENGINES[0], 2, 1), "{name}: seeds do not differ");
    }
}

/// A read of real time is found at the sleep that depends on it.
#[test]
fn a_deliberate_leak_is_located() {
    limit("leak");
    let divergence = sim::repeat(&options(ENGINES[0]), 50, workloads::leak).unwrap_err();
    let first = divergence.first.expect("two recorded runs differ");
    let (left, right) = (first.left.expect("a step"), first.right.expect("a step"));
    assert_eq!((left.op, right.op), (sim::Op::Sleep, sim::Op::Sleep));
    assert!(left.at_ns != right.at_ns && (40..=45).contains(&left.step), "{first}");
}

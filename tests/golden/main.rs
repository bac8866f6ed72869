//! Golden runs: the closing line of each test on the reference with a fixed seed. Both engines have
//! to take the same steps.
//!
//! A new toolchain or a change of the reference may change the lines; `just bless` accepts them.

mod recorded;

use runner::{Clock, run_here};
use tests::LABS;

#[test]
fn the_reference_does_with_a_seed_what_it_always_did() {
    let lines: Vec<String> = LABS
        .tests
        .iter()
        .map(|test| {
            let fibers = run_here(raft::make, test, 1, Clock::Virtual(sim::Engine::Fiber), true);
            assert_eq!(fibers.verdict, Ok(()), "{}", test.name());
            let figures = fibers.figures.expect("a test that passes has figures");
            format!("{:<38} {figures}", test.name())
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn both_engines_take_the_same_steps() {
    for test in LABS.tests {
        let hash = |engine| {
            let outcome = run_here(raft::make, test, 2, Clock::Virtual(engine), true);
            outcome.simulation.map(|simulation| simulation.trace_hash)
        };
        assert_eq!(hash(sim::Engine::Fiber), hash(sim::Engine::Kernel), "{}", test.name());
    }
}

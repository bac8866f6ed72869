//! An allocator does not change a run: with one seed, every step is the same with each allocator,
//! in fresh processes, where addresses differ.

use allocators::{original, run};

const SYSTEM: &str = env!("CARGO_BIN_EXE_run-system");
const OTHERS: [&str; 2] = [env!("CARGO_BIN_EXE_run-jemalloc"), env!("CARGO_BIN_EXE_run-mimalloc")];

#[test]
fn every_allocator_gives_the_same_trace() {
    for test in original() {
        let hash = |program| run(program, test, 1).expect("the reference passes").trace_hash;
        let expected = hash(SYSTEM);
        for program in OTHERS.into_iter().chain(OTHERS) {
            assert_eq!(hash(program), expected, "{} with {program}", test.name());
        }
    }
}

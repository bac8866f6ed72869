//! Prints a line for each run, with its trace hash and its verdict. Two builds that print the same
//! lines make the same runs.
//!
//! `cargo run --release -p tests --example hashes -- 20 3A` runs the seeds 1 to 20 of the tests
//! whose names contain `3A`. Without a name it runs all tests.

use runner::{Clock, run_here};
use tests::LABS;

fn main() {
    let mut words = std::env::args().skip(1);
    let seeds: u64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(3);
    let filter = words.next().unwrap_or_default();
    for test in LABS.tests.iter().filter(|test| test.name().contains(&filter)) {
        for seed in 1..=seeds {
            let outcome = run_here(raft::make, test, seed, Clock::default(), true);
            let hash = outcome.simulation.map_or(0, |simulation| simulation.trace_hash);
            let verdict = match &outcome.verdict {
                Ok(()) => "passed".to_owned(),
                Err(failure) => failure.to_string().replace('\n', " | "),
            };
            let findings = outcome.findings.join(" | ");
            println!("{:<40} {seed:>3} {hash:016x} {verdict} {findings}", test.name());
        }
    }
}

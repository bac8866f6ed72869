//! Prints a line for each run, with its trace hash and its verdict. Two builds that print the same
//! lines make the same runs.
//!
//! `cargo run --release -p tests --example hashes -- 20 3A` runs the seeds 1 to 20 of the tests
//! whose names contain `3A`. Without a name it runs all tests.
//!
//! With `--recorded` each run is made a second time with a recorder. Both have to be the same run:
//! if one is not, both lines are printed, and the exit code is 1.

use std::process::ExitCode;

use runner::{Clock, Outcome, Test, record_here, run_here};
use tests::LABS;

fn main() -> ExitCode {
    let (flags, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word == "--recorded");
    let mut words = words.into_iter();
    let seeds: u64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(3);
    let filter = words.next().unwrap_or_default();
    let (mut runs, mut events, mut different) = (0, 0, 0);
    for test in LABS.tests.iter().filter(|test| test.name().contains(&filter)) {
        for seed in 1..=seeds {
            let plain = line(test, seed, &run_here(raft::make, test, seed, Clock::default(), true));
            println!("{plain}");
            if flags.is_empty() {
                continue;
            }
            let (outcome, recorded) = record_here(raft::make, test, seed, Clock::default(), true);
            let recorded_line = line(test, seed, &outcome);
            runs += 1;
            events += recorded.len();
            if recorded_line != plain {
                different += 1;
                println!("{recorded_line} -- RECORDED");
            }
        }
    }
    if flags.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{runs} runs recorded, {events} events; {different} differ from the plain run");
    if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line(test: &Test, seed: u64, outcome: &Outcome) -> String {
    let hash = outcome.simulation.map_or(0, |simulation| simulation.trace_hash);
    let verdict = match &outcome.verdict {
        Ok(()) => "passed".to_owned(),
        Err(failure) => failure.to_string().replace('\n', " | "),
    };
    let findings = outcome.findings.join(" | ");
    format!("{:<40} {seed:>3} {hash:016x} {verdict} {findings}", test.name())
}

//! Prints what each test costs on the reference, as a mean over seeds, and the total.
//!
//! `cargo run --release -p tests --example figures -- --seeds 5`. With `--unwatched` the rules of
//! Raft are not checked.

use std::process::ExitCode;
use std::time::Duration;

use runner::{Clock, Test, run_here};
use tests::LABS;

#[derive(Default)]
struct Sums {
    cpu: Duration,
    time: Duration,
    rpcs: u64,
    bytes: u64,
    switches: u64,
    threads_peak: usize,
}

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let given = args.len();
    args.retain(|arg| arg != "--unwatched");
    let is_watched = args.len() == given;
    let seeds: u32 = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => 5,
        ["--seeds", n] if n.parse::<u32>().is_ok_and(|n| n > 0) => n.parse().expect("a number"),
        _ => {
            eprintln!("error: usage: figures [--seeds N] [--unwatched]");
            return ExitCode::from(2);
        }
    };
    println!(
        "{:<38} {:>9} {:>7} {:>6} {:>8} {:>9} {:>7}",
        "test", "virtual_s", "cpu_ms", "rpcs", "bytes", "switches", "threads"
    );
    let (mut cpu, mut time) = (Duration::ZERO, Duration::ZERO);
    for test in LABS.tests {
        let Some(sums) = sums(test, seeds, is_watched) else { return ExitCode::FAILURE };
        let mean = |sum: u64| sum / u64::from(seeds);
        println!(
            "{:<38} {:>9.1} {:>7.2} {:>6} {:>8} {:>9} {:>7}",
            test.name(),
            (sums.time / seeds).as_secs_f64(),
            (sums.cpu / seeds).as_secs_f64() * 1e3,
            mean(sums.rpcs),
            mean(sums.bytes),
            mean(sums.switches),
            sums.threads_peak,
        );
        // The total is compared with suites that have only the original's tests.
        if test.original.is_some() {
            cpu += sums.cpu / seeds;
            time += sums.time / seeds;
        }
    }
    println!(
        "total cpu_s_per_seed {:.3} virtual_s_per_seed {:.1}",
        cpu.as_secs_f64(),
        time.as_secs_f64()
    );
    ExitCode::SUCCESS
}

/// None if a run failed. The failure is printed.
fn sums(test: &'static Test, seeds: u32, is_watched: bool) -> Option<Sums> {
    let mut sums = Sums::default();
    for seed in 1..=u64::from(seeds) {
        let outcome = run_here(raft::make, test, seed, Clock::default(), is_watched);
        let (Ok(()), Some(figures), Some(used)) =
            (&outcome.verdict, outcome.figures, outcome.simulation)
        else {
            eprintln!("{} fails with seed {seed}: {:?}", test.name(), outcome.verdict);
            return None;
        };
        sums.cpu += used.cpu;
        sums.time += figures.time;
        sums.rpcs += figures.rpcs;
        sums.bytes += figures.bytes;
        sums.switches += used.switches;
        sums.threads_peak = sums.threads_peak.max(used.threads_peak);
    }
    Some(sums)
}

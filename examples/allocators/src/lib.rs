//! The reference Raft with another allocator than the system's: each run is a process, to measure
//! its cost and to check that the run is the same.

use std::process::{Command, ExitCode};
use std::time::Duration;

use runner::{Clock, Test, run_here};
use tests::LABS;

/// The original's 28 tests.
pub fn original() -> impl Iterator<Item = &'static Test> {
    LABS.tests.iter().filter(|test| test.original.is_some())
}

/// The result of a run.
#[derive(Debug)]
pub struct Run {
    /// A hash of every step of the run, as 16 hexadecimal digits.
    pub trace_hash: String,
    /// CPU time of the run.
    pub cpu: Duration,
}

/// Runs a test in one of this package's programs. An error is the program's error output.
pub fn run(program: &str, test: &Test, seed: u64) -> Result<Run, String> {
    let output = Command::new(program)
        .args([test.name(), seed.to_string()])
        .output()
        .map_err(|error| format!("failed to start {program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let words = text.lines().last().and_then(|line| line.split_once(' '));
    match words.map(|(hash, cpu_us)| (hash.to_owned(), cpu_us.parse())) {
        Some((trace_hash, Ok(cpu_us))) if output.status.success() => {
            Ok(Run { trace_hash, cpu: Duration::from_micros(cpu_us) })
        }
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The `main` of these programs: runs one test with one seed, its two arguments, and prints the
/// trace hash and the CPU time in us.
pub fn print_run() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, seed] = &args[..] else { return usage() };
    let (Some(test), Ok(seed)) =
        (LABS.tests.iter().find(|test| test.name() == *name), seed.parse())
    else {
        return usage();
    };
    let outcome = run_here(raft::make, test, seed, Clock::default(), true);
    let (Ok(()), Some(used)) = (&outcome.verdict, outcome.simulation) else {
        eprintln!("{name} fails with seed {seed}: {:?}", outcome.verdict);
        return ExitCode::FAILURE;
    };
    println!("{:016x} {}", used.trace_hash, used.cpu.as_micros());
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("error: usage: PROGRAM TEST SEED");
    ExitCode::from(2)
}

//! Runs every test on the reference with the seeds FROM to TO, and prints each failure and each
//! kind of finding. The reference has to pass.
//!
//! `cargo run --release -p tests --example soak -- 1 3000`. All seeds of a core share a process,
//! which saves a third of the time.

use std::collections::BTreeMap;
use std::process::{Child, Command, ExitCode};
use std::{env, io, thread};

use runner::{Clock, Style, run_here};
use tests::LABS;

/// The seeds `from`, `from + step` and so on, up to `to`.
struct Range {
    from: u64,
    to: u64,
    step: u64,
}

fn main() -> ExitCode {
    let numbers: Result<Vec<u64>, _> = env::args().skip(1).map(|arg| arg.parse()).collect();
    match numbers.as_deref() {
        Ok(&[from, to]) if from <= to => match share(from, to) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("error: failed to run on every core: {error}");
                ExitCode::from(4)
            }
        },
        Ok(&[from, to, step]) if from <= to && step > 0 => run(&Range { from, to, step }),
        _ => {
            eprintln!("error: usage: soak FROM TO");
            ExitCode::from(2)
        }
    }
}

/// Starts a copy of this program for each core. Returns whether all of them passed.
fn share(from: u64, to: u64) -> io::Result<bool> {
    let program = env::current_exe()?;
    let cores = thread::available_parallelism()?.get() as u64;
    let start = |core| {
        let numbers = [from + core, to, cores].map(|number| number.to_string());
        Command::new(&program).args(numbers).spawn()
    };
    let children: Vec<Child> =
        (0..cores.min(to - from + 1)).map(start).collect::<io::Result<_>>()?;
    let mut passed = true;
    for mut child in children {
        passed &= child.wait()?.success();
    }
    Ok(passed)
}

fn run(range: &Range) -> ExitCode {
    let (mut runs, mut failures) = (0, 0);
    let mut findings: BTreeMap<String, (u64, String)> = BTreeMap::new();
    for seed in (range.from..=range.to).step_by(usize::try_from(range.step).expect("a few")) {
        for test in LABS.tests {
            let outcome = run_here(raft::make, test, seed, Clock::default(), true);
            runs += 1;
            if !outcome.passed() {
                failures += 1;
                print!("{}", outcome.render(test, seed, Style::default()));
            }
            for finding in outcome.findings {
                let kind = finding.chars().filter(|c| !c.is_ascii_digit()).collect();
                let first = || (0, format!("{} (seed {seed}): {finding}", test.name()));
                findings.entry(kind).or_insert_with(first).0 += 1;
            }
        }
    }
    for (count, first) in findings.values() {
        println!("finding, {count} times, first in {first}");
    }
    let Range { from, to, step } = range;
    println!("seeds {from} to {to} by {step}: {runs} runs, {failures} failures");
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

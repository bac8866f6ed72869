//! Prints a line for each run of a mutant, to compare two versions of the kit.
//!
//! A run has a hash over all its steps. If two kits print the same lines, a mutant takes the same
//! steps in both. So the lines show whether the mutants are still the same bugs after a change of
//! the reference.

use std::path::Path;
use std::sync::Mutex;
use std::thread;

use ::tests::LABS;
use anyhow::Result;
use runner::{Clock, Job, Outcome, Test};

use crate::compile;
use crate::matrix::Row;
use crate::mode::Mode;
use crate::mutant::Mutant;
use crate::workspace::{Workspace, package_name};

/// The number of tests that a mutant runs in addition to the one that kills it.
const OTHER_TESTS: usize = 2;
/// The number of seeds before the one that kills, and after it.
const OTHER_SEEDS: u64 = 2;

/// Runs the mutants of these rows and prints a line for each run, in order.
///
/// Each mutant runs the test that kills it and the next tests in the table. The seeds are the one
/// that kills and those around it, or 1 to `seeds`.
pub(crate) fn print(
    workspace: &Workspace,
    rows: &[&Row],
    seeds: Option<u64>,
    jobs: usize,
) -> Result<()> {
    let mutants: Vec<&Mutant> = rows.iter().map(|row| &row.mutant).collect();
    let programs = compile::build_all(workspace, &mutants)?;
    for row in rows {
        let program = &programs[&package_name(&row.mutant)];
        let runs: Vec<(&'static Test, u64)> = tests(row)
            .into_iter()
            .flat_map(|test| self::seeds(row, seeds).map(move |seed| (test, seed)))
            .collect();
        for line in run(program, &runs, jobs) {
            println!("{:<4} {line}", row.mutant.id());
        }
    }
    Ok(())
}

/// The test that kills, and the next ones in the table. If no test kills, the first is a test in
/// the middle.
fn tests(row: &Row) -> Vec<&'static Test> {
    let kills = Mode::KILLING.into_iter().filter_map(|mode| row.kill(mode));
    let killers: Vec<&str> = kills.map(|kill| &kill.test[..]).collect();
    let killer = killers.first().and_then(|name| LABS.tests.iter().position(|t| t.name() == *name));
    // In the middle are tests of replication under crashes. Most changes show there.
    let first = killer.unwrap_or(LABS.tests.len() / 2);
    LABS.tests.iter().cycle().skip(first).take(1 + OTHER_TESTS).collect()
}

fn seeds(row: &Row, seeds: Option<u64>) -> std::ops::RangeInclusive<u64> {
    if let Some(seeds) = seeds {
        return 1..=seeds;
    }
    let seed = row.kill(Mode::Inspect).map_or(1, |kill| kill.seed);
    seed.saturating_sub(OTHER_SEEDS).max(1)..=seed + OTHER_SEEDS
}

/// The lines of these runs, in order.
fn run(program: &Path, runs: &[(&'static Test, u64)], jobs: usize) -> Vec<String> {
    let (next, lines) = (Mutex::new(runs.iter().enumerate()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let run = next.lock().expect("no thread panics while it holds this").next();
            let Some((at, (test, seed))) = run else { return };
            let (clock, invariants) = (Clock::default(), true);
            let job = Job {
                program,
                arguments: &[],
                test,
                seed: *seed,
                clock,
                invariants,
                record: None,
                variation: None,
            };
            let line = line(test, *seed, &job.run());
            lines.lock().expect("no thread panics while it holds this").push((at, line));
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    let mut lines = lines.into_inner().expect("no thread panics while it holds this");
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

fn line(test: &Test, seed: u64, outcome: &Outcome) -> String {
    let hash = outcome.simulation.map_or(0, |simulation| simulation.trace_hash);
    let verdict = match &outcome.verdict {
        Ok(()) => "passed".to_owned(),
        Err(failure) => failure.to_string().replace('\n', " | "),
    };
    let words = format!("{verdict} {}", outcome.findings.join(" | "));
    let words = without_positions(words.trim_end());
    format!("{:<40} {seed:>3} {hash:016x} {words}", test.name())
}

/// The text without the positions of panics, because every edit of a file changes them.
fn without_positions(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let is_position = |word: &str| word.contains(".rs:");
    let kept = words.iter().enumerate().filter(|(at, word)| {
        let is_before = **word == "at" && words.get(at + 1).is_some_and(|next| is_position(next));
        !is_before && !is_position(word)
    });
    kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Kind;
    use crate::matrix::tests::row;

    #[test]
    fn the_test_that_kills_runs_first_and_with_the_seeds_around_the_kill() {
        let killed = row("A1", Kind::Fault, Some("liveness"));
        let names: Vec<String> = super::tests(&killed).iter().map(|test| test.name()).collect();
        assert_eq!(names[0], "3A initial election");
        assert_eq!(names.len(), 1 + OTHER_TESTS);
        assert_eq!(seeds(&killed, None), 1..=4);
        assert_eq!(seeds(&killed, Some(1)), 1..=1);
    }

    #[test]
    fn a_line_has_no_position_of_a_panic() {
        assert_eq!(
            without_positions("panic: server 1 panicked in `start` at a1/src/log.rs:87:44: at 3 s"),
            "panic: server 1 panicked in `start` at 3 s"
        );
    }

    #[test]
    fn a_mutant_that_survives_runs_as_many_tests() {
        let alive = row("A1", Kind::Fault, None);
        assert_eq!(super::tests(&alive).len(), 1 + OTHER_TESTS);
        assert_eq!(seeds(&alive, None), 1..=3);
    }
}

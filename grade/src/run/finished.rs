//! One run of one test, from its program or from what an earlier grading has left.

use std::path::Path;
use std::time::Duration;

use ::tests::{Clock, Job, Outcome, Test, plain};
use config::{Class, Failure};

use crate::bounds::OUTPUT_BYTES_MAX;
use crate::report::score::Verdict;
use crate::run::runner::Runner;
use crate::run::store::Store;
use crate::run::supervisor::Watch;

/// Where the files of runs are.
#[derive(Clone, Copy)]
pub(crate) struct Files<'a> {
    /// Of those that have ended, if they are kept.
    pub(crate) store: Option<&'a Store>,
    /// Of those that go on.
    pub(crate) scratch: &'a Path,
}

/// One run of one test.
pub(crate) struct Run {
    pub(crate) test: &'static Test,
    pub(crate) seed: u64,
    pub(crate) outcome: Outcome,
    /// What the submission has to answer for, in processor time.
    pub(crate) cost: Duration,
}

impl Run {
    /// Takes the run from the store if it is there, and puts it there if it was not.
    pub(crate) fn stored(
        files: Files<'_>,
        id: &str,
        runner: &Runner,
        test: &'static Test,
        seed: u64,
    ) -> Run {
        let Files { store, scratch } = files;
        if let Some(run) = store.and_then(|store| store.load(id, test, seed)) {
            return run;
        }
        let run = Run::fresh(runner, scratch, test, seed);
        if let Some(store) = store {
            store.save(id, &run);
        }
        run
    }

    /// A fault of the kit is tried once more: it may have been the machine's.
    pub(crate) fn fresh(runner: &Runner, scratch: &Path, test: &'static Test, seed: u64) -> Run {
        let run = Run::once(runner, scratch, test, seed);
        match run.verdict() {
            Verdict::Infra => Run::once(runner, scratch, test, seed),
            Verdict::Passed | Verdict::Failed => run,
        }
    }

    fn once(runner: &Runner, scratch: &Path, test: &'static Test, seed: u64) -> Run {
        let clock = Clock::default();
        let Runner { program, arguments, peers, .. } = runner;
        let watch = Watch::new(scratch, *peers);
        let job = Job { program, arguments, test, seed, clock, invariants: true };
        let mut outcome = job.run_under(&watch);
        let used = watch.used();
        if let Err(failure @ Failure { class: Class::Infra, .. }) = &outcome.verdict
            && let Some(failure) = used.excess_of_memory(failure)
        {
            outcome.verdict = Err(failure);
        }
        // Many runs are kept at once.
        outcome.output =
            if outcome.passed() { String::new() } else { end_of(&outcome.output).into() };
        Run { test, seed, outcome, cost: used.cost() }
    }
}

/// Whole lines, as far as they fit when they are shown.
fn end_of(output: &str) -> &str {
    let mut room = OUTPUT_BYTES_MAX;
    let fits = |(_, c): &(usize, char)| {
        let width = plain::width(*c);
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    };
    match output.char_indices().rev().take_while(fits).last() {
        None => "",
        Some((0, _)) => output,
        Some((at, _)) => {
            let end = &output[at..];
            end.split_once('\n').map_or(end, |(_, lines)| lines)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_much_output_is_whole_lines() {
        let lines: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        let end = end_of(&lines);
        assert!(end.len() <= OUTPUT_BYTES_MAX && end.ends_with("line 998\nline 999\n"));
        assert!(end.starts_with("line ") && lines.ends_with(end));
        assert_eq!(end_of("one\ntwo\n"), "one\ntwo\n");
        assert_eq!(end_of(""), "");
        let escapes = "\x1b".repeat(OUTPUT_BYTES_MAX);
        assert_eq!(end_of(&escapes).len(), OUTPUT_BYTES_MAX / 4);
    }
}

//! One run of one test, from its program or from what an earlier grading has left.

use ::tests::{Clock, Job, Outcome, Test};

use crate::peers::Runner;
use crate::store::Store;

/// So much of what a failing run printed is kept, from its end.
const OUTPUT_BYTES_MAX: usize = 4 << 10;

/// One run of one test.
pub(crate) struct Run {
    pub(crate) test: &'static Test,
    pub(crate) seed: u64,
    pub(crate) outcome: Outcome,
}

impl Run {
    /// Takes the run from the store if it is there, and puts it there if it was not.
    pub(crate) fn stored(
        store: Option<&Store>,
        id: &str,
        runner: &Runner,
        test: &'static Test,
        seed: u64,
    ) -> Run {
        if let Some(outcome) = store.and_then(|store| store.load(id, test, seed)) {
            return Run { test, seed, outcome };
        }
        let run = Run::fresh(runner, test, seed);
        if let Some(store) = store {
            store.save(id, &run);
        }
        run
    }

    pub(crate) fn fresh(runner: &Runner, test: &'static Test, seed: u64) -> Run {
        let clock = Clock::default();
        let Runner { program, arguments, .. } = runner;
        let mut outcome = Job { program, arguments, test, seed, clock, invariants: true }.run();
        // Many runs are kept at once.
        outcome.output =
            if outcome.passed() { String::new() } else { end_of(&outcome.output).into() };
        Run { test, seed, outcome }
    }
}

/// Whole lines, as far as they fit.
fn end_of(output: &str) -> &str {
    if output.len() <= OUTPUT_BYTES_MAX {
        return output;
    }
    let end = &output[output.ceil_char_boundary(output.len() - OUTPUT_BYTES_MAX)..];
    end.split_once('\n').map_or(end, |(_, lines)| lines)
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
    }
}

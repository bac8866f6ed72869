//! The command line.

use std::thread;

use clap::{ArgGroup, Parser};

use crate::mode::Mode;

/// Applies known bugs to the reference Raft, and writes which of them the labs find.
#[derive(Parser)]
#[command(
    name = "bugs",
    version,
    group = ArgGroup::new("task")
        .args(["check", "rebase", "hashes", "why", "black_box", "edges", "graded", "subtle", "all"]),
    after_help = "A known result is used again until the mutant or the kit changes.\n\n\
                  Exit codes: 0 no false alarm, 1 a correct variant failed or a safe mutant was \
                  called unsafe, 2 usage, 3 a patch cannot be read, does not apply or does not \
                  compile, 4 the kit failed, 5 --rebase left patches that must be moved by hand."
)]
pub(crate) struct Args {
    /// Only these mutants and variants, such as A1 or pre-vote, or all of a kind: fault, quality,
    /// equivalent, or legal for the correct variants [default: all]
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Run the suite with the seeds 1 to N, or until a run kills the mutant [default: 100 for
    /// --black-box, otherwise 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: Option<u64>,
    /// Only check that every patch applies and compiles
    #[arg(long)]
    pub(crate) check: bool,
    /// Move the patches to raft/ of the working tree by a three-way merge, and print those that
    /// must be moved by hand. BASE is a git revision to whose raft/ they apply
    #[arg(long, value_name = "BASE")]
    pub(crate) rebase: Option<String>,
    /// Run some tests of each mutant and print a line for each run: test, seed, hash of all steps,
    /// verdict. If two kits print the same lines, the mutants behave the same in both
    #[arg(long)]
    pub(crate) hashes: bool,
    /// For each mutant that is killed with `inspect`: look for the smallest run that fails the same
    /// way and for the moment that decided the run, up to SECONDS each, and print a table
    #[arg(long, value_name = "SECONDS", require_equals = true, num_args = 0..=1,
          default_missing_value = "30")]
    pub(crate) why: Option<u64>,
    /// Hide `inspect`, like a submission that does not implement it
    #[arg(long)]
    black_box: bool,
    /// Also switch threads at the edges of the mutant's code
    #[arg(long)]
    edges: bool,
    /// Run each server in a process of its own, as the grader does. The first run compiles the
    /// grader, which takes minutes
    #[arg(long)]
    graded: bool,
    /// Run only the original tests, without checks of Raft's rules, until the mutant passes. A
    /// mutant that never passes is grosser than the bug that it stands for
    #[arg(long)]
    subtle: bool,
    /// Fill all columns: the suite without an option, and with each of --black-box, --edges,
    /// --graded and --subtle
    #[arg(long)]
    all: bool,
    /// Also run what has a known result
    #[arg(long)]
    pub(crate) again: bool,
    /// Number of parallel runs [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
}

impl Args {
    pub(crate) fn jobs(&self) -> usize {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        self.jobs.map_or_else(cores, usize::from)
    }

    /// The columns of the matrix to fill.
    pub(crate) fn columns(&self) -> Vec<Mode> {
        match self {
            Args { all: true, .. } => Mode::ALL.into(),
            Args { black_box: true, .. } => vec![Mode::BlackBox],
            Args { edges: true, .. } => vec![Mode::Edges],
            Args { graded: true, .. } => vec![Mode::Graded],
            Args { subtle: true, .. } => vec![Mode::SuiteOnly],
            _ => vec![Mode::Inspect],
        }
    }

    /// The number of seeds after which a mutant that was not killed counts as a survivor of this
    /// column. In the suite-only column: after which one that never passed counts as killed.
    pub(crate) fn seeds_of(&self, mode: Mode) -> u64 {
        self.seeds.unwrap_or(match mode {
            // Without `inspect` a fault shows only by its effects, which come later.
            Mode::BlackBox => 100,
            Mode::Inspect | Mode::Edges | Mode::Graded | Mode::SuiteOnly => 20,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_column_has_its_own_number_of_seeds_unless_one_is_given() {
        let parse = |words: &[&str]| Args::try_parse_from([&["bugs"], words].concat());
        let all = parse(&["--all", "legal"]).unwrap();
        let seeds: Vec<u64> = all.columns().into_iter().map(|mode| all.seeds_of(mode)).collect();
        assert_eq!(seeds, [20, 100, 20, 20, 20]);
        let edges = parse(&["--edges", "--seeds", "3"]).unwrap();
        assert_eq!((edges.columns(), edges.seeds_of(Mode::Edges)), (vec![Mode::Edges], 3));
        assert_eq!(parse(&["--graded"]).unwrap().columns(), [Mode::Graded]);
        assert!(parse(&["--edges", "--black-box"]).is_err());
        assert!(parse(&["--edges", "--graded"]).is_err());
    }
}

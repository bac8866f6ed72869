//! The command line.

use std::thread;

use clap::{ArgGroup, Parser};

use crate::matrix::Mode;

/// Applies known bugs to the reference Raft, and writes which of them the labs find.
#[derive(Parser)]
#[command(
    name = "bugs",
    version,
    group = ArgGroup::new("task")
        .args(["check", "rebase", "hashes", "black_box", "edges", "graded", "subtle", "all"]),
    after_help = "A known result is reused while neither the mutant nor the kit has changed.\n\n\
                  Exit codes: 0 good, 1 a correct variant failed, 2 usage, 3 a patch does not \
                  apply or compile, 4 a fault of the kit, 5 --rebase left patches to move by \
                  hand."
)]
pub(crate) struct Args {
    /// Only these mutants and variants, such as A1 or pre-vote, or those of a kind: fault, quality,
    /// equivalent, legal [default: all]
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Run the suite with the seeds 1 to N, until the mutant is killed [default: 100 for
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
    /// Print a line for some runs of each mutant: test, seed, hash of all steps, verdict. If two
    /// kits print the same lines, the mutant runs the same on both
    #[arg(long)]
    pub(crate) hashes: bool,
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
    /// Run only the original tests, without checks of Raft's rules, until the mutant passes. If it
    /// never passes, it is grosser than the bug
    #[arg(long)]
    subtle: bool,
    /// All of these and the suite as it is, one mutant after the other
    #[arg(long)]
    all: bool,
    /// Also try again what is known already
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

    /// With how many seeds the suite runs before a mutant counts as a survivor of this column.
    /// For the suite-only column: before it counts as one that does not survive.
    pub(crate) fn seeds_of(&self, mode: Mode) -> u64 {
        self.seeds.unwrap_or(match mode {
            // Without `inspect` a fault shows later, by its effects.
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

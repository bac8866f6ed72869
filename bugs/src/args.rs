//! The command line.

use std::thread;

use clap::{ArgGroup, Parser};

use crate::matrix::Mode;

/// Plants known bugs into the reference Raft, and writes which of them the labs find.
#[derive(Parser)]
#[command(
    name = "bugs",
    version,
    group = ArgGroup::new("task")
        .args(["check", "rebase", "hashes", "black_box", "edges", "graded", "subtle", "all"]),
    after_help = "What is known of a plant is not found out again while neither it nor the kit has \
                  changed.\n\n\
                  Exit codes: 0 good, 1 something lawful was killed, 2 usage, 3 a patch does not \
                  apply or compile, 4 the kit's own fault, 5 --rebase left patches to be \
                  moved by hand."
)]
pub(crate) struct Args {
    /// Only these plants, such as A1 or pre-vote, or those of a kind: fault, quality, equivalent,
    /// legal; all of them if none is named
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Run the suite with the seeds 1 to N, until the plant is killed; 100 for --black-box, else 20
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: Option<u64>,
    /// Only see whether every patch applies and compiles
    #[arg(long)]
    pub(crate) check: bool,
    /// Move the patches from raft/ of the git revision BASE, to which they apply, to raft/ of the
    /// working tree by a three-way merge, and print which must be moved by hand
    #[arg(long, value_name = "BASE")]
    pub(crate) rebase: Option<String>,
    /// Print a line for each of some runs of a plant: the test, the seed, a hash of all steps and
    /// the verdict. Two kits that print the same lines run the plant the same
    #[arg(long)]
    pub(crate) hashes: bool,
    /// Hide what `inspect` says, as a submission may that leaves it out
    #[arg(long)]
    black_box: bool,
    /// Switch threads at the edges of the plant's own code, too
    #[arg(long)]
    edges: bool,
    /// Each server in a process of its own, as in a grading. The first time the grader is compiled,
    /// which takes minutes
    #[arg(long)]
    graded: bool,
    /// Only the original tests and no watch on the rules, until the plant passes: else it is
    /// grosser than the bug
    #[arg(long)]
    subtle: bool,
    /// All of these and the suite as it is, plant by plant
    #[arg(long)]
    all: bool,
    /// Find out again what is known already
    #[arg(long)]
    pub(crate) again: bool,
    /// So many runs at once; by default one for each core
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

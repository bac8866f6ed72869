//! The command line.

use std::thread;

use clap::Parser;

use crate::matrix::Mode;

/// So many seeds of the whole suite before a plant counts as a survivor.
const SEEDS_BY_DEFAULT: u64 = 20;

/// Plants known bugs into the reference Raft, and writes which of them the labs find.
#[derive(Parser)]
#[command(
    name = "bugs",
    version,
    after_help = "Exit codes: 0 good, 1 something lawful was killed, 2 usage, 3 a patch does not \
                  apply or compile, 4 the kit's own fault."
)]
pub(crate) struct Args {
    /// Only these plants, such as A1 or pre-vote; all of them if none is named
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Run the whole suite with the seeds 1 to N, until the plant is killed
    #[arg(long, value_name = "N", default_value_t = SEEDS_BY_DEFAULT,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
    /// Only see whether every patch applies and compiles
    #[arg(long)]
    pub(crate) check: bool,
    /// Hide what `inspect` says, as a submission may that leaves it out
    #[arg(long, conflicts_with = "check")]
    pub(crate) black_box: bool,
    /// Switch threads at the edges of the plant's own code, too
    #[arg(long, conflicts_with_all = ["check", "black_box"])]
    pub(crate) edges: bool,
    /// So many runs at once; by default one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
}

impl Args {
    pub(crate) fn jobs(&self) -> usize {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        self.jobs.map_or_else(cores, usize::from)
    }

    /// Which column of the matrix is filled.
    pub(crate) fn column(&self) -> Mode {
        match (self.black_box, self.edges) {
            (false, false) => Mode::Inspect,
            (true, _) => Mode::BlackBox,
            (false, true) => Mode::Edges,
        }
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
}

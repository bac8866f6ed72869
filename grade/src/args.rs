//! The command line, and the plan that it asks for.

use std::ffi::OsString;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser};
use runner::{Table, Test};

use crate::bounds::{SUBMISSION_S_MIN, SUBMISSION_S_PER_RUN};
use crate::build::budget::Budget;
use crate::exit::UserError;
use crate::isolation::Isolation;
use crate::plan::Plan;
use crate::report::format::Format;

/// Seeds of each test if the command line does not say.
const SEEDS_BY_DEFAULT: u64 = 20;

/// Runs the Raft labs on submissions and gives points.
#[derive(Parser)]
#[command(
    name = "cargo-grade",
    bin_name = "cargo grade",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Exit codes: 0 all passed, 1 some failed, 2 usage, 3 did not build or was \
                  refused, 4 a fault of the kit or the machine."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) grading: Grading,
}

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Create a new project
    New {
        /// The project's folder; it must be new or empty
        dir: PathBuf,
    },
    /// Run the failures of a report again, or one test with one seed
    Replay(Replay),
    /// Print, as a JSON list, the arguments for a run whose servers are processes of PROGRAM; the
    /// arguments of a job follow them
    #[command(hide = true)]
    RunsOf {
        /// A program that is nothing but `peer::main`
        program: PathBuf,
    },
}

#[derive(clap::Args)]
pub(crate) struct Replay {
    /// Run only the failures of this submission again
    #[arg(long, value_name = "NAME", conflicts_with = "seed")]
    pub(crate) submission: Option<String>,
    /// Run only this test again
    #[arg(long, value_name = "WORDS")]
    pub(crate) test: Option<String>,
    /// Run --test again with this seed; PATH is then a submission
    #[arg(long, value_name = "S", group = "one_run")]
    pub(crate) seed: Option<u64>,
    /// With --seed or --plan: the salt of the grading to repeat
    #[arg(long, value_name = "TEXT", default_value = "", requires = "one_run")]
    pub(crate) salt: String,
    /// With --seed or --plan: keep all servers in one process
    #[arg(long, requires = "one_run")]
    pub(crate) in_process: bool,
    /// With --seed or --plan: record the run to FILE, and write its pictures next to it (.html, .txt)
    #[arg(long, value_name = "FILE", requires = "one_run")]
    pub(crate) record: Option<PathBuf>,
    /// With --record: look for a shorter run that fails the same way, for up to SECONDS
    #[arg(long, value_name = "SECONDS", requires = "record", require_equals = true,
          num_args = 0..=1, default_missing_value = "30")]
    pub(crate) shrink: Option<u64>,
    /// With --record: look for the moment that decided the run, for up to SECONDS
    #[arg(long, value_name = "SECONDS", requires = "record", require_equals = true,
          num_args = 0..=1, default_missing_value = "10")]
    pub(crate) decisive: Option<u64>,
    /// Make the run of a plan that --shrink wrote; PATH is then a submission
    #[arg(long, value_name = "FILE", group = "one_run",
          conflicts_with_all = ["test", "submission", "shrink", "decisive"])]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) budget: Budget,
    /// A report.json; with --seed or --plan, a submission
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct Grading {
    /// Only the tests of these parts, such as 3A or 3B,3E; can be given several times
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    part: Vec<String>,
    /// Only the tests whose names contain these words; can be given several times
    #[arg(long, value_name = "WORDS")]
    test: Vec<String>,
    /// Run each test with the seeds 1 to N
    #[arg(long, value_name = "N", default_value_t = SEEDS_BY_DEFAULT,
          value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Run each test with this seed only
    #[arg(long, value_name = "S", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Number of parallel runs [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Keep all servers in one process: an eighth of the CPU time, but no sandbox, and easy to
    /// cheat
    #[arg(long)]
    in_process: bool,
    /// Refuse to grade if any layer of the sandbox is missing on this machine
    #[arg(long, conflicts_with = "in_process")]
    require_sandbox: bool,
    /// Refuse a submission whose servers do not show their state with `inspect`
    #[arg(long)]
    require_inspect: bool,
    /// Change all random numbers of servers, so that a submission cannot know them from another
    /// grading
    #[arg(long, value_name = "TEXT", default_value = "", conflicts_with = "in_process")]
    salt: String,
    #[command(flatten)]
    budget: Budget,
    /// Limit all runs of a submission to S seconds of CPU time [default: 4 for each run, at least
    /// 240]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..))]
    submission_seconds: Option<u64>,
    /// Write every run and report.json to this folder; a run that is already in it is not repeated
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The format of the output
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// The submissions: each a crate's folder, or a .zip, .tar or .tar.gz of one
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Args {
    /// Reads a command line. The table says which parts there are.
    pub(crate) fn try_parse_with(
        table: &'static Table,
        words: impl Iterator<Item = OsString>,
    ) -> Result<Args, clap::Error> {
        let name_of = move |name: &str| table.part(name).map(|part| part.name.to_owned());
        let mut command = Args::command().mut_arg("part", |part| part.value_parser(name_of));
        let matches = command.try_get_matches_from_mut(words)?;
        Args::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

impl Grading {
    pub(crate) fn plan(self, table: &'static Table) -> anyhow::Result<Plan> {
        let tests = choose(table, &self.part, &self.test)?;
        let isolation = if self.in_process { Isolation::Thread } else { Isolation::Process };
        isolation.check(&tests)?;
        let seeds = match self.seed {
            Some(seed) => vec![seed],
            None => (1..=self.seeds).collect(),
        };
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.jobs.map_or_else(cores, usize::from);
        let runs = (tests.len() * seeds.len()) as u64;
        let by_default = || (runs * SUBMISSION_S_PER_RUN).max(SUBMISSION_S_MIN);
        let seconds = self.submission_seconds.unwrap_or_else(by_default);
        let submission_budget = Duration::from_secs(seconds);
        let Grading { require_sandbox, require_inspect, salt, budget, out, paths, .. } = self;
        Ok(Plan {
            table,
            tests,
            seeds,
            jobs,
            isolation,
            require_sandbox,
            require_inspect,
            salt,
            budget,
            submission_budget,
            out,
            paths,
        })
    }
}

/// The tests that are in one of the parts and match one of the names. An empty list matches all.
fn choose(
    table: &Table,
    parts: &[String],
    names: &[String],
) -> Result<Vec<&'static Test>, UserError> {
    let mut named = Vec::new();
    for words in names {
        named.extend(find(table, words)?.iter().map(|test| test.name()));
    }
    let chosen = |test: &&Test| {
        (parts.is_empty() || parts.iter().any(|name| name == test.part.name))
            && (names.is_empty() || named.contains(&test.name()))
    };
    let tests: Vec<&Test> = table.tests().iter().copied().filter(chosen).collect();
    if tests.is_empty() {
        return Err(UserError::usage("no test matches both --part and --test"));
    }
    Ok(tests)
}

fn find(table: &Table, words: &str) -> Result<Vec<&'static Test>, UserError> {
    let found = table.find(words);
    if found.is_empty() {
        let similar = table.similar(words).join(", ");
        return Err(if similar.is_empty() {
            let sentence = format!("no lab test is named {words:?}; all names are listed below");
            UserError::usage(sentence).in_words(table.list())
        } else {
            UserError::usage(format!("no lab test is named {words:?}; similar: {similar}"))
        });
    }
    Ok(found)
}

/// The only test that matches the words.
pub(crate) fn one_test(table: &Table, words: &str) -> Result<&'static Test, UserError> {
    let found = find(table, words)?;
    if let [test] = found[..] {
        return Ok(test);
    }
    let names: Vec<String> = found.iter().map(|test| test.name()).collect();
    let sentence = format!("several lab tests are named {words:?}: {}", names.join(", "));
    Err(UserError::usage(sentence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::table;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[track_caller]
    fn check(names: &[&str], expected: &[&str]) {
        let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
        let chosen = choose(table(), &["3A".into()], &names).unwrap();
        assert_eq!(chosen.iter().map(|test| test.words).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn tests_are_chosen_once_and_in_the_order_of_the_table() {
        check(&["re-election"], &["re-election"]);
        check(
            &["re_election", "initial", "election"],
            &["initial election", "re-election", "many elections"],
        );
    }

    #[test]
    fn an_unknown_name_is_answered_with_similar_names_or_with_all() {
        let refusal = |words: &str| choose(table(), &[], &[words.into()]).err().unwrap();
        let misspelt = refusal("inital election");
        assert_eq!(
            (misspelt.to_string(), misspelt.words()),
            ("no lab test is named \"inital election\"; similar: 3A initial election".into(), "")
        );
        let unknown = refusal("consensus");
        assert_eq!(
            unknown.to_string(),
            "no lab test is named \"consensus\"; all names are listed below"
        );
        assert_eq!(unknown.words(), table().list());
    }
}

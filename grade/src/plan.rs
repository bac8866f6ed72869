//! The plan of one grading: the command line with all defaults filled in.

use std::path::PathBuf;
use std::time::Duration;

use runner::{Table, Test};

use crate::build::budget::Budget;
use crate::isolation::Isolation;

/// Which tests to run on which submissions, and how.
pub(crate) struct Plan {
    /// All tests that this grader has.
    pub(crate) table: &'static Table,
    pub(crate) tests: Vec<&'static Test>,
    pub(crate) seeds: Vec<u64>,
    /// The number of runs at the same time.
    pub(crate) jobs: usize,
    pub(crate) isolation: Isolation,
    pub(crate) require_sandbox: bool,
    pub(crate) require_inspect: bool,
    pub(crate) salt: String,
    /// The limits of one build.
    pub(crate) budget: Budget,
    /// The processor time that all runs of a submission may use.
    pub(crate) submission_budget: Duration,
    /// The folder that keeps runs and the report.
    pub(crate) out: Option<PathBuf>,
    pub(crate) paths: Vec<PathBuf>,
}

impl Plan {
    /// The parts whose points are extra points, by name. Empty if there are none.
    pub(crate) fn extra_parts(&self) -> String {
        let parts = self.table.parts().iter().filter(|part| !part.counts);
        parts.map(|part| part.name).collect::<Vec<_>>().join(" and ")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use ::tests::LABS;

    use super::*;

    pub(crate) fn table() -> &'static Table {
        static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(&[LABS]).expect("a table"));
        &TABLE
    }

    /// All tests with one seed.
    pub(crate) fn plan(paths: &[&str]) -> Plan {
        Plan {
            table: table(),
            tests: table().tests().to_vec(),
            seeds: vec![1],
            jobs: 1,
            isolation: Isolation::Process,
            require_sandbox: false,
            require_inspect: false,
            salt: String::new(),
            budget: Budget::default(),
            submission_budget: Duration::from_secs(240),
            out: None,
            paths: paths.iter().map(PathBuf::from).collect(),
        }
    }
}

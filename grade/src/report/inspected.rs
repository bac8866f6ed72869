//! `--require-inspect`: refuses a submission that does not show its state.
//!
//! Without `inspect` the rules that need it cannot be checked, so a submission could gain by
//! leaving it out. Each run reports whether every server answered. A submission is refused as a
//! whole: otherwise it could show its state only in some tests. A run that fails gives no points
//! anyway, and is reported as a failure.

use anyhow::Result;
use config::NOT_INSPECTED;

use crate::exit::UserError;
use crate::plan::Plan;
use crate::run::finished::Run;

/// Fails if a server in any of these runs had no `inspect`.
pub(crate) fn judge<'a>(
    plan: &Plan,
    name: &str,
    runs: impl IntoIterator<Item = &'a Run>,
) -> Result<()> {
    let is_blind =
        |run: &&Run| run.outcome.findings.iter().any(|finding| finding.starts_with(NOT_INSPECTED));
    // The first in the order of the plan, because runs may come in another order.
    let place =
        |run: &&Run| (run.seed, plan.tests.iter().position(|test| test.name() == run.test.name()));
    let blind = runs.into_iter().filter(is_blind).min_by_key(place);
    let Some(run) = blind.filter(|_| plan.require_inspect) else { return Ok(()) };
    let sentence = format!(
        "{name} cannot be graded: in {} with seed {} a server has no `inspect`, which \
         --require-inspect needs; return `Some` with the server's state",
        run.test.name(),
        run.seed
    );
    Err(UserError::build_failed(sentence).into())
}

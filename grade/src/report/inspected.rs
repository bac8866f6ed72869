//! `--require-inspect`: refuses a submission that does not show its state.
//!
//! Without `inspect` the rules that need it cannot be watched, so that a submission could gain by
//! leaving it out. The run itself knows whether every server answered for as long as it ran. A
//! submission is refused as a whole: points for those tests in which it showed itself would invite
//! to hide in the others. A run that fails wins no points, and is told as the failure that it is.

use anyhow::Result;
use config::NOT_INSPECTED;

use crate::exit::UserError;
use crate::plan::Plan;
use crate::run::finished::Run;

/// An error if any of these runs of a submission had a server without `inspect`.
pub(crate) fn judge<'a>(
    plan: &Plan,
    name: &str,
    runs: impl IntoIterator<Item = &'a Run>,
) -> Result<()> {
    let is_blind =
        |run: &&Run| run.outcome.findings.iter().any(|finding| finding.starts_with(NOT_INSPECTED));
    // They come in the order in which they ended.
    let place =
        |run: &&Run| (run.seed, plan.tests.iter().position(|test| test.name() == run.test.name()));
    let blind = runs.into_iter().filter(is_blind).min_by_key(place);
    let Some(run) = blind.filter(|_| plan.require_inspect) else { return Ok(()) };
    let sentence = format!(
        "{name} cannot be graded: in {} with seed {} a server has no `inspect`, which \
         --require-inspect asks for; return `Some` with the server's state there",
        run.test.name(),
        run.seed
    );
    Err(UserError::build_failed(sentence).into())
}

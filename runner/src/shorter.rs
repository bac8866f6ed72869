//! A failing run made smaller, for a person: the files and the lines about it.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::interrupt::interrupted;
use crate::job::{Job, Supervise};
use crate::outcome::Outcome;
use crate::plain;
use crate::plan::Plan;
use crate::shrink::{self, Bounds, Shrunk, Size};
use crate::variation::Variation;

/// The number of choices that are listed.
const LISTED_MAX: usize = 12;
/// How often a terminal shows the progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// The smallest failing run, and where it was written.
pub struct Shorter {
    /// The run.
    pub shrunk: Shrunk,
    /// The command that repeats it by its replay file.
    pub again: String,
    /// The run file of the smallest run, or why there is none.
    pub recording: Result<PathBuf, String>,
}

/// Makes a failing run smaller and writes `NAME.plan` and the pictures `NAME-short.*` next to the
/// run file `path`. `again` is the command that repeats the run by the file of a plan.
///
/// # Errors
/// One sentence.
pub fn shorten(
    job: &Job<'_>,
    supervise: &dyn Supervise,
    outcome: &Outcome,
    time: Duration,
    path: &Path,
    again: &dyn Fn(&Path) -> String,
) -> Result<Shorter, String> {
    let begin = Instant::now();
    let shown_at = AtomicU64::new(0);
    let is_shown = std::io::stderr().is_terminal();
    let progress = |runs: usize, size: Size| {
        let now = begin.elapsed().as_millis() as u64;
        let last = shown_at.load(Ordering::Relaxed);
        let is_due = now >= last + PROGRESS_EVERY.as_millis() as u64;
        let mine = || {
            let order = Ordering::Relaxed;
            shown_at.compare_exchange(last, now, order, order).is_ok()
        };
        if is_shown && is_due && mine() {
            let choices = size.total();
            _ = write!(std::io::stderr(), "\r\x1b[Kshrinking: {choices} choices, {runs} runs");
        }
    };
    let bounds = Bounds { time, stop: interrupted(), progress: &progress };
    let shrunk = shrink::shrink(job, supervise, outcome, &bounds);
    if is_shown {
        _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    let shrunk = shrunk?;
    let plan = path.with_extension("plan");
    shrunk.plan.write(&plan)?;
    let variation = Variation { plan: Some(plan.clone()), ..Variation::default() };
    let short = short_path(path);
    let small = Job { variation: Some(&variation), record: None, ..*job };
    let again = again(&plan);
    let recorded = small.record_again(&*supervise.supervisor(), &shrunk.outcome, &short, &again);
    Ok(Shorter { shrunk, again, recording: recorded.map(|()| short) })
}

/// `NAME-short.run` for `NAME.run`.
fn short_path(path: &Path) -> PathBuf {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}-short.run"))
}

impl Shorter {
    /// What a person is told: the size before and after, and what is left.
    pub fn lines(&self) -> Vec<String> {
        let Shrunk { before, after, runs, time, is_minimal, .. } = &self.shrunk;
        let end = if *is_minimal { "" } else { "; stopped before the end" };
        let mut lines = vec![format!(
            "shorter: {} of {} choices are enough ({runs} runs in {:.1} s{end})",
            after.total(),
            before.total(),
            time.as_secs_f64()
        )];
        lines.extend(list(&self.shrunk.plan, *after));
        lines
    }
}

/// What a plan makes happen, a line a choice.
fn list(plan: &Plan, size: Size) -> Vec<String> {
    use choice::Name;
    let is_told = |name: &Name| !matches!(name, Name::Wait { .. } | Name::Server { .. });
    let told: Vec<String> = plan
        .choices
        .iter()
        .filter(|choice| is_told(&choice.name))
        .map(|choice| format!("  {}", plain::sentence(&choice.to_string())))
        .collect();
    let mut lines: Vec<String> = told.iter().take(LISTED_MAX).cloned().collect();
    if told.len() > LISTED_MAX {
        lines.push(format!("  and {} more", told.len() - LISTED_MAX));
    }
    if size.switches > 0 {
        lines.push(format!("  {} switches between threads, drawn at random", size.switches));
    }
    lines
}

//! The recording of a run, made by running the run once more.
//!
//! Recording costs time, so the first run is not recorded. A run in virtual time is deterministic:
//! the second run has the same trace hash, which proves that it is the same run. A run in real time
//! cannot be repeated, so it is recorded the first time or not at all.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use report::timeline::Filter;
use runfile::RunFile;

use crate::job::{Job, Supervisor};
use crate::outcome::Outcome;
use crate::recording;
use crate::test::Test;

impl Job<'_> {
    /// Runs the job again with a recorder, and writes the run file and its pictures next to it.
    /// `outcome` is the outcome of the first run.
    ///
    /// # Errors
    /// If there is no recording of that run, a sentence that says why.
    pub fn record_again(
        &self,
        supervisor: &dyn Supervisor,
        outcome: &Outcome,
        path: &Path,
        replay: &str,
    ) -> Result<(), String> {
        let hash = |outcome: &Outcome| outcome.simulation.map(|simulation| simulation.trace_hash);
        // A process that left no outcome leaves no recording either, and may take minutes to end.
        if hash(outcome).is_none() {
            return Err("the process of the run left no outcome".into());
        }
        let again = Job { record: Some(path), ..*self }.run_under(supervisor);
        if hash(&again) != hash(outcome) {
            // It shows another run, which nobody asked for.
            let _ = fs::remove_file(path);
            return Err("the second run differed from the first".into());
        }
        complete(path, &again.output, replay)
    }
}

/// Adds to a recording what the recorded process did not know, and writes the pictures next to it.
pub(crate) fn complete(path: &Path, output: &str, replay: &str) -> Result<(), String> {
    if !path.exists() {
        return Err("the process ended before it wrote the recording".into());
    }
    let failed =
        |error: runfile::Error| format!("failed to record the run in {}: {error}", path.display());
    let mut run = runfile::read(path).map_err(failed)?;
    recording::complete(&mut run, output, replay);
    write(&run, path).map_err(failed)
}

/// Changes a recording, and draws its pictures again.
pub(crate) fn change(path: &Path, change: impl FnOnce(&mut RunFile)) -> Result<RunFile, String> {
    let failed = |error: runfile::Error| format!("failed to change {}: {error}", path.display());
    let mut run = runfile::read(path).map_err(failed)?;
    change(&mut run);
    write(&run, path).map_err(failed)?;
    Ok(run)
}

/// Writes a run file and its pictures.
fn write(run: &RunFile, path: &Path) -> Result<(), runfile::Error> {
    runfile::write(run, path)?;
    let timeline = report::timeline::timeline(run, &Filter::default());
    fs::write(path.with_extension("txt"), timeline)?;
    fs::write(path.with_extension("html"), report::html(run))?;
    Ok(())
}

/// The path for a run file. Makes its folder.
pub(crate) fn path(test: &Test, seed: u64) -> Result<PathBuf, String> {
    let folder = folder();
    fs::create_dir_all(&folder)
        .map_err(|error| format!("failed to make {}: {error}", folder.display()))?;
    let path = folder.join(format!("{}.run", file_name(&test.name(), seed)));
    Ok(path)
}

/// `target/lab`, next to the folder of this program, or else in the current folder.
fn folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let is_target = |folder: &&Path| folder.join("CACHEDIR.TAG").exists();
    let target = program.ancestors().find(is_target).unwrap_or(Path::new("target"));
    let folder = target.join("lab");
    // People read the path, so it is relative if possible.
    let here = env::current_dir().unwrap_or_default();
    folder.strip_prefix(here).map(Path::to_owned).unwrap_or(folder)
}

/// `3C-figure-8-unreliable-32570`.
fn file_name(test: &str, seed: u64) -> String {
    let words: Vec<&str> =
        test.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    format!("{}-{seed}", words.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_test_and_seed() {
        assert_eq!(file_name("3C figure 8 (unreliable)", 32570), "3C-figure-8-unreliable-32570");
    }
}

//! The bar that a terminal shows while submissions are graded.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use runner::{Test, plain};
use rustix::termios::tcgetwinsize;

use crate::run::finished::{Run, Verdict};

/// The number of running tests that are named next to the bar.
const NAMED_MAX: usize = 2;
const TICK: Duration = Duration::from_millis(200);

/// A bar with what is built and what runs. Failures appear above it as they occur.
pub(crate) struct Progress {
    bar: ProgressBar,
    state: Mutex<State>,
    several: bool,
}

#[derive(Default)]
struct State {
    building: Option<String>,
    running: Vec<String>,
    failed: usize,
}

impl Progress {
    /// `runs`: of each submission.
    pub(crate) fn new(submissions: usize, runs: usize) -> Progress {
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {wide_msg}");
        let bar = ProgressBar::new((submissions * runs) as u64);
        bar.set_style(style.expect("a valid template"));
        bar.enable_steady_tick(TICK);
        Progress { bar, state: Mutex::default(), several: submissions > 1 }
    }

    /// Shows what is built now, if anything is.
    pub(crate) fn build(&self, name: Option<&str>) {
        self.change(|state| state.building = name.map(str::to_owned));
    }

    pub(crate) fn begin(&self, name: &str, test: &Test, seed: u64) {
        self.change(|state| state.running.push(self.words(name, test, seed)));
    }

    /// `is_first`: no other run of this test has failed yet.
    pub(crate) fn end(&self, name: &str, run: &Run, is_first: bool) {
        let words = self.words(name, run.test, run.seed);
        if let (Err(failure), true) = (&run.outcome.verdict, is_first) {
            let line = format!("FAIL  {words}: {}", failure.sentence);
            self.bar.println(cut(&plain::line(&line), width()));
        }
        self.change(|state| {
            let at = state.running.iter().position(|running| *running == words);
            state.running.remove(at.expect("it has begun"));
            state.failed += usize::from(run.verdict() != Verdict::Passed);
        });
        self.bar.inc(1);
    }

    /// These runs will not be made.
    pub(crate) fn skip(&self, runs: usize) {
        self.bar.inc(runs as u64);
    }

    /// Prints without disturbing the bar.
    pub(crate) fn print(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn words(&self, name: &str, test: &Test, seed: u64) -> String {
        let run = format!("{} (seed {seed})", test.name());
        if self.several { format!("{name}: {run}") } else { run }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().expect("no thread panics while it holds this");
        change(&mut state);
        self.bar.set_message(plain::line(&state.message()));
    }
}

impl State {
    fn message(&self) -> String {
        let mut parts = vec![format!("{} failed", self.failed)];
        if let Some(name) = &self.building {
            parts.push(format!("building {name}"));
        }
        if !self.running.is_empty() {
            let mut names = self.running[..self.running.len().min(NAMED_MAX)].join(", ");
            if self.running.len() > NAMED_MAX {
                names += &format!(", {} more", self.running.len() - NAMED_MAX);
            }
            parts.push(format!("running {names}"));
        }
        parts.join("; ")
    }
}

/// The width of the terminal in characters.
fn width() -> Option<usize> {
    let size = tcgetwinsize(io::stderr()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Cuts to one line of a terminal: the whole sentence is shown below the table.
fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if line.chars().count() > width => {
            line.chars().take(width - 1).chain(['…']).collect()
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_the_terminal_ends() {
        assert_eq!(cut("FAIL  ü: no leader", Some(18)), "FAIL  ü: no leader");
        assert_eq!(cut("FAIL  ü: no leader", Some(10)), "FAIL  ü: …");
        assert_eq!(cut("FAIL  ü: no leader", None), "FAIL  ü: no leader");
    }

    #[test]
    fn the_bar_says_what_is_built_what_runs_and_how_much_has_failed() {
        let running = (1..=4).map(|seed| format!("ada: 3A re-election (seed {seed})")).collect();
        let state = State { building: Some("bob".into()), running, failed: 3 };
        assert_eq!(
            state.message(),
            "3 failed; building bob; running ada: 3A re-election (seed 1), \
             ada: 3A re-election (seed 2), 2 more"
        );
        assert_eq!(State::default().message(), "0 failed");
    }
}

//! The commands that repeat a run.

use std::path::Path;

use crate::settings::{Clock, Settings};

/// The command that repeats the run. With another build it would be another run.
pub(super) fn again(words: &str, seed: u64, settings: &Settings) -> String {
    match &settings.plan {
        Some((file, _)) => by_plan(file, words, settings),
        None => command(&format!("LAB_SEED={seed}"), words, settings),
    }
}

pub(super) fn by_plan(file: &Path, words: &str, settings: &Settings) -> String {
    command(&format!("LAB_PLAN={}", file.display()), words, settings)
}

fn command(variable: &str, words: &str, settings: &Settings) -> String {
    let mut command = String::new();
    match settings.clock {
        Clock::Real => command += "LAB_CLOCK=real ",
        clock if clock != Clock::default() => command += &format!("LAB_ENGINE={clock} "),
        Clock::Virtual(_) => {}
    }
    if !settings.invariants {
        command += "LAB_INVARIANTS=off ";
    }
    let tests = if sim::instrumented_edges() > 0 { "explore" } else { "test" };
    command += &format!("{variable} cargo {tests} ");
    if !cfg!(debug_assertions) {
        command += "--release ";
    }
    command + &format!("\"{words}\"")
}

//! A backtrace cut down to the frames of the program under test.
//!
//! The standard library prints a backtrace but does not expose its frames, so they are read from
//! the text. The hooks on top and the start of the thread at the bottom are the same for every
//! thread and are removed.

use std::backtrace::Backtrace;
use std::cell::Cell;

/// The functions of libc through which a program enters the simulation.
const HOOKS: [&str; 10] = [
    "syscall",
    "clock_gettime",
    "clock_nanosleep",
    "nanosleep",
    "usleep",
    "sched_yield",
    "pthread_create",
    "pthread_join",
    "pthread_detach",
    "__sanitizer_cov_trace_pc_guard",
];

/// The frames from the call that waits to the thread's first function, as `name at file:line`.
/// Frames of the standard library are only `name`.
pub(crate) fn short(backtrace: &Backtrace) -> Vec<String> {
    from_text(&reading_names(|| backtrace.to_string()))
}

thread_local! {
    /// Whether the thread reads the names of functions.
    static READS_NAMES: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is turning addresses into the names of functions. Then the hooks
/// answer for files that the process can no longer open.
#[cfg(sim_virtual)]
pub(crate) fn is_reading_names() -> bool {
    READS_NAMES.get()
}

fn reading_names<R>(read: impl FnOnce() -> R) -> R {
    let before = READS_NAMES.replace(true);
    let result = read();
    READS_NAMES.set(before);
    result
}

fn from_text(text: &str) -> Vec<String> {
    let mut frames: Vec<(&str, Option<&str>)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(place) = line.strip_prefix("at ") {
            if let Some(last) = frames.last_mut() {
                last.1 = Some(place);
            }
        } else if let Some((number, name)) = line.split_once(": ")
            && number.chars().all(|digit| digit.is_ascii_digit())
        {
            frames.push((name, None));
        }
    }
    let is_hook = |(name, _): &(&str, Option<&str>)| HOOKS.contains(name);
    let is_start = |(name, _): &(&str, Option<&str>)| {
        name.contains("__rust_begin_short_backtrace") || name.starts_with("sim::run::machine::root")
    };
    let start = frames.iter().position(is_hook).map_or(0, |index| index + 1);
    let end = frames.iter().position(is_start).unwrap_or(frames.len()).max(start);
    let is_std = |(name, place): &(&str, Option<&str>)| {
        *name == "__rust_try" || place.is_some_and(|place| place.starts_with("/rustc/"))
    };
    let mut frames = &frames[start..end];
    while let [rest @ .., last] = frames
        && is_std(last)
    {
        frames = rest;
    }
    let show = |frame: &(&str, Option<&str>)| match frame {
        (name, Some(place)) if !is_std(frame) => format!("{name} at {place}"),
        (name, _) => (*name).to_owned(),
    };
    frames.iter().map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::from_text;

    /// Hooks above and the thread's start below are removed; the other frames stay.
    #[test]
    fn only_the_frames_of_the_program_are_left() {
        let text = "   0: std::backtrace::Backtrace::create
   1: sim::scheduler::turn::go\n             at ./src/scheduler/turn.rs:90:5
   2: syscall\n             at ./src/hooks/futex.rs:1:1
   3: std::sync::Mutex<T>::lock\n             at /rustc/0/library/std/src/mutex.rs:4:2
   4: raft::ticker\n             at ./src/raft.rs:12:9
   5: __rust_try
   6: std::sys::backtrace::__rust_begin_short_backtrace\n   7: main\n";
        let frames = from_text(text);
        assert_eq!(frames, ["std::sync::Mutex<T>::lock", "raft::ticker at ./src/raft.rs:12:9"]);
    }

    /// A text without any known frame is kept whole.
    #[test]
    fn unknown_text_is_kept() {
        assert_eq!(from_text("   0: a\n   1: b\n"), ["a", "b"]);
        assert!(from_text("disabled backtrace").is_empty());
    }
}

//! The result of a run: why it ended, its figures, and every thread that was still alive.
//!
//! A report is a value. Nothing here prints by itself; `Display` writes the diagnosis that a
//! failing test would show.

use std::backtrace::Backtrace;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::engine_kind::Engine;
use crate::frames;
use crate::halt::Halt;
use crate::label::Label;
use crate::trace::Step;

/// What a thread was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ThreadState {
    /// It has the turn.
    Running,
    /// It can run and waits for its turn.
    Ready,
    /// It sleeps until a virtual time.
    Sleeping {
        /// The virtual time at which it wakes.
        until: Duration,
    },
    /// It waits for a lock, a condition, a message or an unpark.
    Waiting {
        /// The virtual time at which it stops waiting, if there is one.
        deadline: Option<Duration>,
    },
    /// It waits for another thread to end.
    Joining {
        /// The number of the other thread.
        thread: u32,
    },
}

/// One thread, as [`threads`](crate::threads) and [`Report::threads`] show it.
#[derive(Clone, Debug)]
pub struct ThreadInfo {
    /// Its number, in order of creation. The closure's own thread has number 0.
    pub id: u32,
    /// Its name, cut to 15 bytes as the system does; empty if it has none.
    pub name: String,
    /// Its label when the report was made.
    pub label: Label,
    /// What it is doing.
    pub state: ThreadState,
    /// The virtual time at which the state began.
    pub since: Duration,
    /// The time that the state has lasted.
    pub waited: Duration,
    /// Whether its group is paused.
    pub paused: bool,
    /// Its place in the code, if a backtrace was taken.
    pub backtrace: Option<Arc<Backtrace>>,
}

/// A panic inside the simulation, caught or not.
#[derive(Clone, Debug)]
pub struct PanicInfo {
    /// The number of the thread.
    pub thread: u32,
    /// The name of the thread.
    pub name: String,
    /// The label of the thread.
    pub label: Label,
    /// The text of the panic, if it was a string.
    pub message: String,
    /// `file:line:column`.
    pub location: String,
    /// The virtual time.
    pub at: Duration,
}

/// The decisions of a schedule that is only partly drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// All decisions, drawn or not.
    pub made: u64,
    /// Those that chose another thread than the one that would have run on.
    pub different: u64,
}

/// The result of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Why it ended.
    pub halt: Halt,
    /// False if the platform has no virtual time, and the closure ran in real time.
    pub is_virtual: bool,
    /// The engine that it ran on.
    pub engine: Engine,
    /// The seed it ran with.
    pub seed: u64,
    /// Virtual time from the start to the closure's return.
    pub elapsed: Duration,
    /// Scheduling steps: hooked calls, and switches at edges.
    pub steps: u64,
    /// The number of times that the turn passed to another thread.
    pub switches: u64,
    /// What was decided, if [`Options::draw_only`](crate::Options::draw_only) was used; otherwise
    /// nothing is counted.
    pub decisions: Decisions,
    /// Threads started, including the closure's own.
    pub spawned: u32,
    /// The largest number of threads alive at the same time.
    pub threads_peak: usize,
    /// The threads still alive at the end.
    pub threads: Vec<ThreadInfo>,
    /// Every panic, in order.
    pub panics: Vec<PanicInfo>,
    /// A rolling hash over (step, thread, operation, time).
    pub trace_hash: u64,
    /// Every step, if [`Options::trace`](crate::Options::trace) asked for it.
    pub trace: Vec<Step>,
    /// The lines that threads printed, if [`Output::Captured`](crate::Output::Captured) asked for
    /// them.
    pub output: Vec<String>,
    /// The number of wakes that came from threads outside. If it is not 0, the run may not repeat.
    pub outside_wakes: u64,
    /// CPU time that the process used during the run.
    pub cpu: Duration,
    /// The process's peak resident memory, in bytes, at the end of the run.
    pub memory_peak_bytes: u64,
}

impl Report {
    /// Whether the closure returned.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.halt == Halt::Finished
    }

    /// The number of threads alive at the end for each label, in order of label.
    #[must_use]
    pub fn leaked(&self) -> Vec<(Label, usize)> {
        let mut labels: Vec<Label> = self.threads.iter().map(|thread| thread.label).collect();
        labels.sort_unstable();
        let mut counts: Vec<(Label, usize)> = Vec::new();
        for label in labels {
            match counts.last_mut() {
                Some((last, count)) if *last == label => *count += 1,
                _ => counts.push((label, 1)),
            }
        }
        counts
    }
}

impl ThreadInfo {
    /// The calls that the thread is in, the innermost first: `name at file:line`. Empty without a
    /// backtrace. The first use resolves names, which can take a tenth of a second.
    #[must_use]
    pub fn frames(&self) -> Vec<String> {
        self.backtrace.as_deref().map(frames::short).unwrap_or_default()
    }
}

impl fmt::Display for ThreadInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "unnamed" } else { &self.name };
        write!(f, "thread {} `{name}` of {}: ", self.id, self.label)?;
        match self.state {
            ThreadState::Running => write!(f, "running")?,
            ThreadState::Ready => write!(f, "ready")?,
            ThreadState::Sleeping { until } => write!(f, "sleeping until {until:?}")?,
            ThreadState::Waiting { deadline: None } => write!(f, "waiting")?,
            ThreadState::Waiting { deadline: Some(at) } => {
                write!(f, "waiting until {at:?} at the latest")?;
            }
            ThreadState::Joining { thread } => write!(f, "joining thread {thread}")?,
        }
        write!(f, ", since {:?} ({:?})", self.since, self.waited)?;
        if self.paused {
            f.write_str(", paused")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} (seed {}, {:?} engine, {:?} of {} time, {} steps, hash {:016x})",
            self.halt,
            self.seed,
            self.engine,
            self.elapsed,
            if self.is_virtual { "virtual" } else { "real" },
            self.steps,
            self.trace_hash
        )?;
        for thread in &self.threads {
            writeln!(f, "  {thread}")?;
            for frame in thread.frames() {
                writeln!(f, "      {frame}")?;
            }
        }
        Ok(())
    }
}

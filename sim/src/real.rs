//! The same functions in real time, for platforms without virtual time.
//!
//! `run` runs the closure on a separate thread, and its report says that the run was not virtual.
//! The other functions do nothing, so that a test written for the simulation still builds and runs.

use std::marker::PhantomData;
use std::panic::{self, AssertUnwindSafe};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::halt::Halt;
use crate::label::Label;
use crate::options::Options;
use crate::report::{Decisions, Report, ThreadInfo};

/// Runs `closure` in real time. The documentation for Linux describes this function in full.
///
/// # Panics
/// If no thread can be started.
#[expect(clippy::needless_pass_by_value, reason = "the signature is that of virtual time")]
pub fn run(options: Options, closure: impl FnOnce() + Send + 'static) -> Report {
    let Options { engine, seed, .. } = options;
    let start = Instant::now();
    let thread = std::thread::Builder::new().name("sim".to_owned());
    let handle = thread
        .spawn(move || panic::catch_unwind(AssertUnwindSafe(closure)))
        .expect("the closure gets a thread");
    let halt = match handle.join() {
        Ok(Ok(())) => Halt::Finished,
        Ok(Err(payload)) | Err(payload) => {
            let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            Halt::Panicked { message: text.unwrap_or_default() }
        }
    };
    Report {
        halt,
        is_virtual: false,
        engine,
        seed,
        elapsed: start.elapsed(),
        steps: 0,
        switches: 0,
        decisions: Decisions::default(),
        spawned: 1,
        threads_peak: 1,
        threads: Vec::new(),
        panics: Vec::new(),
        trace_hash: 0,
        trace: Vec::new(),
        output: Vec::new(),
        outside_wakes: 0,
        cpu: Duration::ZERO,
        memory_peak_bytes: 0,
    }
}

/// False: there is no virtual time here.
#[must_use]
pub fn is_virtual() -> bool {
    false
}

/// Real time since the first call.
#[must_use]
pub fn now() -> Duration {
    start().elapsed()
}

/// The time of an instant, as [`now`] counts it.
#[must_use]
pub fn time_of(_group: u32, instant: Instant) -> Duration {
    instant.saturating_duration_since(start())
}

fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// Does nothing.
#[must_use = "the label lasts as long as the guard"]
pub fn label(_label: Label) -> LabelGuard {
    LabelGuard { not_send: PhantomData }
}

/// Does nothing.
pub fn relabel(_label: Label) {}

/// Does nothing.
#[derive(Debug)]
pub struct LabelGuard {
    not_send: PhantomData<*const ()>,
}

/// The default label.
#[must_use]
pub fn current_label() -> Label {
    Label::default()
}

/// Empty, because threads are not tracked.
#[must_use]
pub fn threads() -> Vec<ThreadInfo> {
    Vec::new()
}

/// Empty, because threads are not tracked.
#[must_use]
pub fn threads_with_backtraces() -> Vec<ThreadInfo> {
    Vec::new()
}

/// Does nothing.
pub fn pause(_group: u32) {}

/// Does nothing.
pub fn resume(_group: u32) {}

/// Does nothing.
pub fn discard(_group: u32) {}

/// Does nothing.
pub fn align_clocks(_groups: &[u32]) {}

/// Does nothing.
pub fn set_clock_rate(_group: u32, _rate: f64) {}

/// Calls `wait`.
pub fn wait_outside<R>(wait: impl FnOnce() -> R) -> R {
    wait()
}

/// 0, because there are no switches at edges.
#[must_use]
pub fn instrumented_edges() -> u64 {
    0
}

/// Calls `work`.
pub fn without_edges(work: &mut dyn FnMut()) {
    work();
}

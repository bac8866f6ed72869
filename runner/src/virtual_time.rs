//! A run in virtual time: the report of `sim` becomes the outcome of a test.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use config::{FindingKind, Referee, TEST_LIMIT};
use sim::{Decisions, Options, ThreadInfo, Turn};
use verdict::crowd::crowd;
use verdict::label::Label;
use verdict::virtual_time::{failure, options};

use crate::limits::GRACE;
use crate::outcome::{Outcome, Simulation};

/// The threads of a killed server must end within this time. They may wait for an RPC that takes
/// seven seconds to fail.
const THREADS_END_WITHIN: Duration = Duration::from_secs(10);
const THREADS_LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Runs `test` in virtual time. If the simulation ends early, for example because a thread spins,
/// the outcome says so.
///
/// Also returns what the schedule decided, if only some of its decisions are drawn.
pub(crate) fn run(
    options: Options,
    referee: &Referee,
    test: impl FnOnce() -> Outcome + Send + 'static,
) -> (Outcome, Decisions) {
    let slot = Arc::new(Mutex::new(None));
    let report = {
        let slot = Arc::clone(&slot);
        sim::run(options, move || {
            let outcome = test();
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        })
    };
    let outcome = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut outcome = outcome.unwrap_or_else(|| Outcome::failed(failure(&report, referee)));
    outcome.simulation = Some(Simulation {
        trace_hash: report.trace_hash,
        time: report.elapsed,
        steps: report.steps,
        switches: report.switches,
        threads_peak: report.threads_peak,
        cpu: report.cpu,
    });
    (outcome, report.decisions)
}

/// What a run draws at random.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    /// The seed of the simulation, if it is not that of the run.
    pub(crate) seed: Option<u64>,
    /// The decisions of the schedule that are drawn; all if none.
    pub(crate) drawn: Option<Vec<Range<u64>>>,
    /// The moment after which everything is drawn anew.
    pub(crate) turn: Option<Turn>,
    /// The virtual time at which the run ends at the latest.
    pub(crate) until: Option<Duration>,
}

impl Drawing {
    /// The settings of a simulation of a test.
    pub(crate) fn options(self, seed: u64) -> Options {
        let limit = self.until.unwrap_or(TEST_LIMIT + 4 * GRACE);
        let options = options(self.seed.unwrap_or(seed)).time_limit(limit).turn(self.turn);
        match self.drawn {
            Some(drawn) => options.draw_only(drawn),
            None => options,
        }
    }
}

/// Waits for the threads of all servers to end, and reports those that do not as findings.
pub(crate) fn wait_for_the_last_thread(referee: &Referee) {
    let of_servers = || -> Vec<ThreadInfo> {
        let threads = sim::threads().into_iter();
        threads.filter(|thread| Label::of(thread.label) != Label::Kit).collect()
    };
    let mut waited = Duration::ZERO;
    let mut left = of_servers();
    while !left.is_empty() && waited < THREADS_END_WITHIN {
        thread::sleep(THREADS_LOOK_INTERVAL);
        waited += THREADS_LOOK_INTERVAL;
        left = of_servers();
    }
    let within = THREADS_END_WITHIN.as_secs();
    for line in crowd(&left) {
        referee.note(FindingKind::ThreadsLeft, format!("{line} outlived the kill by {within} s"));
    }
}

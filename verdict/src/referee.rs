//! Keeps the verdict of a run: the first failure that any thread reports.

use std::collections::BTreeMap;
use std::panic;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};

use crate::failure::{self, Class, Failure, NOTE_BYTES_MAX};
use crate::finding::FindingKind;
use crate::kit_code::KitCode;
use crate::lives::{Death, Life, Lives};

/// The limit of the number of findings of a run. Later ones are only counted; one more finding
/// gives their number.
pub const FINDINGS_MAX: usize = 64;

/// Keeps the verdict of one run, and is shared by everything that can find a failure. Clones are
/// the same referee.
#[derive(Clone, Default)]
pub struct Referee {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    settled: Condvar,
}

#[derive(Default)]
struct State {
    verdict: Option<Result<(), Failure>>,
    findings: Vec<String>,
    findings_left_out: usize,
    figures: Option<Figures>,
    lives: Lives,
    /// A thread was seen to work for several servers.
    threads_are_shared: bool,
    kit_code: Vec<KitCode>,
    elsewhere: BTreeMap<usize, Tell>,
    /// The current part of the test, if the test has named it.
    stage: Option<String>,
    explain_liveness: Option<Explain>,
}

/// Explains in one note which server waits for which.
type Explain = Arc<dyn Fn() -> String + Send + Sync>;

/// Says what the threads of a server in another process wait for.
type Tell = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// What a run used: the numbers of 6.824's closing line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// How long it took.
    pub time: Duration,
    /// The number of servers.
    pub peers: usize,
    /// The number of calls that the network took.
    pub rpcs: u64,
    /// The bytes of all requests, and of all replies that arrived.
    pub bytes: u64,
    /// The number of commands: how much the highest applied index rose.
    pub commands: u64,
}

impl std::fmt::Display for Figures {
    /// The closing line of a test that passed, in the columns of 6.824 since 2020: seconds, peers,
    /// RPCs, bytes, commands.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "  ... Passed -- {:4.1}  {} {:4} {:7} {:4}",
            self.time.as_secs_f64(),
            self.peers,
            self.rpcs,
            self.bytes,
            self.commands
        )
    }
}

/// The payload that unwinds a thread of the test after a failure was recorded. Code that catches it
/// has nothing more to report.
pub struct Stopped;

impl Referee {
    /// A referee without a verdict.
    pub fn new() -> Referee {
        Referee::default()
    }

    /// Records a failure, unless there was one before.
    pub fn fail(&self, failure: Failure) {
        let explain = self.shared.state.lock().explain_liveness.clone();
        let explain = explain.filter(|_| failure.class == Class::Liveness);
        self.settle(Err(failure.with_notes(explain.map(|explain| explain()))));
    }

    /// Adds the note of `explain` to each later failure of liveness.
    pub fn explain_liveness(&self, explain: impl Fn() -> String + Send + Sync + 'static) {
        self.shared.state.lock().explain_liveness = Some(Arc::new(explain));
    }

    /// Records a failure and unwinds the calling thread of the test.
    pub fn stop(&self, failure: Failure) -> ! {
        self.fail(failure);
        panic::resume_unwind(Box::new(Stopped));
    }

    /// Names the current part of the test. It is the first note of any later failure.
    pub fn enter_stage(&self, stage: impl Into<String>) {
        self.shared.state.lock().stage = Some(stage.into());
    }

    /// Records that the test has passed, unless it has failed.
    pub fn pass(&self) {
        self.settle(Ok(()));
    }

    /// The first failure counts, even after the test has passed: a thread may panic while it ends.
    fn settle(&self, verdict: Result<(), Failure>) {
        let mut state = self.shared.state.lock();
        if !matches!(state.verdict, Some(Err(_))) {
            let stage = state.stage.clone();
            state.verdict = Some(verdict.map_err(|failure| failure.with_first_notes(stage)));
        }
        drop(state);
        self.shared.settled.notify_all();
    }

    /// Records a finding: something worth reporting that is no failure.
    pub fn find(&self, finding: impl Into<String>) {
        let mut state = self.shared.state.lock();
        if state.findings.len() < FINDINGS_MAX {
            state.findings.push(failure::cut(finding.into(), NOTE_BYTES_MAX));
        } else {
            state.findings_left_out += 1;
        }
    }

    /// Records a finding of a named kind.
    pub fn note(&self, kind: FindingKind, sentence: impl std::fmt::Display) {
        self.find(format!("{kind}: {sentence}"));
    }

    /// Registers crates of the kit. A report never names their code as the place where a thread of
    /// an implementation stands.
    pub fn add_kit_code(&self, code: impl IntoIterator<Item = KitCode>) {
        let mut state = self.shared.state.lock();
        for code in code {
            if !state.kit_code.contains(&code) {
                state.kit_code.push(code);
            }
        }
    }

    /// The crates of [`Referee::add_kit_code`].
    pub(crate) fn kit_code(&self) -> Vec<KitCode> {
        self.shared.state.lock().kit_code.clone()
    }

    /// Records that the threads of `server` run in another process; `tell` says what they wait for.
    pub fn threads_are_elsewhere(
        &self,
        server: usize,
        tell: impl Fn() -> Vec<String> + Send + Sync + 'static,
    ) {
        self.shared.state.lock().elsewhere.insert(server, Arc::new(tell));
    }

    /// What the threads of a server wait for, if they run in another process.
    pub(crate) fn waiting_elsewhere(&self, server: usize) -> Option<Vec<String>> {
        let tell = self.shared.state.lock().elsewhere.get(&server).cloned();
        tell.map(|tell| tell())
    }

    /// Begins a new incarnation of a server.
    pub fn begin_life(&self, server: usize) -> Life {
        self.shared.state.lock().lives.begin(server)
    }

    /// Records that an incarnation has ended or begins to end.
    pub fn end_life(&self, life: Life, death: Death) {
        self.shared.state.lock().lives.end(life, death);
    }

    /// How an incarnation ends; none while it lives.
    pub fn death(&self, life: Life) -> Option<Death> {
        self.shared.state.lock().lives.death(life)
    }

    /// Records the first panic of each server after a death as a finding.
    pub fn panicked_late(&self, life: Life, sentence: impl std::fmt::Display) {
        let is_first = self.shared.state.lock().lives.report(life);
        if is_first {
            self.note(FindingKind::LatePanic, sentence);
        }
    }

    /// Records that a thread works for several servers. The first time this is a finding with this
    /// sentence, and returns true.
    pub fn threads_are_shared(&self, sentence: impl std::fmt::Display) -> bool {
        let before = std::mem::replace(&mut self.shared.state.lock().threads_are_shared, true);
        if !before {
            self.note(FindingKind::SharedThreads, sentence);
        }
        !before
    }

    /// Whether some thread works for several servers. Then the label that a thread has inherited
    /// says only which server started it.
    pub fn has_shared_threads(&self) -> bool {
        self.shared.state.lock().threads_are_shared
    }

    /// Whether some incarnation is dead.
    pub(crate) fn has_death(&self) -> bool {
        self.shared.state.lock().lives.has_death()
    }

    /// The findings so far.
    pub fn findings(&self) -> Vec<String> {
        let state = self.shared.state.lock();
        let mut findings = state.findings.clone();
        if state.findings_left_out > 0 {
            findings.push(format!("{} more findings are left out", state.findings_left_out));
        }
        findings
    }

    /// Records what the run used, at the end of its test.
    pub fn record(&self, figures: Figures) {
        self.shared.state.lock().figures = Some(figures);
    }

    /// What the run used; none before the end of its test.
    pub fn figures(&self) -> Option<Figures> {
        self.shared.state.lock().figures
    }

    /// The verdict, if there is one yet.
    pub fn verdict(&self) -> Option<Result<(), Failure>> {
        self.shared.state.lock().verdict.clone()
    }

    /// Waits until there is a verdict, at most `limit`.
    pub fn wait(&self, limit: Duration) -> Option<Result<(), Failure>> {
        let deadline = Instant::now() + limit;
        let mut state = self.shared.state.lock();
        while state.verdict.is_none() {
            if self.shared.settled.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        state.verdict.clone()
    }

    /// Unwinds as [`Referee::stop`] does if some thread has found a failure.
    pub fn stop_if_failed(&self) {
        if let Some(Err(_)) = self.shared.state.lock().verdict {
            panic::resume_unwind(Box::new(Stopped));
        }
    }

    /// Sleeps, and unwinds as [`Referee::stop`] does when some thread has found a failure.
    pub fn sleep(&self, time: Duration) {
        if let Some(Err(_)) = self.wait(time) {
            panic::resume_unwind(Box::new(Stopped));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    use super::*;
    use crate::failure::Class;

    fn failure(sentence: &str) -> Failure {
        Failure::new(Class::Liveness, sentence)
    }

    #[test]
    fn the_first_failure_counts() {
        let referee = Referee::new();
        referee.fail(failure("first"));
        referee.fail(failure("second"));
        referee.pass();
        assert_eq!(referee.verdict(), Some(Err(failure("first"))));
    }

    #[test]
    fn a_failure_says_in_which_stage_of_its_test_it_happened() {
        let referee = Referee::new();
        referee.enter_stage("in the first cluster");
        referee.enter_stage("in the second cluster");
        referee.fail(failure("no leader").with_notes(["term 7".into()]));
        let notes = ["in the second cluster", "term 7"].map(String::from);
        assert_eq!(referee.verdict(), Some(Err(failure("no leader").with_notes(notes))));
    }

    #[test]
    fn a_failure_after_the_end_of_the_test_counts() {
        let referee = Referee::new();
        referee.pass();
        referee.fail(failure("a thread panicked on its way out"));
        referee.pass();
        assert_eq!(referee.verdict(), Some(Err(failure("a thread panicked on its way out"))));
    }

    #[test]
    fn a_failure_wakes_and_unwinds_a_sleeper() {
        let referee = Referee::new();
        let sleeper = {
            let referee = referee.clone();
            thread::spawn(move || {
                let slept = catch_unwind(AssertUnwindSafe(|| {
                    referee.sleep(Duration::from_secs(3600));
                }));
                slept.is_err_and(|payload| payload.is::<Stopped>())
            })
        };
        referee.fail(failure("found by another thread"));
        assert!(sleeper.join().unwrap());
    }

    #[test]
    fn the_first_findings_are_kept_and_the_others_are_counted() {
        let referee = Referee::new();
        referee.note(FindingKind::LatePanic, "x".repeat(1 << 20));
        (1..FINDINGS_MAX).for_each(|n| referee.find(n.to_string()));
        assert_eq!(referee.findings().len(), FINDINGS_MAX);
        assert!(referee.findings()[0].len() <= NOTE_BYTES_MAX);
        assert!(FindingKind::LatePanic.is_in(&referee.findings()[0]));
        (0..7).for_each(|n| referee.find(n.to_string()));
        let findings = referee.findings();
        assert_eq!(findings.len(), FINDINGS_MAX + 1);
        assert_eq!(findings[FINDINGS_MAX - 1], (FINDINGS_MAX - 1).to_string());
        assert_eq!(findings[FINDINGS_MAX], "7 more findings are left out");
    }

    #[test]
    fn the_closing_line_keeps_the_columns_of_6_824() {
        let figures = Figures {
            time: Duration::from_millis(3049),
            peers: 3,
            rpcs: 58,
            bytes: 16840,
            commands: 0,
        };
        assert_eq!(figures.to_string(), "  ... Passed --  3.0  3   58   16840    0");
    }
}

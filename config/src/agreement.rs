//! The checks on agreement of 6.824's config: was a command committed?

use std::time::{Duration, Instant};

use cluster::hung_handlers;
use history::Rule;
use history::command::show;
use raftapi::Started;
use verdict::{Class, Failure};

use crate::config::Config;

/// [`Config::one`] gives up after this time.
const AGREEMENT_LIMIT: Duration = Duration::from_secs(10);
/// After a leader has taken a command, it must be committed within this time.
const COMMIT_LIMIT: Duration = Duration::from_secs(2);
const COMMIT_LOOK_INTERVAL: Duration = Duration::from_millis(20);
const LEADER_LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// [`Config::wait`] checks this many times, after pauses of 10 ms, 20 ms and so on up to
/// [`WAIT_PAUSE_MAX`].
const WAIT_LOOKS: usize = 30;
const WAIT_PAUSE_MIN: Duration = Duration::from_millis(10);
const WAIT_PAUSE_MAX: Duration = Duration::from_millis(1280);

impl Config {
    /// Waits until `n` servers have applied `index`, and returns the command: 6.824's wait. Fails
    /// the test after about 30 s. None if some server is in a later term than `start_term`, because
    /// the index may then never be applied.
    pub fn wait(&self, index: u64, n: usize, start_term: Option<u64>) -> Option<Vec<u8>> {
        let _waits = self.wait_for(format!("index {index} to be applied by {n} servers"));
        let mut pause = WAIT_PAUSE_MIN;
        for _ in 0..WAIT_LOOKS {
            if self.n_committed(index).0 >= n {
                break;
            }
            self.look_again_after(pause);
            pause = (pause * 2).min(WAIT_PAUSE_MAX);
            if let Some(start_term) = start_term
                && let Some(_moved_on) = (0..self.n())
                    .filter_map(|server| self.get_state(server))
                    .find(|(term, _)| *term > start_term)
            {
                return None;
            }
        }
        let (count, command) = self.n_committed(index);
        if count < n {
            let sentence = format!("index {index} was applied by {count} servers; expected {n}");
            self.stop_for_want_of_progress(self.rule_of_delay(count), sentence);
        }
        command
    }

    /// Makes the cluster agree on one command, and returns its index: 6.824's one. Most tests use
    /// this.
    ///
    /// Offers the command to one connected server after another until a leader takes it. Then waits
    /// until `expected` servers have applied it. If that takes more than 2 s, the test fails; with
    /// `retry` the command is offered again instead, until 10 s have passed. So with `retry` the
    /// command can be committed more than once.
    pub fn one(&self, command: &[u8], expected: usize, retry: bool) -> u64 {
        let agreed = format!("{} to be agreed on by {expected} servers", show(command));
        let _waits = self.wait_for(agreed);
        let start = Instant::now();
        let mut last_asked = 0;
        let mut last_try = None;
        while start.elapsed() < AGREEMENT_LIMIT {
            let Some((leader, index)) = self.offer(command, &mut last_asked) else {
                self.look_again_after(LEADER_LOOK_INTERVAL);
                continue;
            };
            if self.is_committed_soon(index, command, expected) {
                return index;
            }
            let (applied, committed) = self.n_committed(index);
            let is_committed = committed.as_deref() == Some(command);
            last_try = Some((
                self.rule_of_delay(if is_committed { applied } else { 0 }),
                format!(
                    "server {leader} took it as index {index}, which {applied} servers have applied"
                ),
            ));
            if !retry {
                break;
            }
        }
        let (rule, what) =
            last_try.unwrap_or_else(|| (Rule::L1, "no connected server would lead".into()));
        let sentence = format!("{} was not agreed on by {expected} servers: {what}", show(command));
        self.stop_for_want_of_progress(rule, sentence);
    }

    /// Offers a command to a server that has just said that it leads. The test fails if the server
    /// does not take it.
    pub fn start_at_leader(&self, leader: usize, command: &[u8]) -> Started {
        self.start_for_check(leader, command.to_vec()).unwrap_or_else(|| {
            let command = show(command);
            let sentence =
                format!("server {leader} claimed to lead, but refused command {command}");
            self.referee().stop(Failure::of(leader, Class::Liveness, sentence).with_rule(Rule::L1));
        })
    }

    /// The first connected server that takes the command, and the index that it returned.
    fn offer(&self, command: &[u8], last_asked: &mut usize) -> Option<(usize, u64)> {
        let n = self.n();
        for _ in 0..n {
            *last_asked = (*last_asked + 1) % n;
            if self.is_connected(*last_asked)
                && let Some(started) = self.start_for_check(*last_asked, command.to_vec())
            {
                return Some((*last_asked, started.index));
            }
        }
        None
    }

    fn is_committed_soon(&self, index: u64, command: &[u8], expected: usize) -> bool {
        let start = Instant::now();
        while start.elapsed() < COMMIT_LIMIT {
            let (count, committed) = self.n_committed(index);
            if count >= expected.max(1) && committed.as_deref() == Some(command) {
                return true;
            }
            self.look_again_after(COMMIT_LOOK_INTERVAL);
        }
        false
    }

    /// The rule that is broken if only `applied` servers have applied a command in time. If a
    /// majority has applied it, it is committed, and the other servers did not catch up.
    pub fn rule_of_delay(&self, applied: usize) -> Rule {
        if applied > self.n() / 2 { Rule::L3 } else { Rule::L2 }
    }

    fn stop_for_want_of_progress(&self, rule: Rule, sentence: String) -> ! {
        let failure = Failure::new(Class::Liveness, sentence).with_rule(rule);
        self.referee().stop(failure.with_notes(hung_handlers(self.network())));
    }
}

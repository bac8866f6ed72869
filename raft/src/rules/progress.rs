//! What a leader knows of each follower, and when it sends to it next (Figure 2, volatile state on
//! leaders; section 5.3).
//!
//! etcd gives a follower's progress three states: Probe, Replicate and Snapshot. Here one rule
//! covers all three. The leader assumes that what it sends arrives, as in Replicate; but after
//! entries or a snapshot it waits for a reply or the next heartbeat, as in Probe and Snapshot. So
//! one flag, `is_paused`, replaces the states.

use std::time::{Duration, Instant};

use super::messages::Request;

/// Every follower gets a message from its leader this often; the lab allows ten heartbeats a
/// second.
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(100);
/// A new commit index waits this long for new entries to travel with, before it is sent alone. No
/// client waits for it: the leader answers as soon as it has applied the entry itself. It is a
/// tenth of the time that a follower would otherwise wait, for the next heartbeat, and saves most
/// of the RPCs that commands in quick succession would cost.
pub(crate) const COMMIT_NOTICE_DELAY: Duration = Duration::from_millis(10);

/// One follower, as its leader sees it.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The next entry to send: those before it are there, or on their way. If a message is lost,
    /// the follower refuses the next one, and the entries are sent again.
    pub(super) next_index: u64,
    /// The highest entry known to be there. It never falls.
    pub(super) match_index: u64,
    /// The commit index that it was sent last.
    commit_sent: u64,
    /// It was sent entries or a snapshot and has not answered since. It may be unreachable, so it
    /// gets the next entries only with the next heartbeat.
    is_paused: bool,
    /// When the next message is sent, even if there is nothing new.
    due: Instant,
}

impl Progress {
    /// At the beginning of a term nothing is known of the follower; the guess is that its log is as
    /// long as the leader's (section 5.3).
    pub(super) fn new(next_index: u64, now: Instant) -> Progress {
        Progress { next_index, match_index: 0, commit_sent: 0, is_paused: false, due: now }
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// The follower is sent `request` now.
    pub(super) fn record_request(&mut self, request: &Request, now: Instant) {
        self.due = now + HEARTBEAT_INTERVAL;
        match request {
            Request::Append(args) => {
                self.commit_sent = args.leader_commit;
                self.next_index = args.last_new_index() + 1;
                self.is_paused |= !args.entries.is_empty();
            }
            Request::Install(args) => {
                self.next_index = args.last_included_index + 1;
                self.is_paused = true;
            }
            Request::Vote(_) => {}
        }
    }

    /// The follower has answered: it can be reached.
    pub(super) fn resume(&mut self) {
        self.is_paused = false;
    }

    /// The follower has everything up to `index`, and maybe more: the reply may be an old one.
    pub(super) fn record_match(&mut self, index: u64) {
        self.match_index = self.match_index.max(index);
        self.next_index = self.next_index.max(self.match_index + 1);
    }

    /// The follower did not have the entry at `prev_log_index`; `next_index` is what to try next.
    /// If it is known to have that entry by now, the reply is an old one.
    pub(super) fn record_refusal(&mut self, prev_log_index: u64, next_index: u64) {
        if prev_log_index > self.match_index {
            self.next_index = self.next_index.min(next_index).max(self.match_index + 1);
        }
    }

    /// Brings the next message forward if there is news for the follower.
    pub(super) fn schedule_news(&mut self, last_index: u64, commit_index: u64, now: Instant) {
        if self.is_paused {
            return;
        }
        if self.next_index <= last_index {
            self.due = self.due.min(now);
        } else if self.commit_sent < commit_index {
            self.due = self.due.min(now + COMMIT_NOTICE_DELAY);
        }
    }
}

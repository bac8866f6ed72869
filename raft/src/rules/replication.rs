//! Log replication (section 5.3). Heartbeats (section 5.2) are its empty case.

use std::time::{Duration, Instant};

use raftapi::Started;
use serde::{Deserialize, Serialize};

use crate::log::Entry;
use crate::senders::Request;
use crate::state::{Role, State};

/// Every follower hears from its leader this often; the lab allows ten heartbeats a second.
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(100);
/// If there are no new entries to send it with, a new commit index waits this long for some before
/// it is sent alone. That costs the lab no time, since it looks every 20 ms, and saves most of the
/// RPCs that commands in quick succession would cost.
pub(crate) const COMMIT_NOTICE_DELAY: Duration = Duration::from_millis(10);
/// One message carries about so many bytes of commands at most.
const ENTRIES_BYTES_MAX: usize = 1 << 20;

/// Invoked by a leader to replicate log entries; also used as heartbeat (Figure 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppendEntriesArgs {
    /// The leader's term.
    pub(crate) term: u64,
    pub(crate) leader_id: usize,
    /// The index and the term of the entry just before the new ones.
    pub(crate) prev_log_index: u64,
    pub(crate) prev_log_term: u64,
    /// The entries to store; empty for a heartbeat.
    pub(crate) entries: Vec<Entry>,
    pub(crate) leader_commit: u64,
}

impl AppendEntriesArgs {
    /// The index of the last new entry, or the one just before if there are none.
    fn last_new_index(&self) -> u64 {
        self.prev_log_index + self.entries.len() as u64
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppendEntriesReply {
    /// The follower's term, for the leader to update itself.
    pub(crate) term: u64,
    /// The follower had the entry just before the new ones, and now it has those, too.
    pub(crate) success: bool,
    /// Where its log differs, if that is why it refused.
    pub(crate) conflict: Option<Conflict>,
}

/// Why a follower refused entries: the information that lets a leader go back over all conflicting
/// entries of a term at once (the end of section 5.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conflict {
    /// The term of the follower's entry just before the new ones; none if its log is too short.
    pub(crate) term: Option<u64>,
    /// The first index that the follower has for that term, or the one behind its last.
    pub(crate) first_index: u64,
}

/// The follower's part.
impl State {
    /// The AppendEntries RPC, receiver implementation (Figure 2).
    pub(crate) fn append_entries(&mut self, args: AppendEntriesArgs) -> AppendEntriesReply {
        self.adopt_higher_term(args.term);
        if args.term < self.current_term {
            return AppendEntriesReply { term: self.current_term, success: false, conflict: None };
        }
        self.follow_leader();
        let conflict = self.conflict_at(args.prev_log_index, args.prev_log_term);
        if conflict.is_none() {
            // Only so far is this log known to be the leader's: behind may be another's entries.
            let commit_index = args.leader_commit.min(args.last_new_index());
            self.must_save |= self.log.merge(args.prev_log_index, args.entries);
            self.commit_index = self.commit_index.max(commit_index);
        }
        AppendEntriesReply { term: self.current_term, success: conflict.is_none(), conflict }
    }

    /// Whether this log has another entry than the leader's at this index, or none.
    fn conflict_at(&self, index: u64, leaders_term: u64) -> Option<Conflict> {
        if index < self.log.last_included_index() {
            // It was committed, so the leader's is the same (section 5.4).
            return None;
        }
        match self.log.term_at(index) {
            Some(term) if term == leaders_term => None,
            Some(term) => {
                let first_index = self.log.first_index_of_term_at(index);
                Some(Conflict { term: Some(term), first_index })
            }
            None => Some(Conflict { term: None, first_index: self.log.last_index() + 1 }),
        }
    }
}

/// The leader's part.
impl State {
    /// The service wants a command in the log. Only a leader takes it, and nobody hears of that
    /// before the command is saved.
    pub(crate) fn start(&mut self, command: Vec<u8>, now: Instant) -> Option<Started> {
        if !self.is_leader() {
            return None;
        }
        let term = self.current_term;
        let index = self.log.append(Entry { term, command });
        self.must_save = true;
        self.advance_commit_index();
        self.schedule_news(now);
        Some(Started { index, term })
    }

    /// Sends every follower that is due what it was not sent yet, or a heartbeat.
    pub(crate) fn replicate(&mut self, now: Instant) -> Vec<(usize, Request)> {
        let Role::Leader { followers } = &self.role else { return Vec::new() };
        let due = followers.iter().filter(|(_, follower)| follower.due <= now);
        let requests: Vec<(usize, Request)> = due
            .map(|(server, follower)| (*server, self.request_from(follower.next_index)))
            .collect();
        if let Role::Leader { followers } = &mut self.role {
            for (server, request) in &requests {
                followers.entry(*server).and_modify(|follower| follower.was_sent(request, now));
            }
        }
        requests
    }

    /// The log from `next_index` on: its entries, or the snapshot if the first is forgotten.
    fn request_from(&self, next_index: u64) -> Request {
        let prev_log_index = next_index - 1;
        let Some(prev_log_term) = self.log.term_at(prev_log_index) else {
            return Request::Install(self.install_snapshot_args());
        };
        Request::Append(AppendEntriesArgs {
            term: self.current_term,
            leader_id: self.me,
            prev_log_index,
            prev_log_term,
            entries: self.log.entries_from(next_index, ENTRIES_BYTES_MAX),
            leader_commit: self.commit_index,
        })
    }

    /// A follower has answered an AppendEntries. What the answer means is seen from the request
    /// that it answers: since then more may have been sent, and other answers may have come.
    pub(crate) fn note_appended(
        &mut self,
        server: usize,
        args: &AppendEntriesArgs,
        reply: &AppendEntriesReply,
        now: Instant,
    ) {
        let conflict = reply.conflict.as_ref();
        let next_index = conflict.map(|conflict| self.next_index_by(conflict, args.prev_log_index));
        let Some(follower) = self.answering(server, args.term, reply.term) else { return };
        if reply.success {
            follower.has(args.last_new_index());
        } else if let Some(next_index) = next_index {
            follower.refused(args.prev_log_index, next_index);
        }
        self.advance_commit_index();
        self.schedule_news(now);
    }

    /// The follower whose answer has come, if it is one to the leader of this very term.
    pub(crate) fn answering(
        &mut self,
        server: usize,
        request_term: u64,
        reply_term: u64,
    ) -> Option<&mut Follower> {
        self.adopt_higher_term(reply_term);
        if request_term != self.current_term || reply_term != self.current_term {
            return None;
        }
        let Role::Leader { followers } = &mut self.role else { return None };
        let follower = followers.get_mut(&server)?;
        follower.is_awaited = false;
        Some(follower)
    }

    /// Where to go on after a refusal: behind the last entry that has the conflicting term in this
    /// log, too, if there is one; else from the first entry of that term in the follower's log, or
    /// from its end. So one round skips all conflicting entries of a term (section 5.3).
    fn next_index_by(&self, conflict: &Conflict, prev_log_index: u64) -> u64 {
        let common =
            conflict.term.and_then(|term| self.log.last_index_of_term(term, prev_log_index));
        common.map_or(conflict.first_index, |index| index + 1)
    }

    /// Makes sure that no follower has to wait for the next heartbeat to hear news.
    pub(crate) fn schedule_news(&mut self, now: Instant) {
        let (last_index, commit_index) = (self.log.last_index(), self.commit_index);
        if let Role::Leader { followers } = &mut self.role {
            for follower in followers.values_mut() {
                follower.schedule_news(last_index, commit_index, now);
            }
        }
    }
}

/// What a leader knows of one follower.
#[derive(Debug)]
pub(crate) struct Follower {
    /// The next entry to send: those before it are there, or on their way. If they are lost on
    /// their way, the follower refuses the next message, and they are sent again.
    pub(crate) next_index: u64,
    /// The highest entry known to be there. It never falls.
    pub(crate) match_index: u64,
    /// The commit index that it was sent last.
    commit_sent: u64,
    /// It was sent entries and has not answered anything since. It may be cut off, so it gets the
    /// next ones only with the next heartbeat.
    is_awaited: bool,
    /// When it is sent the next message, whatever there is to say then.
    due: Instant,
}

impl Follower {
    /// At the beginning of a term nothing is known of it; the guess is that its log is as long as
    /// the leader's (section 5.3).
    pub(crate) fn new(next_index: u64, now: Instant) -> Follower {
        Follower { next_index, match_index: 0, commit_sent: 0, is_awaited: false, due: now }
    }

    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    fn was_sent(&mut self, request: &Request, now: Instant) {
        self.due = now + HEARTBEAT_INTERVAL;
        match request {
            Request::Append(args) => {
                self.commit_sent = args.leader_commit;
                self.next_index = args.last_new_index() + 1;
                self.is_awaited |= !args.entries.is_empty();
            }
            Request::Install(args) => {
                self.next_index = args.last_included_index + 1;
                self.is_awaited = true;
            }
            Request::Vote(_) => {}
        }
    }

    /// It has everything up to `index`, and maybe more: the answer may be an old one.
    pub(crate) fn has(&mut self, index: u64) {
        self.match_index = self.match_index.max(index);
        self.next_index = self.next_index.max(self.match_index + 1);
    }

    /// It did not have the entry at `prev_log_index`. If it is known to have it by now, the answer
    /// is an old one.
    fn refused(&mut self, prev_log_index: u64, next_index: u64) {
        if prev_log_index > self.match_index {
            self.next_index = self.next_index.min(next_index).max(self.match_index + 1);
        }
    }

    fn schedule_news(&mut self, last_index: u64, commit_index: u64, now: Instant) {
        if self.is_awaited {
            return;
        }
        if self.next_index <= last_index {
            self.due = self.due.min(now);
        } else if self.commit_sent < commit_index {
            self.due = self.due.min(now + COMMIT_NOTICE_DELAY);
        }
    }
}

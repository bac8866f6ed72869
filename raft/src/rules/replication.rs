//! Log replication (section 5.3). Heartbeats (section 5.2) are its empty case.

use std::time::Instant;

use raftapi::Started;

use super::clock::Clock;
use super::log::Entry;
use super::messages::{AppendEntriesArgs, AppendEntriesReply, Conflict, Request};
use super::progress::Progress;
use super::state::{Role, State};

/// The most that one message carries, in bytes of commands; a single larger command is still sent.
const ENTRIES_BYTES_MAX: usize = 1 << 20;

/// The follower's part.
impl State {
    /// The AppendEntries RPC, receiver implementation (Figure 2).
    pub(crate) fn append_entries(
        &mut self,
        args: AppendEntriesArgs,
        clock: &dyn Clock,
    ) -> AppendEntriesReply {
        self.adopt_higher_term(args.term, clock);
        if args.term < self.current_term() {
            return AppendEntriesReply {
                term: self.current_term(),
                success: false,
                conflict: None,
            };
        }
        self.follow_leader(clock);
        let conflict = self.conflict_at(args.prev_log_index, args.prev_log_term);
        if conflict.is_none() {
            // Up to there this log is known to be the leader's; what follows may be another's.
            let commit_index = args.leader_commit.min(args.last_new_index());
            self.persistent.merge(args.prev_log_index, args.entries);
            self.commit_index = self.commit_index.max(commit_index);
        }
        AppendEntriesReply { term: self.current_term(), success: conflict.is_none(), conflict }
    }

    /// Where this log differs from the leader's, if its entry at this index has another term or is
    /// missing.
    fn conflict_at(&self, index: u64, leaders_term: u64) -> Option<Conflict> {
        if index < self.log().last_included_index() {
            // It was committed, so the leader's is the same (section 5.4).
            return None;
        }
        match self.log().term_at(index) {
            Some(term) if term == leaders_term => None,
            Some(term) => {
                let first_index = self.log().first_index_of_term_at(index);
                Some(Conflict { term: Some(term), first_index })
            }
            None => Some(Conflict { term: None, first_index: self.log().last_index() + 1 }),
        }
    }
}

/// The leader's part.
impl State {
    /// Appends a command of the service to the log, if this server is the leader. The command is
    /// saved before any reply or request reveals it.
    pub(crate) fn start(&mut self, command: Vec<u8>, clock: &dyn Clock) -> Option<Started> {
        let now = clock.now();
        if !self.is_leader() {
            return None;
        }
        let term = self.current_term();
        let index = self.persistent.append(Entry { term, command });
        self.advance_commit_index();
        self.schedule_news(now);
        Some(Started { index, term })
    }

    /// The messages that are due: to each follower what it was not sent yet, or a heartbeat.
    pub(super) fn replicate(&mut self, now: Instant) -> Vec<(usize, Request)> {
        let Role::Leader { followers } = &self.role else { return Vec::new() };
        let due = followers.iter().filter(|(_, follower)| follower.due() <= now);
        let requests: Vec<(usize, Request)> = due
            .map(|(server, follower)| (*server, self.request_from(follower.next_index)))
            .collect();
        if let Role::Leader { followers } = &mut self.role {
            for (server, request) in &requests {
                followers
                    .entry(*server)
                    .and_modify(|follower| follower.record_request(request, now));
            }
        }
        requests
    }

    /// The log from `next_index` on: its entries, or the snapshot if the first is forgotten.
    fn request_from(&self, next_index: u64) -> Request {
        let prev_log_index = next_index - 1;
        let Some(prev_log_term) = self.log().term_at(prev_log_index) else {
            return Request::Install(self.install_snapshot_args());
        };
        Request::Append(AppendEntriesArgs {
            term: self.current_term(),
            leader_id: self.me,
            prev_log_index,
            prev_log_term,
            entries: self.log().entries_from(next_index, ENTRIES_BYTES_MAX),
            leader_commit: self.commit_index,
        })
    }

    /// A follower has replied to an AppendEntries. What the reply means depends on the request that
    /// it answers: since then more may have been sent, and other replies may have come.
    pub(crate) fn note_appended(
        &mut self,
        server: usize,
        args: &AppendEntriesArgs,
        reply: &AppendEntriesReply,
        clock: &dyn Clock,
    ) {
        let now = clock.now();
        let Some(follower) = self.accept_reply(server, args.term, reply.term, clock) else {
            return;
        };
        if reply.success {
            follower.record_match(args.last_new_index());
        } else if let Some(conflict) = &reply.conflict {
            self.back_up(server, args.prev_log_index, conflict);
        }
        self.advance_commit_index();
        self.schedule_news(now);
    }

    /// The progress of the follower that has replied, if its reply is to the leader of the current
    /// term.
    pub(super) fn accept_reply(
        &mut self,
        server: usize,
        request_term: u64,
        reply_term: u64,
        clock: &dyn Clock,
    ) -> Option<&mut Progress> {
        self.adopt_higher_term(reply_term, clock);
        if request_term != self.current_term() || reply_term != self.current_term() {
            return None;
        }
        let Role::Leader { followers } = &mut self.role else { return None };
        let follower = followers.get_mut(&server)?;
        follower.resume();
        Some(follower)
    }

    /// A follower has refused the entries after `prev_log_index`: earlier ones are sent next.
    fn back_up(&mut self, server: usize, prev_log_index: u64, conflict: &Conflict) {
        let next_index = self.next_index_by(conflict, prev_log_index);
        if let Role::Leader { followers } = &mut self.role {
            let follower = followers.entry(server);
            follower.and_modify(|follower| follower.record_refusal(prev_log_index, next_index));
        }
    }

    /// Where to continue after a refusal: after this log's last entry of the conflicting term, if
    /// there is one; otherwise at the first entry of that term in the follower's log, or at that
    /// log's end. So one round trip skips all conflicting entries of a term (section 5.3).
    fn next_index_by(&self, conflict: &Conflict, prev_log_index: u64) -> u64 {
        let common =
            conflict.term.and_then(|term| self.log().last_index_of_term(term, prev_log_index));
        common.map_or(conflict.first_index, |index| index + 1)
    }

    /// Brings messages forward, so that no follower waits for the next heartbeat to get news.
    pub(super) fn schedule_news(&mut self, now: Instant) {
        let (last_index, commit_index) = (self.log().last_index(), self.commit_index);
        if let Role::Leader { followers } = &mut self.role {
            for follower in followers.values_mut() {
                follower.schedule_news(last_index, commit_index, now);
            }
        }
    }
}

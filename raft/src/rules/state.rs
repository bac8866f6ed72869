//! The state of one server (Figure 2), and how it changes its role (Figure 4, section 5.1).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use raftapi::{Inspect, Persister};

use super::clock::Clock;
use super::log::Log;
use super::persistent::Persistent;
use super::progress::Progress;

/// Everything a server knows.
pub(crate) struct State {
    /// This server's number.
    pub(super) me: usize,
    /// The number of servers in the cluster.
    pub(super) servers: usize,

    /// The current term, the vote, the log and the snapshot.
    pub(super) persistent: Persistent,

    // Volatile state.
    /// The highest entry known to be committed.
    pub(super) commit_index: u64,
    /// The last entry that was handed to the service, or is on its way there.
    pub(super) last_applied: u64,
    pub(super) role: Role,

    /// When a follower or a candidate stands for election.
    pub(super) election_due: Instant,
}

/// A server's role, and what the server knows only while it has that role.
#[derive(Debug)]
pub(super) enum Role {
    Follower,
    Candidate {
        /// The servers that voted for this one in the current term, itself included.
        votes: BTreeSet<usize>,
    },
    Leader {
        /// The progress of every other server.
        followers: BTreeMap<usize, Progress>,
    },
}

/// The persistent state of Figure 2.
impl State {
    /// The state of a server that starts, maybe after a crash. The service starts from the same
    /// snapshot, so everything up to its end is committed and applied (section 7).
    pub(crate) fn restored_from(
        me: usize,
        servers: usize,
        persister: &Persister,
        clock: &dyn Clock,
    ) -> State {
        let persistent = Persistent::restored_from(persister);
        let last_included_index = persistent.log().last_included_index();
        State {
            me,
            servers,
            persistent,
            commit_index: last_included_index,
            last_applied: last_included_index,
            role: Role::Follower,
            election_due: clock.now() + clock.election_timeout(),
        }
    }

    /// Saves the persistent state if it has changed.
    pub(crate) fn save_to(&mut self, persister: &Persister) {
        self.persistent.save_to(persister);
    }

    pub(crate) fn current_term(&self) -> u64 {
        self.persistent.current_term()
    }

    pub(super) fn voted_for(&self) -> Option<usize> {
        self.persistent.voted_for()
    }

    pub(super) fn log(&self) -> &Log {
        self.persistent.log()
    }
}

/// Roles and terms.
impl State {
    pub(crate) fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// The rule for all servers of Figure 2: a higher term in any request or reply makes this
    /// server a follower of that term, before the message is processed.
    pub(super) fn adopt_higher_term(&mut self, term: u64, clock: &dyn Clock) {
        if term <= self.current_term() {
            return;
        }
        self.persistent.adopt_term(term);
        if self.is_leader() {
            // A leader's election timer expired long ago.
            self.reset_election_timer(clock);
        }
        self.role = Role::Follower;
    }

    /// A message of the current term's leader has come: a candidate of the same term has lost, and
    /// waits a full election timeout before it stands again (section 5.2).
    pub(super) fn follow_leader(&mut self, clock: &dyn Clock) {
        self.role = Role::Follower;
        self.reset_election_timer(clock);
    }

    /// Starts a new term as its candidate, with a vote for itself (section 5.2).
    pub(super) fn become_candidate(&mut self, clock: &dyn Clock) {
        self.persistent.start_term(self.me);
        self.role = Role::Candidate { votes: BTreeSet::from([self.me]) };
        self.reset_election_timer(clock);
    }

    /// Leads the current term; the first heartbeats are due at once (section 5.2).
    pub(super) fn become_leader(&mut self, now: Instant) {
        let next_index = self.log().last_index() + 1;
        let others = (0..self.servers).filter(|server| *server != self.me);
        let followers = others.map(|server| (server, Progress::new(next_index, now)));
        self.role = Role::Leader { followers: followers.collect() };
    }

    /// Counts the election timeout from now, with a new length.
    pub(super) fn reset_election_timer(&mut self, clock: &dyn Clock) {
        self.election_due = clock.now() + clock.election_timeout();
    }

    /// A copy of this state, for the lab to look at.
    pub(crate) fn inspect(&self) -> Inspect {
        Inspect {
            role: match self.role {
                Role::Follower => raftapi::Role::Follower,
                Role::Candidate { .. } => raftapi::Role::Candidate,
                Role::Leader { .. } => raftapi::Role::Leader,
            },
            current_term: self.current_term(),
            voted_for: self.voted_for(),
            log_terms: self.log().terms(),
            commit_index: self.commit_index,
            last_applied: self.last_applied,
            last_included_index: self.log().last_included_index(),
            last_included_term: self.log().last_included_term(),
        }
    }

    pub(super) fn majority(&self) -> usize {
        self.servers / 2 + 1
    }

    /// Panics in a state that only an error in these files can cause, and no message.
    ///
    /// It checks little on purpose. A faulty peer can cause a second leader in a term, or a commit
    /// index beyond the log. That is no reason for this server to panic: the lab's rules report it.
    pub(crate) fn assert_consistent(&self) {
        match &self.role {
            Role::Follower => {}
            Role::Candidate { votes } => {
                assert!(votes.contains(&self.me), "a candidate votes for itself");
            }
            Role::Leader { followers } => {
                let others = (0..self.servers).filter(|server| *server != self.me);
                assert!(followers.keys().copied().eq(others), "a leader serves all others");
            }
        }
    }
}

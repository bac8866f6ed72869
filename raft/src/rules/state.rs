//! The state of one server (Figure 2), and how it changes its role (Figure 4, section 5.1).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use raftapi::Inspect;
use rand::RngExt;

use crate::log::Log;
use crate::persist::Saved;
use crate::replication::Follower;
use crate::senders::Request;

/// Several heartbeats fit into the shortest election timeout, so that a few may be lost; several
/// timeouts fit into the five seconds in which the lab wants a new leader. The spread is what keeps
/// the servers from standing at the same time (section 5.2).
const ELECTION_TIMEOUT_MS: std::ops::RangeInclusive<u64> = 400..=800;

/// Everything a server knows.
pub(crate) struct State {
    /// This server's number.
    pub(crate) me: usize,
    /// The number of servers in the cluster.
    pub(crate) servers: usize,

    // Persistent state. Whatever changes it sets `must_save`.
    /// The latest term this server has seen.
    pub(crate) current_term: u64,
    /// The candidate that got this server's vote in the current term.
    pub(crate) voted_for: Option<usize>,
    pub(crate) log: Log,
    /// What the service had become by the entries that the log has forgotten; empty if it has
    /// forgotten none (section 7).
    pub(crate) snapshot: Vec<u8>,

    // Volatile state.
    /// The highest entry known to be committed.
    pub(crate) commit_index: u64,
    /// The last entry that was handed to the service, or is on its way there.
    pub(crate) last_applied: u64,
    pub(crate) role: Role,

    /// When a follower or a candidate stands for election.
    pub(crate) election_due: Instant,
    /// What was saved last.
    pub(crate) saved: Saved,
    /// The persistent state is not what was saved.
    pub(crate) must_save: bool,
    pub(crate) killed: bool,
}

/// What a server is, with what it needs to know only as long as it is that.
#[derive(Debug)]
pub(crate) enum Role {
    Follower,
    Candidate {
        /// Who has voted for this server in the current term, itself included.
        votes: BTreeSet<usize>,
    },
    Leader {
        /// All other servers.
        followers: BTreeMap<usize, Follower>,
    },
}

impl State {
    /// When [`State::on_deadline`] has something to do; never, for a leader without followers.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.role {
            Role::Leader { followers } => followers.values().map(Follower::due).min(),
            Role::Follower | Role::Candidate { .. } => Some(self.election_due),
        }
    }

    /// What to send now, and to whom.
    pub(crate) fn on_deadline(&mut self, now: Instant) -> Vec<(usize, Request)> {
        if self.is_leader() {
            self.replicate(now)
        } else if now >= self.election_due {
            self.stand_for_election(now)
        } else {
            Vec::new()
        }
    }

    pub(crate) fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// The rule for all servers of Figure 2: a higher term in any request or reply makes this
    /// server a follower of that term, before the message is dealt with.
    pub(crate) fn adopt_higher_term(&mut self, term: u64) {
        if term <= self.current_term {
            return;
        }
        self.current_term = term;
        self.voted_for = None;
        self.must_save = true;
        if self.is_leader() {
            // A leader's election timer has long run out.
            self.reset_election_timer();
        }
        self.role = Role::Follower;
    }

    /// A message of the current term's leader has come: whoever stood against it gives up, and
    /// waits a full election timeout before it stands again (section 5.2).
    pub(crate) fn follow_leader(&mut self) {
        self.role = Role::Follower;
        self.reset_election_timer();
    }

    /// Starts a new term as its candidate, with a vote for itself (section 5.2).
    pub(crate) fn become_candidate(&mut self) {
        self.current_term += 1;
        self.voted_for = Some(self.me);
        self.must_save = true;
        self.role = Role::Candidate { votes: BTreeSet::from([self.me]) };
        self.reset_election_timer();
    }

    /// Leads the current term; the first heartbeats are due at once (section 5.2).
    pub(crate) fn become_leader(&mut self, now: Instant) {
        let next_index = self.log.last_index() + 1;
        let others = (0..self.servers).filter(|server| *server != self.me);
        let followers = others.map(|server| (server, Follower::new(next_index, now)));
        self.role = Role::Leader { followers: followers.collect() };
    }

    /// Counts the election timeout from now, with a new length.
    pub(crate) fn reset_election_timer(&mut self) {
        self.election_due = Instant::now() + election_timeout();
    }

    /// A copy of this state, for the lab to look at.
    pub(crate) fn inspect(&self) -> Inspect {
        Inspect {
            role: match self.role {
                Role::Follower => raftapi::Role::Follower,
                Role::Candidate { .. } => raftapi::Role::Candidate,
                Role::Leader { .. } => raftapi::Role::Leader,
            },
            current_term: self.current_term,
            voted_for: self.voted_for,
            log_terms: self.log.terms(),
            commit_index: self.commit_index,
            last_applied: self.last_applied,
            last_included_index: self.log.last_included_index(),
            last_included_term: self.log.last_included_term(),
        }
    }

    pub(crate) fn majority(&self) -> usize {
        self.servers / 2 + 1
    }
}

pub(crate) fn election_timeout() -> Duration {
    Duration::from_millis(rand::rng().random_range(ELECTION_TIMEOUT_MS))
}

//! The state of one server (Figure 2), and how it changes its role (Figure 4, section 5.1).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rand::RngExt;

use crate::log::Log;

/// A leader sends heartbeats this often; the lab allows ten a second.
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(100);
/// Several heartbeats fit into the shortest election timeout, so that a few may be lost; several
/// timeouts fit into the five seconds in which the lab wants a new leader. The spread is what keeps
/// the servers from standing at the same time (section 5.2).
const ELECTION_TIMEOUT_MS: std::ops::RangeInclusive<u64> = 400..=800;

/// Everything a server knows.
pub(crate) struct State {
    /// The latest term this server has seen. Persistent.
    pub(crate) current_term: u64,
    /// The candidate that got this server's vote in the current term. Persistent.
    pub(crate) voted_for: Option<usize>,
    /// The log. Persistent.
    pub(crate) log: Log,
    pub(crate) role: Role,
    /// When a follower or a candidate stands for election.
    election_due: Instant,
    pub(crate) killed: bool,
}

/// What a server is, with what it needs to know only as long as it is that.
pub(crate) enum Role {
    Follower,
    Candidate {
        /// Who has voted for this server in the current term, itself included.
        votes: BTreeSet<usize>,
    },
    Leader {
        heartbeat_due: Instant,
    },
}

impl State {
    pub(crate) fn follower(current_term: u64, voted_for: Option<usize>, log: Log) -> State {
        let election_due = Instant::now() + election_timeout();
        State { current_term, voted_for, log, role: Role::Follower, election_due, killed: false }
    }

    pub(crate) fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// When the ticker has something to do.
    pub(crate) fn deadline(&self) -> Instant {
        match self.role {
            Role::Leader { heartbeat_due } => heartbeat_due,
            Role::Follower | Role::Candidate { .. } => self.election_due,
        }
    }

    /// Counts the election timeout from now, with a new length.
    pub(crate) fn reset_election_timer(&mut self) {
        self.election_due = Instant::now() + election_timeout();
    }

    /// Follows the rule for all servers of Figure 2: a higher term in any request or reply makes
    /// this server a follower of that term, before the message is dealt with. True if it did, and
    /// then there is something to persist.
    pub(crate) fn adopt_higher_term(&mut self, term: u64) -> bool {
        if term <= self.current_term {
            return false;
        }
        self.current_term = term;
        self.voted_for = None;
        if self.is_leader() {
            // A leader's election timer has long run out.
            self.reset_election_timer();
        }
        self.role = Role::Follower;
        true
    }

    /// Starts a new term as its candidate, with a vote for itself (section 5.2).
    pub(crate) fn become_candidate(&mut self, me: usize) {
        self.current_term += 1;
        self.voted_for = Some(me);
        self.role = Role::Candidate { votes: BTreeSet::from([me]) };
        self.reset_election_timer();
    }

    /// Leads the current term; the first heartbeats are due at once.
    pub(crate) fn become_leader(&mut self) {
        self.role = Role::Leader { heartbeat_due: Instant::now() };
    }
}

fn election_timeout() -> Duration {
    Duration::from_millis(rand::rng().random_range(ELECTION_TIMEOUT_MS))
}

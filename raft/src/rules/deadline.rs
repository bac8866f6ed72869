//! What a server does without being asked: it sends heartbeats, or it stands for election (section
//! 5.2).

use std::time::Instant;

use super::clock::Clock;
use super::messages::Request;
use super::progress::Progress;
use super::state::{Role, State};

impl State {
    /// When [`State::on_deadline`] has something to do; never, for a leader without followers.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.role {
            Role::Leader { followers } => followers.values().map(Progress::due).min(),
            Role::Follower | Role::Candidate { .. } => Some(self.election_due),
        }
    }

    /// What to send now, and to whom.
    pub(crate) fn on_deadline(&mut self, clock: &dyn Clock) -> Vec<(usize, Request)> {
        let now = clock.now();
        if self.is_leader() {
            self.replicate(now)
        } else if now >= self.election_due {
            self.stand_for_election(now, clock)
        } else {
            Vec::new()
        }
    }
}

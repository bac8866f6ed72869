//! What the lab shows of this server beside the state that it judges.

use raftapi::Details;

use super::progress::Progress;
use super::state::{Role, State};

impl State {
    /// The votes of a candidate, the progress of a leader's followers, and the election timer.
    pub(crate) fn details(&self) -> Details {
        let last_index = self.log().last_index();
        match &self.role {
            Role::Follower => {
                Details { election_deadline: Some(self.election_due), ..Details::default() }
            }
            Role::Candidate { votes, .. } => Details {
                votes_received: Some(votes.iter().copied().collect()),
                election_deadline: Some(self.election_due),
                ..Details::default()
            },
            Role::Leader { followers } => {
                let of_each = |of_itself: u64, of_follower: fn(&Progress) -> u64| {
                    let of = |server| followers.get(&server).map_or(of_itself, of_follower);
                    Some((0..self.servers).map(of).collect())
                };
                Details {
                    next_index: of_each(last_index + 1, |follower| follower.next_index),
                    match_index: of_each(last_index, |follower| follower.match_index),
                    ..Details::default()
                }
            }
        }
    }
}

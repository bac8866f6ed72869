//! What a peer shows beside its state, in a recorded run.

use std::time::{Duration, Instant};

use raftapi::Details;
use serde::{Deserialize, Serialize};

use crate::bounds::{self, LIST_MAX};

/// The details of a peer, with times on the clock of its process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownDetails {
    votes_received: Option<Short<usize>>,
    next_index: Option<Short<u64>>,
    match_index: Option<Short<u64>>,
    election_deadline: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Short<T>(#[serde(deserialize_with = "bounds::at_most::<LIST_MAX, _, _>")] Vec<T>);

impl ShownDetails {
    /// Lists that no cluster needs are cut, because a longer one would make the frame malformed.
    pub fn new(details: &Details, time_of: impl FnOnce(Instant) -> Duration) -> ShownDetails {
        ShownDetails {
            votes_received: details.votes_received.as_deref().map(Short::of),
            next_index: details.next_index.as_deref().map(Short::of),
            match_index: details.match_index.as_deref().map(Short::of),
            election_deadline: details.election_deadline.map(time_of),
        }
    }

    /// The details again. A time for which there is no instant is left out.
    pub fn details(self, instant: impl FnOnce(Duration) -> Option<Instant>) -> Details {
        Details {
            votes_received: self.votes_received.map(|list| list.0),
            next_index: self.next_index.map(|list| list.0),
            match_index: self.match_index.map(|list| list.0),
            election_deadline: self.election_deadline.and_then(instant),
        }
    }
}

impl<T: Clone> Short<T> {
    fn of(list: &[T]) -> Short<T> {
        Short(list.iter().take(LIST_MAX).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use labrpc::codec;

    use super::*;

    #[test]
    fn details_are_read_as_they_were_shown_by_another_clock() {
        let (here, there) = (Instant::now(), Instant::now() + Duration::from_secs(5));
        let details = Details {
            votes_received: Some(vec![2, 0]),
            next_index: Some(vec![1, 2, 3]),
            match_index: None,
            election_deadline: Some(here + Duration::from_millis(7)),
        };
        let shown = ShownDetails::new(&details, |at| at - here);
        let read: ShownDetails = codec::decode(&codec::encode(&shown).unwrap()).unwrap();
        let expected =
            Details { election_deadline: Some(there + Duration::from_millis(7)), ..details };
        assert_eq!(read.details(|at| there.checked_add(at)), expected);
    }

    #[test]
    fn long_lists_are_cut_by_the_peer_and_refused_by_the_grader() {
        let details = Details { next_index: Some(vec![1; LIST_MAX + 1]), ..Details::default() };
        let shown = ShownDetails::new(&details, |_| Duration::ZERO);
        assert_eq!(shown.next_index, Some(Short(vec![1; LIST_MAX])));
        let forged = ShownDetails { next_index: Some(Short(vec![1; LIST_MAX + 1])), ..shown };
        assert!(codec::decode::<ShownDetails>(&codec::encode(&forged).unwrap()).is_err());
    }
}

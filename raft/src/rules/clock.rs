//! The time and the random election timeouts, as the rules ask for them.
//!
//! The rules read no clock and draw no random number. They ask this trait, and the caller of a rule
//! gives the answer: a thread of the server, or a test that sets the time by hand.

use std::time::{Duration, Instant};

/// Several heartbeats fit into the shortest election timeout, so that a few may be lost; several
/// timeouts fit into the five seconds in which the lab wants a new leader. The spread is what keeps
/// the servers from standing at the same time (section 5.2).
pub(crate) const ELECTION_TIMEOUT_MS: std::ops::RangeInclusive<u64> = 400..=800;

/// What a rule may ask its caller.
pub(crate) trait Clock {
    /// The current time.
    fn now(&self) -> Instant;

    /// How long to wait for a leader: drawn anew at each call, from [`ELECTION_TIMEOUT_MS`].
    fn election_timeout(&self) -> Duration;
}

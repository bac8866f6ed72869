//! The clock of a peer's process, next to the clock of its driver.

use std::time::{Duration, Instant};

/// The peer's clock showed `began_at` when the driver's showed `began`.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeerClock {
    began: Instant,
    began_at: Duration,
}

impl PeerClock {
    /// The clock of a peer whose process begins now. To be called by the thread of its driver.
    pub(super) fn begin() -> PeerClock {
        PeerClock { began: Instant::now(), began_at: sim::now() }
    }

    /// The time that it shows.
    pub(super) fn now(&self) -> Duration {
        self.began_at + self.began.elapsed()
    }

    /// When it shows `at`, on the driver's clock. None if that is too far away for a clock.
    pub(super) fn instant(&self, at: Duration) -> Option<Instant> {
        self.began.checked_add(at.saturating_sub(self.began_at))
    }
}

//! The limits of a run in real time.

use std::time::Duration;

use config::TEST_LIMIT;

/// The time between the limit of a test, when it should fail by itself, and its forced end.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// The limit of a run in real time. A run that takes longer is ended.
pub const RUN_LIMIT: Duration = TEST_LIMIT.saturating_add(GRACE.saturating_mul(2));

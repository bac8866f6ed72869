//! How long a run may take in real time.

use std::time::Duration;

use config::TEST_LIMIT;

/// A test that hangs is ended this long after it should have failed by itself.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// A run that takes longer, in real time, is ended.
pub const RUN_LIMIT: Duration = TEST_LIMIT.saturating_add(GRACE.saturating_mul(2));

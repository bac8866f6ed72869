//! What a search may use.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::size::Size;

/// What a search may use.
pub struct Bounds<'a> {
    /// It ends after this time, with the smallest run so far.
    pub time: Duration,
    /// It ends when this becomes true, with the smallest run so far.
    pub stop: &'a AtomicBool,
    /// Called after each run with the number of runs and the size of the smallest one.
    pub progress: &'a (dyn Fn(usize, Size) + Sync),
}

//! The part of a simulation that the watchdog sees from outside.

use std::sync::atomic::{AtomicBool, AtomicU64};

/// Steps so far.
pub(crate) static STEPS: AtomicU64 = AtomicU64::new(0);
/// Set while the simulation waits for something outside on purpose. Then it is not stuck.
pub(crate) static IDLE: AtomicBool = AtomicBool::new(false);

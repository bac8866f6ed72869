//! The Raft labs of MIT 6.824, in the edition of 2024: a [table](LABS) of tests.
//!
//! This is the whole test file of an implementation, in a test target with `harness = false`:
//!
//! ```text
//! fn main() {
//!     tests::main(my_raft::make)
//! }
//! ```
//!
//! `LAB_SEEDS=n` runs the seeds 1 to n of each test instead of 3. `LAB_SEED=s` runs only seed s.

mod table;
mod part_a;
mod part_b;
mod part_c;
mod churn;
mod part_d;
mod part_e;
mod clients;
mod draw;

use std::sync::Arc;

use raftapi::{PeerContext, RaftPeer};
use runner::Suite;

pub use table::{LABS, PART_A, PART_B, PART_C, PART_D, PART_E};

/// Runs the labs on an implementation: the whole `main` of a `harness = false` test target. See
/// [`runner::main_with`].
pub fn main(make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static) -> ! {
    main_with(make, &[])
}

/// Runs the labs and suites of your own. Their tests are listed, filtered, run and replayed like
/// those of the labs.
pub fn main_with(
    make: impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static,
    own: &[Suite],
) -> ! {
    runner::main_with(make, &[&[LABS], own].concat())
}

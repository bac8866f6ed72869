//! The Raft labs of MIT 6.824, in the edition of 2024: a [table](LABS) of tests, and the runner
//! that any implementation can be put through.
//!
//! An implementation's whole test file is a `harness = false` test target with
//!
//! ```text
//! fn main() {
//!     tests::main(my_raft::make)
//! }
//! ```
//!
//! Each test of each seed runs in a process of its own ([`Job`]), so that a crash, a hang or a leak
//! in one costs no other its result. `LAB_SEEDS=n` runs the seeds 1 to n of each test instead of 3,
//! and `LAB_SEED=s` that one alone.

mod table;
mod lab;
mod part_a;
mod part_b;
mod part_c;
mod churn;
mod part_d;
mod part_e;
mod clients;
mod draw;
mod runner;
pub mod plain;
pub mod explore;

pub use lab::Lab;
pub use runner::{
    Clock, End, Job, Order, Outcome, RUN_LIMIT, SEEDS_BY_DEFAULT, Simulation, Supervisor,
    TimeLimit, find, main, nearest, run_here,
};
pub use table::{LABS, Part, Test};

//! The conformance suite: what ordinary threaded code may rely on, on both engines.
//!
//! One program, so that its tests also show that runs do not disturb each other: they come from
//! many threads, take turns, and leave threads behind.

mod common;
mod std_sync;
mod std_threads;
mod parking_lot;
mod crossbeam;
mod time;
mod past_std;
mod outcomes;
mod overflow;
mod border;
mod groups;
mod stepped;
mod system;
mod determinism;

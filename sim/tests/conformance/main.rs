//! The conformance suite: the behaviour on which ordinary threaded code can rely, on both engines.
//!
//! It is one program, so its tests also show that runs do not disturb each other: many threads
//! start them, they follow each other, and they leave threads behind.

mod common;
mod std_sync;
mod std_threads;
mod parking_lot;
mod crossbeam;
mod time;
mod past_std;
mod halts;
mod overflow;
mod border;
mod groups;
mod stepped;
mod system;
mod determinism;

//! The conformance suite: what ordinary threaded code may rely on, on both engines.
//!
//! It is one program, so its tests also show that runs do not disturb each other: they are started
//! by many threads, follow each other, and leave threads behind.

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

//! Attacks on the sandbox, one per test. Each ends clearly, in bounded time, and changes nothing.
//!
//! An attack has left no process if the pipe of its output is closed, because any process that
//! remains keeps it open. `grade/tests/copies.rs` attacks from a peer as the grader starts it.

#![cfg(target_os = "linux")]

mod support;
mod layers;
mod peer;
mod build;
mod language;

//! Attacks on the sandbox, one a test: each ends clearly and in bounded time, and changes nothing.
//!
//! What the grader's peers may do beyond that is tried by its own tests. An attack has left nothing
//! running if the pipe that takes its output is closed: any process that remains keeps it open.

#![cfg(target_os = "linux")]

mod support;
mod layers;
mod peer;
mod build;
mod language;

//! Attacks on the sandbox, one a test: each ends clearly and in bounded time, and changes nothing.
//!
//! The sandbox is tried with the grader's own launcher. That nothing is left running is seen from
//! the pipe that takes what an attack prints: it would stay open as long as anybody holds it.

#![cfg(target_os = "linux")]

mod support;
mod layers;
mod peer;
mod build;
mod language;

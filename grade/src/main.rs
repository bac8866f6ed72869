//! `cargo grade`, with the tests of the labs.

use std::process::ExitCode;

fn main() -> ExitCode {
    grade::main_with(&[tests::LABS])
}

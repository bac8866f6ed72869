//! `cargo grade` with the tests of this crate: `cargo run -p own-tests --bin own-grade -- PATH`.

use std::process::ExitCode;

fn main() -> ExitCode {
    grade::main_with(&[tests::LABS, own_tests::SUITE])
}

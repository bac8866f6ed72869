//! `cargo explore [WORDS]`: runs the labs on an instrumented implementation. The simulator can then
//! switch threads at each edge of its control flow, and not only where a thread waits.
//!
//! It runs `cargo test --test labs WORDS` in the current folder, with a target folder of its own.

use std::env;
use std::process::ExitCode;

use runner::explore;

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<u8, String> {
    let mut test = explore::cargo();
    test.args(["test", "--test", "labs"])
        .args(["--config", "build.target-dir='target/explore'"])
        .args(env::args_os().skip(1))
        .env_remove("CARGO_TARGET_DIR");
    let status = explore::instrument(&mut test)?.status();
    let status = status.map_err(|error| format!("failed to run cargo: {error}"))?;
    Ok(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))
}

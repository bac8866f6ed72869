//! `cargo explore [WORDS]`: the labs with the implementation under test instrumented, so that the
//! simulator may switch threads at any edge of its control flow, and not only where it waits.
//!
//! It runs `cargo test --test labs WORDS` in the present folder with `sim-rustc` around the compiler
//! and a target folder of its own, since cargo does not rebuild for a changed wrapper's settings.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The kit's own crates: to switch inside them would find nothing, and cost time.
const NOT_INSTRUMENTED: &str = "-sim,-labrpc,-config,-tests,-labs,-explore";

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
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the kit holds this crate");
    let wrapper = build_wrapper(kit)?;
    let mut test = cargo();
    test.args(["test", "--test", "labs"])
        .args(["--config", "build.target-dir='target/explore'"])
        .args(env::args_os().skip(1))
        .env_remove("CARGO_TARGET_DIR")
        .env("RUSTC_WORKSPACE_WRAPPER", wrapper)
        .env("SIM_EDGES", NOT_INSTRUMENTED);
    let status = test.status().map_err(|error| format!("failed to run cargo: {error}"))?;
    Ok(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))
}

/// The compiler's wrapper, built in a folder of its own: this program's is locked while it runs.
fn build_wrapper(kit: &Path) -> Result<PathBuf, String> {
    let target = kit.join("target/explore-wrapper");
    let status = cargo()
        .args(["build", "--quiet", "--package", "sim", "--bin", "sim-rustc", "--manifest-path"])
        .arg(kit.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status();
    match status {
        Ok(status) if status.success() => Ok(target.join("debug/sim-rustc")),
        Ok(status) => Err(format!("failed to build the compiler's wrapper: {status}")),
        Err(error) => Err(format!("failed to run cargo: {error}")),
    }
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

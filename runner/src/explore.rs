//! Has cargo instrument what is under test, so that the simulator may switch threads at any edge of
//! its control flow, and not only where it waits.
//!
//! `sim`'s wrapper goes around the compiler for the crates of the workspace that cargo builds; the
//! kit's own are left alone there. A run whose program has edges then switches at them by itself.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The kit's own crates: to switch inside them would find nothing, and cost time.
const NOT_INSTRUMENTED: &str = "-sim,-labrpc,-raftapi,-history,-watch,-verdict,-cluster,-config,\
    -runner,-tests,-labs,-explore";

/// Makes a `command` of cargo instrument what it builds. It has to use a target folder of its own,
/// since cargo does not rebuild for a changed wrapper's settings.
///
/// Builds the wrapper, which needs the kit's sources and cargo; the error is a sentence.
pub fn instrument(command: &mut Command) -> Result<&mut Command, String> {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the kit holds this crate");
    let wrapper = build_wrapper(kit)?;
    Ok(command.env("RUSTC_WORKSPACE_WRAPPER", wrapper).env("SIM_EDGES", NOT_INSTRUMENTED))
}

/// Cargo, as it was found by who runs this.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The compiler's wrapper, built in a folder of its own: the caller's is locked while it runs.
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

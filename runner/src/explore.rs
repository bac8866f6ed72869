//! Lets cargo instrument the implementation under test. Then the simulator can switch threads at
//! each edge of its control flow, and not only where a thread waits.
//!
//! `sim`'s wrapper runs the compiler for the crates of the workspace that cargo builds, except the
//! kit's own. A program with edges switches at them without any other setting.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The kit's own crates, which are not instrumented: switches in them would only cost time, and a
/// recorder with edges would change the run that it records.
const NOT_INSTRUMENTED: &[&str] = &[
    "-sim", "-choice", "-labrpc", "-raftapi", "-history", "-watch", "-verdict", "-cluster",
    "-config", "-runfile", "-record", "-report", "-runner", "-tests",
    // The programs of `tests` and `runner`.
    "-labs", "-explore",
];

/// Changes a `command` of cargo so that it instruments what it builds. The command needs a target
/// folder of its own, because cargo does not rebuild if only the settings of a wrapper change.
///
/// Also builds the wrapper, which needs the sources of the kit and cargo. An error is a sentence.
pub fn instrument(command: &mut Command) -> Result<&mut Command, String> {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the kit holds this crate");
    let wrapper = build_wrapper(kit)?;
    Ok(command.env("RUSTC_WORKSPACE_WRAPPER", wrapper).env("SIM_EDGES", NOT_INSTRUMENTED.join(",")))
}

/// The cargo that runs this program, or else the first one in the path.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds the compiler's wrapper, in a folder of its own, because the caller may have locked its
/// target folder. Returns its path.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Crates of the kit that no test program of an implementation contains.
    const ELSEWHERE: [&str; 4] = ["grade", "peer", "sandbox", "seal"];

    #[test]
    fn only_the_implementation_is_instrumented() {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        let own = manifest.lines().filter_map(|line| line.split_once(" = { path = "));
        let instrumented = own
            .map(|(name, _)| name)
            .filter(|name| !NOT_INSTRUMENTED.contains(&&*format!("-{name}")))
            .filter(|name| !ELSEWHERE.contains(name));
        assert_eq!(instrumented.collect::<Vec<_>>(), ["raft"]);
    }
}

//! Preemption at edges: builds an example through `sim-rustc` and runs it.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

/// Builds `check_then_act` with instrumentation and runs it. Returns the lines of its output by
/// their first words.
fn run_instrumented() -> HashMap<String, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("edges");
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet", "--offline"]);
    build.args(["--example", "check_then_act", "--target-dir"]).arg(&target);
    build.env("RUSTC_WORKSPACE_WRAPPER", env!("CARGO_BIN_EXE_sim-rustc"));
    build.env("SIM_EDGES", "check_then_act");
    assert!(build.status().expect("cargo runs").success(), "the example builds");
    let program = target.join("debug/examples/check_then_act");
    let output = Command::new(program).output().expect("the example runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Ends the process after a limit of real time, builds included.
fn limit() {
    // SAFETY: takes only a number of seconds.
    unsafe { libc::alarm(300) };
}

/// The race between two uncontended sections is never found without edges, and is found within
/// fifty seeds with edges. The pure spin loop ends with edges, and is reported without them.
#[test]
fn edges_find_what_cooperative_schedules_cannot() {
    limit();
    let results = run_instrumented();
    assert_eq!(results["instrumented"], "true");
    assert_eq!(results["cooperative"], "never");
    assert!(results["edges"].parse::<u64>().is_ok(), "{results:?}");
    assert_eq!(results["engines"], "agree");
    assert_eq!(results["observer"], "unseen");
    assert_eq!(results["spin_cooperative"], "named");
    assert_eq!(results["spin_edges"], "ends");
}

//! A rustc wrapper that instruments chosen crates, so that the simulation can switch threads at
//! their edges.
//!
//! Use it as `RUSTC_WORKSPACE_WRAPPER`, with a separate target folder, because cargo does not
//! rebuild when an environment variable changes. The variable `SIM_EDGES` names the crates,
//! separated by commas. A `-` in front of a name excludes that crate; if all names have one, all
//! other crates are instrumented. Build scripts, procedural macros and `sim` itself are never
//! instrumented.
//!
//! ```text
//! cargo build --bin sim-rustc
//! cargo run --config 'build.rustc-workspace-wrapper="target/debug/sim-rustc"' \
//!     --config 'build.target-dir="target/explore"' \
//!     --config 'env.SIM_EDGES="check_then_act"' --example check_then_act
//! ```
//!
//! The flags belong to LLVM and are not stable, so they are tried on an empty crate first. If they
//! fail, the crate is compiled without them, and a message says so.

use std::process::{Command, ExitCode, Stdio};

const FLAGS: [&str; 3] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=3",
    "-Cllvm-args=-sanitizer-coverage-trace-pc-guard",
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(rustc) = arguments.next() else {
        eprintln!("usage: sim-rustc RUSTC ARGUMENTS...");
        return ExitCode::from(2);
    };
    let arguments: Vec<String> = arguments.collect();
    let chosen = std::env::var("SIM_EDGES").unwrap_or_default();
    let mut command = Command::new(&rustc);
    command.args(&arguments);
    if let Some(name) = crate_to_instrument(&arguments, &chosen) {
        if flags_work(&rustc) {
            command.args(FLAGS);
        } else {
            eprintln!(
                "sim-rustc: this rustc does not accept the flags; `{name}` is built without edges"
            );
        }
    }
    match command.status() {
        Ok(status) => ExitCode::from(status.code().map_or(101, |code| code as u8)),
        Err(error) => {
            eprintln!("sim-rustc: failed to run {rustc}: {error}");
            ExitCode::from(101)
        }
    }
}

/// The name of the crate that the arguments compile, if it should be instrumented.
fn crate_to_instrument<'a>(arguments: &'a [String], chosen: &str) -> Option<&'a str> {
    let value = |flag: &str| {
        let index = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(index + 1).map(String::as_str)
    };
    let name = value("--crate-name")?;
    let never = name == "sim"
        || name == "___"
        || name.starts_with("build_script_")
        || value("--crate-type") == Some("proc-macro");
    (!never && is_chosen(name, chosen)).then_some(name)
}

fn is_chosen(name: &str, chosen: &str) -> bool {
    let names: Vec<&str> =
        chosen.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let same = |entry: &str| entry.replace('-', "_") == name;
    if names.iter().any(|entry| entry.strip_prefix('-').is_some_and(same)) {
        return false;
    }
    let mut wanted = names.iter().filter(|entry| !entry.starts_with('-')).peekable();
    if wanted.peek().is_none() { !names.is_empty() } else { wanted.any(|entry| same(entry)) }
}

fn flags_work(rustc: &str) -> bool {
    let empty = ["-", "--crate-type=lib", "--crate-name=probe", "--emit=metadata", "-o", "-"];
    let mut command = Command::new(rustc);
    command.args(empty).args(FLAGS);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name chooses a crate, a name with a minus excludes it, and an empty list chooses nothing.
    #[test]
    fn choice_of_crates() {
        let check = |name: &str, chosen: &str, expected: bool| {
            assert_eq!(is_chosen(name, chosen), expected, "{name} of {chosen:?}");
        };
        check("my_raft", "", false);
        check("my_raft", "my-raft, other", true);
        check("labrpc", "my-raft", false);
        check("my_raft", "-labrpc,-config", true);
        check("labrpc", "-labrpc,-config", false);
    }

    /// `sim`, build scripts and macros are never instrumented.
    #[test]
    fn never_instrumented() {
        let name = |arguments: &str| {
            let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
            crate_to_instrument(&arguments, "-x").map(str::to_owned)
        };
        assert_eq!(name("--crate-name raft src/lib.rs"), Some("raft".to_owned()));
        assert_eq!(name("--crate-name sim src/lib.rs"), None);
        assert_eq!(name("--crate-name build_script_build build.rs"), None);
        assert_eq!(name("--crate-name m --crate-type proc-macro"), None);
        assert_eq!(name("-vV"), None);
    }
}

//! The probes find layers that are not in force.

use std::process::{Command, Stdio};

use sandbox::{Ending, Layer};

use crate::support::{attacker, launcher, sandbox};

/// Without a layer, its probe must fail and say what is possible.
#[track_caller]
fn check(layer: &str, expected: &str) {
    let output = Command::new(launcher())
        .args(["--probe", layer])
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert!(!output.status.success(), "{layer} is said to be in force");
    assert_eq!(String::from_utf8_lossy(&output.stderr).trim(), expected);
}

#[test]
fn outside_the_sandbox_every_probe_fails() {
    check("no-new-privileges", "a program can gain privileges");
    check("session", "it has no session of its own");
    check("limits", "memory has no limit");
    check("seccomp", "a socket can be made");
    check("landlock", "any folder can be read");
}

#[test]
fn the_layers_can_be_serialized() {
    let text = serde_json::to_string(sandbox().layers()).expect("plain data");
    let layers: sandbox::Layers = serde_json::from_str(&text).expect("the same plain data");
    assert_eq!(&layers, sandbox().layers());
    assert!(layers.in_force.iter().map(|in_force| in_force.layer).eq(Layer::ALL));
}

#[test]
fn a_launcher_that_fails_says_so_and_starts_nothing() {
    let output = Command::new(launcher())
        .args(["--launch", "{}"])
        .arg(attacker())
        .arg("do nothing")
        .output()
        .expect("the program starts");
    assert_eq!(Ending(output.status).to_string(), "it ended by itself, with exit code 125");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "sandbox: the orders are invalid: missing field `parent` at line 1 column 2\n"
    );
    assert!(output.stdout.is_empty());
}

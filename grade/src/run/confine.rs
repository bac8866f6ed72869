//! Prepares the machine for runs: probes the sandbox, and makes the folder for their files.

use anyhow::{Context, Result};
use sandbox::{Layers, Sandbox};

use crate::exit::UserError;
use crate::isolation::Isolation;
use crate::kit::Kit;
use crate::run::room;
use crate::run::scratch::Scratch;

/// Probes the sandbox and prints to stderr which layers are in force. If it is `required`, a
/// missing layer is an error. None if all servers of a run live in its process, which no sandbox
/// holds.
pub(crate) fn sandbox(isolation: Isolation, required: bool) -> Result<Option<Sandbox>> {
    if isolation == Isolation::Thread {
        return Ok(None);
    }
    let sandbox = Sandbox::probe().context("failed to test the sandbox")?;
    let layers = sandbox.layers();
    if required && !layers.complete() {
        return Err(refusal(layers).into());
    }
    eprintln!("{layers}");
    Ok(Some(sandbox))
}

/// The folder for the files of `jobs` runs at the same time. Fails if the machine has no room for
/// them.
pub(crate) fn scratch(kit: &Kit, jobs: usize) -> Result<Scratch> {
    let folder = kit.target()?.join("runs");
    let scratch = Scratch::below(&folder)
        .with_context(|| format!("failed to make the folder of the runs {}", folder.display()))?;
    room::check(scratch.path(), jobs)?;
    Ok(scratch)
}

fn refusal(layers: &Layers) -> UserError {
    UserError::usage(format!("--require-sandbox needs every layer; {layers}"))
}

/// The names of the layers in force, for programs.
pub(crate) fn names(layers: &Layers) -> Vec<String> {
    layers.in_force.iter().map(|in_force| in_force.layer.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use sandbox::{InForce, Layer, Missing};

    use super::*;

    #[test]
    fn a_missing_layer_is_refused_by_its_name() {
        let layers = Layers {
            in_force: vec![InForce { layer: Layer::Seccomp, detail: String::new() }],
            missing: vec![Missing { layer: Layer::Landlock, why: "the kernel has none".into() }],
            addresses_vary: false,
        };
        assert_eq!(names(&layers), ["seccomp"]);
        insta::assert_snapshot!(refusal(&layers).to_string());
    }
}

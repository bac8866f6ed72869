//! The layers of the sandbox, and which of them are in force.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One mechanism of the sandbox. Each holds by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// A program that it executes cannot gain rights.
    NoNewPrivileges,
    /// A session of its own, without a terminal, that ends with the grader.
    Session,
    /// Limits on processor time, memory, processes, open files and the size of files.
    Limits,
    /// Only the system calls on a list.
    Seccomp,
    /// Only the files on a list.
    Landlock,
    /// An unprivileged user: a new one if the grader is root. Not for a build.
    User,
}

impl Layer {
    /// All of them, in the order in which they are named.
    pub const ALL: [Layer; 6] = [
        Layer::NoNewPrivileges,
        Layer::Session,
        Layer::Limits,
        Layer::Seccomp,
        Layer::Landlock,
        Layer::User,
    ];
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layer::NoNewPrivileges => "no new privileges",
            Layer::Session => "session",
            Layer::Limits => "limits",
            Layer::Seccomp => "seccomp",
            Layer::Landlock => "landlock",
            Layer::User => "user",
        })
    }
}

/// A layer that a probe has found to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The layer.
    pub layer: Layer,
    /// Its details, such as `abi 7`; empty if nothing.
    pub detail: String,
}

/// A layer that does not hold on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The layer.
    pub layer: Layer,
    /// What the probe could do although the layer forbids it, or why the layer cannot be applied.
    pub why: String,
}

/// Which layers are in force on this machine and which are not. Displayed as one line for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layers {
    /// The layers that hold.
    pub in_force: Vec<InForce>,
    /// The layers that do not.
    pub missing: Vec<Missing>,
    /// A program has other addresses in each run. This is no danger, but a program that prints an
    /// address, or depends on one, can behave differently in another run.
    pub addresses_vary: bool,
}

impl Layers {
    /// Whether nothing is missing.
    pub fn complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// Whether the layer is in force.
    pub fn has(&self, layer: Layer) -> bool {
        self.in_force.iter().any(|in_force| in_force.layer == layer)
    }

    #[cfg(any(test, not(target_os = "linux")))]
    pub(crate) fn without(reason: &str) -> Layers {
        let missing = Layer::ALL.map(|layer| Missing { layer, why: reason.to_owned() });
        Layers { in_force: Vec::new(), missing: missing.into(), addresses_vary: true }
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |layer: Layer, detail: &str| match detail {
            "" => layer.to_string(),
            detail => format!("{layer} ({detail})"),
        };
        let in_force: Vec<_> =
            self.in_force.iter().map(|in_force| named(in_force.layer, &in_force.detail)).collect();
        let missing: Vec<_> =
            self.missing.iter().map(|missing| named(missing.layer, &missing.why)).collect();
        if in_force.is_empty() {
            return match self.missing.first() {
                Some(missing) => write!(f, "no sandbox: {}", missing.why),
                None => f.write_str("no sandbox"),
            };
        }
        let in_force = in_force.join(", ");
        match missing.is_empty() {
            true => write!(f, "sandbox: all layers are in force: {in_force}")?,
            false => write!(f, "sandbox: in force: {in_force}; missing: {}", missing.join(", "))?,
        }
        match self.addresses_vary {
            true => f.write_str("; addresses vary from run to run"),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_in_force_and_what_is_not() {
        let mut layers = Layers::default();
        layers.in_force.push(InForce { layer: Layer::Session, detail: String::new() });
        layers.in_force.push(InForce { layer: Layer::Landlock, detail: "abi 7".to_owned() });
        assert_eq!(
            layers.to_string(),
            "sandbox: all layers are in force: session, landlock (abi 7)"
        );
        layers.missing.push(Missing { layer: Layer::User, why: "it can be root again".to_owned() });
        assert_eq!(
            layers.to_string(),
            "sandbox: in force: session, landlock (abi 7); missing: user (it can be root again)"
        );
        assert!(!layers.complete());
        layers.addresses_vary = true;
        assert!(layers.to_string().ends_with("); addresses vary from run to run"));
    }

    #[test]
    fn without_any_layer_it_says_that_there_is_no_sandbox() {
        let layers = Layers::without("only Linux has one");
        assert_eq!(layers.to_string(), "no sandbox: only Linux has one");
    }
}

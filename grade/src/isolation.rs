//! How the servers of a submission are kept apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the servers of a submission live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Peers {
    /// Each in a process of its own.
    Apart,
    /// All in the process of the run: several times faster, and easy to cheat.
    Together,
}

impl Peers {
    /// The crate whose `main` hosts a submission so.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Peers::Apart => "peer",
            Peers::Together => "tests",
        }
    }

    /// The folder of that crate in the kit.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Peers::Apart => "grade/peer",
            Peers::Together => "tests",
        }
    }
}

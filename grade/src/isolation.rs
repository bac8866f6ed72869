//! How the servers of a submission are separated, which decides what program it is compiled to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the servers of a submission live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Peers")]
pub(crate) enum Isolation {
    /// Each in a process of its own.
    #[serde(rename = "apart")]
    Process,
    /// All in the process of the run: several times faster, and easy to cheat.
    #[serde(rename = "together")]
    Thread,
}

impl Isolation {
    /// The crate whose `main` hosts a submission.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Isolation::Process => "peer",
            Isolation::Thread => "tests",
        }
    }

    /// The folder of that crate in the kit.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Isolation::Process => "grade/peer",
            Isolation::Thread => "tests",
        }
    }
}

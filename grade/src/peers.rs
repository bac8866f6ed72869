//! Where the servers of a submission live, and the program that plays a run with them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::{env, io};

use sandbox::Sandbox;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::programs::Program;
use crate::remote;

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

/// The program that plays a run.
pub(crate) struct Runner {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) peers: Peers,
    /// The submission's, which is that program or one of its arguments.
    _compiled: Program,
}

impl Runner {
    /// For what a submission was compiled to: to one peer, which lives in the sandbox, or
    /// without one to a run of its own.
    pub(crate) fn new(
        compiled: Program,
        sandbox: Option<&Sandbox>,
        salt: &str,
    ) -> io::Result<Runner> {
        let path = compiled.path.clone();
        let (program, arguments) = match sandbox {
            None => (path, Vec::new()),
            Some(sandbox) => {
                let sandbox = serde_json::to_string(sandbox)?;
                let words = [remote::PEERS.into(), sandbox.into(), path.into(), salt.into()];
                (env::current_exe()?, words.into())
            }
        };
        let peers = if sandbox.is_some() { Peers::Apart } else { Peers::Together };
        Ok(Runner { program, arguments, peers, _compiled: compiled })
    }
}

//! The program that plays a run, for what a submission was compiled to.

use std::ffi::OsString;
use std::path::PathBuf;
use std::{env, io};

use sandbox::Sandbox;

use crate::build::programs::Program;
use crate::isolation::Peers;
use crate::run::remote;

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

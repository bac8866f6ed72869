//! Commands that start a program inside the sandbox.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::layers::Layers;
use crate::limits::Limits;

/// The purpose of a program, which decides its rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A submission's code: no files but its libraries, no processes, no network, no signals to
    /// others. It works in `/`.
    Peer,
    /// A template: the same code, which copies itself for each peer of a run and runs nothing
    /// itself. A copy gives up the right to be copied before it starts, and is then like a `Peer`.
    /// All copies share one user and one limit on tasks.
    Peers,
    /// A compiler that works on a submission: no network, no files except these and the system's
    /// programs and libraries. It keeps the grader's user, who owns the folders.
    Build {
        /// Files and folders to read and execute; those that do not exist are skipped.
        reads: Vec<PathBuf>,
        /// Folders with all rights.
        writes: Vec<PathBuf>,
    },
}

/// The sandbox that this machine supports. It can be serialized, so that all processes of one
/// grading share one probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    launcher: PathBuf,
    layers: Layers,
}

/// The orders for a launcher: its second argument, after [`LAUNCH`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// The process that starts the launcher. The program ends with it.
    pub(crate) parent: u32,
    pub(crate) purpose: Purpose,
    pub(crate) limits: Limits,
    pub(crate) layers: Layers,
}

/// The first argument of a launcher.
pub(crate) const LAUNCH: &str = "--launch";

impl Purpose {
    /// Whether code of a submission runs, and not only a compiler.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_to_run(&self) -> bool {
        matches!(self, Purpose::Peer | Purpose::Peers)
    }
}

impl Sandbox {
    pub(crate) fn with(launcher: &Path, layers: Layers) -> Sandbox {
        Sandbox { launcher: launcher.into(), layers }
    }

    /// The layers that are in force, and those that are not.
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// A command that starts `program`, an absolute path, in the layers that are in force.
    ///
    /// Arguments, descriptors 0 to 2 and, for a build, the current folder can be set as usual.
    /// Other descriptors do not reach the program. Its environment has only what is set on the
    /// command.
    ///
    /// The program and its copies are killed when the thread that starts it ends, because the
    /// kernel takes that for the death of the parent. Start it from a thread that outlives it.
    pub fn command(&self, program: &Path, purpose: &Purpose, limits: &Limits) -> Command {
        if !cfg!(target_os = "linux") {
            let mut command = Command::new(program);
            command.env_clear();
            return command;
        }
        let orders = Orders {
            parent: std::process::id(),
            purpose: purpose.clone(),
            limits: limits.clone(),
            layers: self.layers.clone(),
        };
        let orders = serde_json::to_string(&orders).expect("orders are plain data in Unicode");
        let mut command = Command::new(&self.launcher);
        command.env_clear().arg(LAUNCH).arg(orders).arg(program);
        command
    }
}

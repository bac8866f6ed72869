//! Commands that start a program inside the sandbox.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::layers::Layers;
use crate::limits::Limits;

/// What a program is to do, and so what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A submission's code: no files but its libraries, no processes, no network, no signals to
    /// others. It works in `/`.
    Peer,
    /// The same code, ready to run, that makes a copy of itself for each peer of a run. It does not
    /// begin; a copy does once it has given up the right to be copied, and then is as a `Peer`. The
    /// copies share its user, and the number of tasks that this one may have.
    Peers,
    /// A compiler at work on a submission: no network, no files but these and the system's
    /// programs and libraries. It keeps the grader's user, to whom the folders belong.
    Build {
        /// Files and folders to read and execute; those that do not exist are passed over.
        reads: Vec<PathBuf>,
        /// Folders to do anything in.
        writes: Vec<PathBuf>,
    },
}

/// The sandbox as this machine can give it. It can be written down and read again, so that the
/// processes of one grading run share one probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    launcher: PathBuf,
    layers: Layers,
}

/// What the launcher is told: its second argument, after [`LAUNCH`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Who starts the launcher, and ends with it.
    pub(crate) parent: u32,
    pub(crate) purpose: Purpose,
    pub(crate) limits: Limits,
    pub(crate) layers: Layers,
}

/// The first argument of a launcher.
pub(crate) const LAUNCH: &str = "--launch";

impl Purpose {
    /// Whether code of a submission runs.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_to_run(&self) -> bool {
        matches!(self, Purpose::Peer | Purpose::Peers)
    }
}

impl Sandbox {
    pub(crate) fn with(launcher: &Path, layers: Layers) -> Sandbox {
        Sandbox { launcher: launcher.into(), layers }
    }

    /// What is in force.
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// A command that starts `program`, an absolute path, in the layers that are in force.
    ///
    /// Arguments, descriptors 0 to 2 and, for a build, the folder to work in can be set as usual;
    /// other descriptors do not reach the program. Its environment is empty but for what is set on
    /// the command.
    ///
    /// The program is killed when the thread that starts it ends, copies of it included, since that
    /// is what the kernel takes for a parent's death: start it from a thread that outlives it.
    pub fn command(&self, program: &Path, purpose: &Purpose, limits: &Limits) -> Command {
        if !cfg!(target_os = "linux") {
            let mut command = Command::new(program);
            command.env_clear();
            return command;
        }
        let plan = Plan {
            parent: std::process::id(),
            purpose: purpose.clone(),
            limits: limits.clone(),
            layers: self.layers.clone(),
        };
        let plan = serde_json::to_string(&plan).expect("a plan is plain data in Unicode");
        let mut command = Command::new(&self.launcher);
        command.env_clear().arg(LAUNCH).arg(plan).arg(program);
        command
    }
}

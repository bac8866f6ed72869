//! What one run came to, as the child process leaves it and its parent reads it.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use config::{Failure, Figures};
use serde::{Deserialize, Serialize};

/// What one run of one test came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Nothing, or what went wrong.
    pub verdict: Result<(), Failure>,
    /// The numbers of the closing line, if the test came to its end.
    pub figures: Option<Figures>,
    /// What is no failure but worth telling.
    pub findings: Vec<String>,
    /// What the simulation used; none in real time.
    pub simulation: Option<Simulation>,
    /// What the run printed; its end, if that is much.
    pub output: String,
}

/// What a run in virtual time used. All but the processor time are the same in every run of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulation {
    /// A hash over all steps: two runs that agree on it are the same run.
    pub trace_hash: u64,
    /// Virtual time, to the end of the last thread.
    pub time: Duration,
    /// Calls that the simulation took over.
    pub steps: u64,
    /// Changes from one thread to another.
    pub switches: u64,
    /// Threads alive at once, at most.
    pub threads_peak: usize,
    /// Processor time.
    pub cpu: Duration,
}

impl Outcome {
    /// A run that failed before it could say anything itself.
    pub(crate) fn failed(failure: Failure) -> Outcome {
        Outcome {
            verdict: Err(failure),
            figures: None,
            findings: Vec::new(),
            simulation: None,
            output: String::new(),
        }
    }

    /// Whether the test passed.
    pub fn passed(&self) -> bool {
        self.verdict.is_ok()
    }

    pub(crate) fn write(&self, file: &Path) -> io::Result<()> {
        let bytes = labrpc::codec::encode(self).expect("plain data has an encoding");
        // Whole or not at all: a run may be killed at any moment.
        let unfinished = file.with_extension("part");
        fs::write(&unfinished, bytes)?;
        fs::rename(unfinished, file)
    }

    /// None if the run left nothing behind, or nothing that can be read.
    pub(crate) fn read(file: &Path) -> Option<Outcome> {
        labrpc::codec::decode(&fs::read(file).ok()?).ok()
    }
}

//! What one run came to, as the child process leaves it and its parent reads it.

use std::path::Path;
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
    /// In virtual time, the hash of all its steps: two runs of a seed have the same.
    pub trace_hash: Option<u64>,
    /// What the run printed; its end, if that is much.
    pub output: String,
}

impl Outcome {
    /// A run that failed before it could say anything itself.
    pub(crate) fn failed(failure: Failure) -> Outcome {
        Outcome {
            verdict: Err(failure),
            figures: None,
            findings: Vec::new(),
            trace_hash: None,
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

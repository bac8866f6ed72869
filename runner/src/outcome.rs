//! The result of one run, as the child process writes it and its parent reads it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use config::{FINDINGS_MAX, Failure, Figures, NOTE_BYTES_MAX, NOTES_MAX, SENTENCE_BYTES_MAX};
use serde::{Deserialize, Serialize};

use crate::plain;

/// The limit of all notes of a failure together. If some are left out, the last note says how many.
const NOTES_BYTES_MAX: usize = 8 << 10;
/// The limit of all findings of a run together. If some are left out, the last one says how many.
const FINDINGS_BYTES_MAX: usize = 4 << 10;
/// The limit of the file of an outcome. Texts within their limits need a quarter of it. A larger
/// file is not an outcome.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// The result of one run of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether the run passed, and otherwise the failure.
    pub verdict: Result<(), Failure>,
    /// The numbers of the closing line, if the test reached its end.
    pub figures: Option<Figures>,
    /// The findings: what is worth reporting but is no failure.
    pub findings: Vec<String>,
    /// What the simulation used. None in real time.
    pub simulation: Option<Simulation>,
    /// The output of the run, or the end of a long output.
    pub output: String,
}

/// What a run in virtual time used. Only the CPU time differs between runs of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulation {
    /// A hash over all steps. Runs with equal hashes are the same run.
    pub trace_hash: u64,
    /// Virtual time until the end of the last thread.
    pub time: Duration,
    /// The number of calls that the simulation took over.
    pub steps: u64,
    /// The number of switches from one thread to another.
    pub switches: u64,
    /// The largest number of threads at the same time.
    pub threads_peak: usize,
    /// The CPU time.
    pub cpu: Duration,
}

impl Outcome {
    /// A run that failed before it could report anything itself.
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

    /// The same outcome with every text cut to its limit, because an implementation chooses the
    /// texts of its panics.
    #[must_use]
    pub fn bounded(self) -> Outcome {
        let of_failure = |failure: Failure| Failure {
            sentence: plain::cut(&failure.sentence, SENTENCE_BYTES_MAX),
            look: failure.look.map(|look| plain::cut(&look, NOTE_BYTES_MAX)),
            notes: plain::cut_list(&failure.notes, NOTES_MAX, NOTE_BYTES_MAX, NOTES_BYTES_MAX),
            ..failure
        };
        let findings =
            plain::cut_list(&self.findings, FINDINGS_MAX, NOTE_BYTES_MAX, FINDINGS_BYTES_MAX);
        Outcome { verdict: self.verdict.map_err(of_failure), findings, ..self }
    }

    pub(crate) fn write(self, file: &Path) -> io::Result<()> {
        let bytes = labrpc::codec::encode(&self.bounded()).expect("plain data has an encoding");
        // Renamed only when it is complete, because a run can be killed at any moment.
        let unfinished = file.with_extension("part");
        fs::write(&unfinished, bytes)?;
        fs::rename(unfinished, file)
    }

    /// Reads an outcome. None if there is none or it cannot be decoded.
    pub(crate) fn read(file: &Path) -> Option<Outcome> {
        let mut bytes = Vec::new();
        File::open(file).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        // A larger file is cut in the middle of a value, so it cannot be decoded.
        labrpc::codec::decode::<Outcome>(&bytes).ok().map(Outcome::bounded)
    }
}

#[cfg(test)]
mod tests {
    use config::Class;

    use super::*;

    #[test]
    fn the_file_of_an_outcome_is_small_however_long_its_texts_are() {
        let much = || vec!["\x1b".repeat(1 << 20); 500];
        let failure = Failure::new(Class::Panic, "x".repeat(10 << 20)).with_notes(much());
        let outcome = Outcome { findings: much(), ..Outcome::failed(failure) };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("outcome");
        outcome.write(&file).unwrap();
        assert!(fs::metadata(&file).unwrap().len() < FILE_BYTES_MAX / 4);
        let read = Outcome::read(&file).unwrap();
        let failure = read.verdict.clone().unwrap_err();
        assert!(failure.sentence.ends_with("x... (cut, 10485760 bytes)"), "{}", failure.sentence);
        assert!(failure.notes.last().unwrap().starts_with("... ("), "{:?}", failure.notes);
        assert_eq!(read.clone().bounded(), read);
    }

    #[test]
    fn a_file_that_is_too_large_is_not_an_outcome() {
        let outcome = Outcome {
            output: "x".repeat(FILE_BYTES_MAX as usize),
            ..Outcome::failed(Failure::new(Class::Panic, "no"))
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("outcome");
        outcome.write(&file).unwrap();
        assert_eq!(Outcome::read(&file), None);
    }
}

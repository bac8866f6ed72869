//! `--out DIR`: keeps every finished run in a file, so that a grading can continue after a stop.
//!
//! A run is at `runs/ID/TEST/SEED.json`. The id is a hash of the submission, the kit and the
//! compiler, so runs of anything else are never used. Files are written to the folder `unfinished`
//! first, and then moved. Files that a killed grader left there are removed by the next. A run that
//! has no verdict because of a fault of the kit is not kept, and is made again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use runner::{Outcome, Test, plain};
use serde::{Deserialize, Serialize};

use crate::bounds::RECORD_BYTES_MAX;
use crate::exit::UserError;
use crate::run::finished::{Run, Verdict};

/// The folder of files that are being written.
const UNFINISHED: &str = "unfinished";
const UNPOISONED: &str = "no thread panics while it holds this";

/// The folder of one grading.
pub(crate) struct Store {
    folder: PathBuf,
    /// The number of files written so far, which gives each a name of its own.
    begun: AtomicUsize,
    /// The files that could not be used, and why. Threads find them in any order; they are reported
    /// in the order of their names.
    damaged: Mutex<BTreeMap<PathBuf, String>>,
    /// The first error of writing.
    failure: Mutex<Option<String>>,
}

/// The content of a file. It names its run, so that a file in the wrong place is not used.
#[derive(Serialize, Deserialize)]
struct Record {
    id: String,
    test: String,
    seed: u64,
    outcome: Outcome,
    /// The processor time that is charged to the submission, so that a grading that continues has
    /// the same result.
    cost: Duration,
}

impl Record {
    fn is_of(&self, id: &str, test: &Test, seed: u64) -> bool {
        (&*self.id, &*self.test, self.seed) == (id, &*test.name(), seed)
    }
}

impl Store {
    pub(crate) fn open(folder: &Path) -> Result<Store> {
        if folder.exists() && !folder.is_dir() {
            let sentence = format!("{} is not a folder", folder.display());
            return Err(UserError::usage(sentence).into());
        }
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to make the folder {}", folder.display()))?;
        remove_unfinished(&folder.join(UNFINISHED));
        Ok(Store {
            folder: folder.into(),
            begun: AtomicUsize::new(0),
            damaged: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    /// None if there is no such run, or its file is damaged, which [`close`](Store::close) reports.
    pub(crate) fn load(&self, id: &str, test: &'static Test, seed: u64) -> Option<Run> {
        let file = self.file(id, test, seed);
        let why = match read(&file) {
            Ok(bytes) => match serde_json::from_slice::<Record>(&bytes) {
                Ok(record) if record.is_of(id, test, seed) => {
                    let Record { outcome, cost, .. } = record;
                    return Some(Run { test, seed, outcome: outcome.bounded(), cost });
                }
                Ok(_) => "it belongs to another run".into(),
                Err(error) => error.to_string(),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        };
        self.damaged.lock().expect(UNPOISONED).insert(file, why);
        None
    }

    pub(crate) fn save(&self, id: &str, run: &Run) {
        if run.verdict() == Verdict::Infra {
            return;
        }
        let Run { test, seed, ref outcome, cost } = *run;
        let outcome = outcome.clone();
        let record = Record { id: id.into(), test: test.name(), seed, outcome, cost };
        let bytes = serde_json::to_vec(&record).expect("plain data has an encoding");
        self.write(&self.file(id, test, seed), &bytes);
    }

    /// Writes the report next to the runs.
    pub(crate) fn save_report(&self, json: &str) {
        self.write(&self.folder.join("report.json"), json.as_bytes());
    }

    /// Reports damaged files. Fails if something could not be written: the verdicts are right, but
    /// another grading could not continue from here.
    pub(crate) fn close(self) -> Result<()> {
        for (file, why) in self.damaged.into_inner().expect(UNPOISONED) {
            let line = format!("{} was damaged, so its run was repeated: {why}", file.display());
            eprintln!("warning: {}", plain::line(&line));
        }
        match self.failure.into_inner().expect(UNPOISONED) {
            None => Ok(()),
            Some(sentence) => Err(UserError::kit(sentence).into()),
        }
    }

    fn file(&self, id: &str, test: &Test, seed: u64) -> PathBuf {
        let test = test.name().replace(|c: char| !c.is_alphanumeric(), "-");
        self.folder.join("runs").join(id).join(test).join(format!("{seed}.json"))
    }

    fn write(&self, file: &Path, bytes: &[u8]) {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.folder.join(UNFINISHED).join(format!("{}-{number}", process::id()));
        if let Err(error) = write_whole(&unfinished, file, bytes) {
            let mut failure = self.failure.lock().expect(UNPOISONED);
            failure.get_or_insert(format!("failed to write {}: {error}", file.display()));
        }
    }
}

/// Writes the whole file or nothing, even if the grader is killed.
fn write_whole(unfinished: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    for path in [unfinished, file] {
        fs::create_dir_all(path.parent().expect("a file lies in a folder"))?;
    }
    let mut begun = begin(unfinished)?;
    begun.write_all(bytes)?;
    fs::rename(unfinished, file)
}

/// Makes an empty file and locks it, so that it does not look abandoned.
fn begin(unfinished: &Path) -> io::Result<File> {
    use std::os::unix::fs::MetadataExt;
    loop {
        let file = File::create(unfinished)?;
        file.lock()?;
        // Another grader may have removed it before it was locked.
        if file.metadata()?.nlink() > 0 {
            return Ok(file);
        }
    }
}

/// Removes abandoned files. Errors do no harm.
fn remove_unfinished(folder: &Path) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(path);
        }
    }
}

/// A file that is too large is cut within a value, and so counts as damaged.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(RECORD_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use ::tests::LABS;
    use config::{Class, Failure};

    use super::*;
    use crate::bounds::OUTPUT_BYTES_MAX;
    use crate::run::finished::tests::run;

    /// The largest run possible: every character takes two bytes as JSON.
    #[test]
    fn every_run_that_is_kept_can_be_read_again() {
        let much = || vec!["\"".repeat(1 << 20); 500];
        let failure = Failure::new(Class::Panic, "\"".repeat(10 << 20)).with_notes(much());
        let mut run = run(0, 1, Err(failure));
        run.outcome.findings = much();
        run.outcome.output = "\"".repeat(OUTPUT_BYTES_MAX);
        run.outcome = run.outcome.bounded();

        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.save("id", &run);
        let size = fs::metadata(store.file("id", &LABS.tests[0], 1)).unwrap().len();
        assert!((30 << 10..40 << 10).contains(&size), "{size} bytes");
        let read = store.load("id", &LABS.tests[0], 1).unwrap();
        assert_eq!((read.outcome, read.cost), (run.outcome, run.cost));
        store.close().unwrap();
    }

    #[test]
    fn unfinished_files_of_a_killed_grader_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = folder.path().join(UNFINISHED);
        fs::create_dir(&unfinished).unwrap();
        fs::write(unfinished.join("1-0"), "half a r").unwrap();
        let mine = begin(&unfinished.join("2-0")).unwrap();
        Store::open(folder.path()).unwrap().close().unwrap();
        let left = unfinished.read_dir().unwrap().map(|it| it.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), ["2-0"]);
        drop(mine);
    }
}

//! The command line of a run's process: what a job passes to its child.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::settings::Clock;
use crate::table::Table;
use crate::test::Test;
use crate::variation::Variation;

/// The first argument of a child process.
const RUN: &str = "--lab-run";
const WATCHED: &str = "watched";
const UNWATCHED: &str = "unwatched";

/// Stands for a file that is not wanted.
const NONE: &str = "-";

/// What a child process has to do:
/// `--lab-run TEST SEED CLOCK WATCHED PARENT FILE [RECORD [VARIATION]]`.
pub struct JobArguments {
    pub(crate) test: &'static Test,
    pub(crate) seed: u64,
    pub(crate) clock: Clock,
    /// Whether the rules of Raft are checked.
    pub(crate) invariants: bool,
    /// The number of the process that waits for this one.
    pub(crate) parent: u32,
    /// The file for the outcome.
    pub(crate) file: PathBuf,
    /// The run file to write; none if the run is not recorded.
    pub(crate) record: Option<PathBuf>,
    /// How the run differs from the plain run of its seed.
    pub(crate) variation: Option<Variation>,
}

impl JobArguments {
    /// Reads the arguments at the end of a command line, as a [`Job`](crate::Job) writes them. None
    /// for other arguments, or if the table has no such test.
    pub fn from_words(
        table: &Table,
        words: impl IntoIterator<Item = OsString>,
    ) -> Option<JobArguments> {
        let mut words = words.into_iter();
        if words.next()? != RUN {
            return None;
        }
        let test = table.test(words.next()?.to_str()?)?;
        let seed = words.next()?.to_str()?.parse().ok()?;
        let clock = words.next()?.to_str()?.parse().ok()?;
        let invariants = words.next()? == WATCHED;
        let parent = words.next()?.to_str()?.parse().ok()?;
        let file = words.next()?.into();
        let record = words.next().filter(|word| word != NONE).map(PathBuf::from);
        let variation = match words.next() {
            Some(word) => Some(Variation::from_word(word.to_str()?)?),
            None => None,
        };
        Some(JobArguments { test, seed, clock, invariants, parent, file, record, variation })
    }

    /// The arguments as words of a command line.
    pub(crate) fn to_words(&self) -> Vec<OsString> {
        let mut words = vec![
            RUN.into(),
            self.test.name().into(),
            self.seed.to_string().into(),
            self.clock.to_string().into(),
            if self.invariants { WATCHED } else { UNWATCHED }.into(),
            self.parent.to_string().into(),
            self.file.clone().into(),
        ];
        let record = self.record.as_ref().map_or_else(|| NONE.into(), |file| file.clone().into());
        words.push(record);
        words.extend(self.variation.as_ref().map(|variation| variation.to_word().into()));
        words
    }

    /// The test that is run.
    pub fn test(&self) -> &'static Test {
        self.test
    }

    /// Whether anything needs what messages say: a recording, or the names of choices.
    pub fn wants_values(&self) -> bool {
        let names_choices =
            |variation: &Variation| variation.plan.is_some() || variation.listing.is_some();
        self.record.is_some() || self.variation.as_ref().is_some_and(names_choices)
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::tests::SUITE;

    #[test]
    fn arguments_are_read_as_they_are_written() {
        let table = Table::new(&[SUITE]).unwrap();
        let clock = Clock::Virtual(sim::Engine::Kernel);
        let turn = Some((std::time::Duration::from_millis(1500), 7));
        let variation =
            Variation { listing: Some("a folder/list".into()), turn, ..Variation::default() };
        for (invariants, record, variation) in [
            (true, None, None),
            (false, Some("a folder/run".into()), None),
            (true, None, Some(variation)),
        ] {
            let test = table.tests()[1];
            let file = PathBuf::from("a folder/outcome");
            let (seed, parent) = (77, 12);
            let written =
                JobArguments { test, seed, clock, invariants, parent, file, record, variation };
            let read = JobArguments::from_words(&table, written.to_words()).unwrap();
            assert_eq!((&read.record, &read.variation), (&written.record, &written.variation));
            assert_eq!(read.to_words(), written.to_words());
            assert_eq!(read.test().name(), "3A re-election");
        }
    }

    #[test]
    fn other_words_and_unknown_tests_are_no_arguments() {
        let table = Table::new(&[SUITE]).unwrap();
        let read = |line: &str| {
            JobArguments::from_words(&table, line.split(',').map(OsString::from)).is_some()
        };
        assert!(read("--lab-run,3A re-election,1,fiber,watched,12,outcome"));
        assert!(!read("--lab-run,9A re-election,1,fiber,watched,12,outcome"));
        assert!(!read("--lab-run,3A re-election,1,fiber,watched,12"));
        assert!(!read("--list,3A re-election,1,fiber,watched,12,outcome"));
        assert!(!read(""));
    }
}

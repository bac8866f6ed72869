//! The replay file of a reduced run: the choices that a failure needs.
//!
//! It is JSON. People can read it, and take out or add a choice by hand.

use std::fs;
use std::ops::Range;
use std::path::Path;

use choice::Choice;
use serde::{Deserialize, Serialize};

use crate::target::Target;

/// The version of the format.
pub const PLAN_VERSION: u32 = 1;

/// The choices that a failure needs. A run by this plan makes no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub plan: u32,
    /// The name of the test.
    pub test: String,
    /// The seed of the test and of the network.
    pub seed: u64,
    /// The seed of the random numbers of the code under test, and of the decisions of the schedule.
    pub code_seed: u64,
    /// How the run fails.
    pub fails: Target,
    /// The decisions of the schedule that are drawn, by number. In all others the running thread
    /// runs on.
    pub decisions: Vec<Range<u64>>,
    /// What happens.
    pub choices: Vec<Choice>,
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// One sentence, if the file cannot be read or is not a plan.
    pub fn read(file: &Path) -> Result<Plan, String> {
        let name = file.display();
        let text = fs::read_to_string(file).map_err(|e| format!("failed to read {name}: {e}"))?;
        #[derive(Deserialize)]
        struct Version {
            plan: u32,
        }
        let version = serde_json::from_str::<Version>(&text)
            .map_err(|error| format!("{name} is no plan of a run: {error}"))?;
        if version.plan != PLAN_VERSION {
            let found = version.plan;
            return Err(format!("{name} is a plan of version {found}; expected {PLAN_VERSION}"));
        }
        serde_json::from_str(&text).map_err(|e| format!("{name} is no plan of a run: {e}"))
    }

    /// Writes the plan, whole or not at all.
    ///
    /// # Errors
    /// One sentence, if it cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("failed to write {}: {error}", file.display());
        let text = serde_json::to_string_pretty(self).expect("plain data has an encoding");
        let unfinished = file.with_extension("part");
        fs::write(&unfinished, text + "\n").map_err(failed)?;
        fs::rename(unfinished, file).map_err(failed)
    }

    /// How many choices it has that differ from a run in which nothing happens. Waits of the test
    /// and servers that take part do not count.
    pub fn size(&self) -> usize {
        use choice::Name;
        let counts = |name: &Name| !matches!(name, Name::Wait { .. } | Name::Server { .. });
        self.choices.iter().filter(|choice| counts(&choice.name)).count()
    }
}

#[cfg(test)]
mod tests {
    use choice::{Name, Value};
    use config::{Class, Failure, Rule};

    use super::*;

    #[test]
    fn a_plan_is_read_as_it_is_written_and_other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.plan");
        let choice = |name| Choice { name, value: Value::Yes };
        let plan = Plan {
            plan: PLAN_VERSION,
            test: "3E swarm of 3".into(),
            seed: 7,
            code_seed: 7,
            fails: Target::of(&Failure::new(Class::Safety, "x").with_rule(Rule::S3)),
            decisions: std::iter::once(3..9).collect(),
            choices: vec![
                choice(Name::Server { server: 0 }),
                choice(Name::Fault { verb: "isolate".into(), servers: vec![1], nth: 2 }),
            ],
        };
        plan.write(&file).unwrap();
        assert_eq!(Plan::read(&file).unwrap(), plan);
        assert_eq!(plan.size(), 1);

        let error = |text: &str| {
            fs::write(&file, text).unwrap();
            Plan::read(&file).unwrap_err().replace(&*file.to_string_lossy(), "FILE")
        };
        assert_eq!(error("{\"plan\": 2}"), "FILE is a plan of version 2; expected 1");
        assert_eq!(
            error("{\"plan\": 1}"),
            "FILE is no plan of a run: missing field `test` at line 1 column 11"
        );
        assert_eq!(
            error("not JSON"),
            "FILE is no plan of a run: expected ident at line 1 column 2"
        );
        fs::remove_file(&file).unwrap();
        let gone = Plan::read(&file).unwrap_err();
        assert!(gone.starts_with("failed to read "), "{gone}");
    }
}

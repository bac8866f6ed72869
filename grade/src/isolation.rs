//! How the servers of a submission are separated, which decides what program it is compiled to.

use runner::Test;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exit::UserError;
use crate::kit::is_of_the_labs;

/// Where the servers of a submission run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Peers")]
pub(crate) enum Isolation {
    /// Each in its own process.
    #[serde(rename = "apart")]
    Process,
    /// All in the process of the run: an eighth of the CPU time, but easy to cheat.
    #[serde(rename = "together")]
    Thread,
}

impl Isolation {
    /// Refuses tests that a submission's program cannot run: in the process of the run it is
    /// compiled with the tests of the labs, and with no others.
    pub(crate) fn check(self, tests: &[&Test]) -> Result<(), UserError> {
        match tests.iter().find(|test| self == Isolation::Thread && !is_of_the_labs(test)) {
            None => Ok(()),
            Some(test) => {
                let name = test.name();
                let sentence =
                    format!("--in-process runs only the tests of the labs, not {name:?}");
                Err(UserError::usage(sentence))
            }
        }
    }

    /// The crate whose `main` hosts a submission.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Isolation::Process => "peer",
            Isolation::Thread => "tests",
        }
    }

    /// The folder of that crate in the kit.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Isolation::Process => "grade/peer",
            Isolation::Thread => "tests",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_of_another_suite_needs_processes() {
        let lab = &::tests::LABS.tests[0];
        let own = Test { words: "my own test", ..*lab };
        assert!(Isolation::Thread.check(&[lab]).is_ok());
        assert!(Isolation::Process.check(&[lab, &own]).is_ok());
        assert_eq!(
            Isolation::Thread.check(&[lab, &own]).unwrap_err().to_string(),
            "--in-process runs only the tests of the labs, not \"3A my own test\""
        );
    }
}

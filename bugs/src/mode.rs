//! The ways in which the labs run on a mutant, each a column of the matrix.

use std::fmt;
use std::str::FromStr;

/// How the labs were run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// With what `inspect` reports.
    Inspect,
    /// Without it.
    BlackBox,
    /// With thread switches at the edges of the mutant's own code.
    Edges,
    /// With what `inspect` reports, and each server in a process of its own, as in a grading.
    Graded,
    /// Only the tests that the original has too, without checks of Raft's rules.
    SuiteOnly,
}

impl Mode {
    pub(crate) const ALL: [Mode; 5] =
        [Mode::Inspect, Mode::BlackBox, Mode::Edges, Mode::Graded, Mode::SuiteOnly];
    /// The modes in which the suite tries to kill.
    pub(crate) const KILLING: [Mode; 4] =
        [Mode::Inspect, Mode::BlackBox, Mode::Edges, Mode::Graded];
}

impl FromStr for Mode {
    type Err = String;

    /// Reads the column of a `survives` in the head of a patch.
    fn from_str(text: &str) -> Result<Mode, String> {
        match text {
            "inspect" => Ok(Mode::Inspect),
            "black-box" => Ok(Mode::BlackBox),
            "edges" => Ok(Mode::Edges),
            "graded" => Ok(Mode::Graded),
            _ => Err(format!(
                "has an unknown column, {text:?}; use inspect, black-box, edges or graded"
            )),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Mode::Inspect => "with `inspect`",
            Mode::BlackBox => "as a black box",
            Mode::Edges => "with edges",
            Mode::Graded => "as graded",
            Mode::SuiteOnly => "original suite only",
        })
    }
}

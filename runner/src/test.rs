//! A test and the part of the lab that it belongs to.

use std::fmt;
use std::str::FromStr;

use crate::lab::Lab;

/// A part of the lab, handed in and graded as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Leader election and heartbeats.
    A,
    /// The log.
    B,
    /// Persistence.
    C,
    /// Snapshots.
    D,
    /// The adversary: what the original does not try. Its points are apart from the others.
    E,
}

impl Part {
    /// Every part, in order.
    pub const ALL: [Part; 5] = [Part::A, Part::B, Part::C, Part::D, Part::E];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Part::A => "3A",
            Part::B => "3B",
            Part::C => "3C",
            Part::D => "3D",
            Part::E => "3E",
        })
    }
}

impl FromStr for Part {
    type Err = String;

    /// `3A`, in either case.
    fn from_str(text: &str) -> Result<Part, String> {
        let known = Part::ALL.into_iter().find(|part| part.to_string().eq_ignore_ascii_case(text));
        known.ok_or_else(|| {
            let names: Vec<String> = Part::ALL.iter().map(Part::to_string).collect();
            format!("there is no part {text:?}; the parts are {}", names.join(", "))
        })
    }
}

/// One test of the labs.
pub struct Test {
    /// The part it belongs to.
    pub part: Part,
    /// What it is called after its part.
    pub words: &'static str,
    /// What it is worth; the points are this kit's, the original publishes none.
    pub points: u32,
    /// Its name in 6.5840 of 2024; none for a test that only this kit has.
    pub original: Option<&'static str>,
    /// Its purpose in one sentence.
    pub purpose: &'static str,
    /// Runs it.
    pub run: fn(&Lab),
}

impl Test {
    /// The name by which it is listed, such as `3A initial election`.
    pub fn name(&self) -> String {
        format!("{} {}", self.part, self.words)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const TEST: Test = Test {
        part: Part::A,
        words: "initial election",
        points: 4,
        original: Some("TestInitialElection3A"),
        purpose: "A leader is elected, and stays while nothing fails.",
        run: |_| {},
    };

    /// A table for tests of the runner.
    pub(crate) static TESTS: &[Test] = &[
        TEST,
        Test {
            words: "re-election",
            purpose: "A leader that is cut off is replaced, its return changes nothing, and \
                      without a majority nobody leads.",
            ..TEST
        },
        Test { words: "many elections", ..TEST },
        Test { part: Part::C, words: "persist 1", ..TEST },
        Test { part: Part::C, words: "persist 2", ..TEST },
        Test { part: Part::C, words: "persist 3", ..TEST },
    ];

    #[test]
    fn a_part_is_read_in_either_case_and_an_unknown_one_names_the_known() {
        assert_eq!("3a".parse(), Ok(Part::A));
        let error = "3Z".parse::<Part>().unwrap_err();
        assert_eq!(error, "there is no part \"3Z\"; the parts are 3A, 3B, 3C, 3D, 3E");
    }
}

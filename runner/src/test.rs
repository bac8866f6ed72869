//! A test and the part of the lab that it belongs to.

use std::fmt;

use crate::lab::Lab;

/// A part of a lab, which is handed in and graded as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The name that people use to choose it, such as `3A`. The names of its tests begin with it.
    pub name: &'static str,
    /// Its subject in a few words.
    pub title: &'static str,
    /// The edition of 6.824 that it comes from; none for a part that 6.824 does not have.
    pub edition: Option<&'static str>,
    /// Whether its points count towards those of the lab. If not, they are extra points with a sum
    /// of their own.
    pub counts: bool,
}

/// One test.
pub struct Test {
    /// The part it belongs to.
    pub part: Part,
    /// Its name without the part.
    pub words: &'static str,
    /// Its points. They are this kit's own; the original publishes none.
    pub points: u32,
    /// Its name in 6.5840 of 2024; none for a test that the original does not have.
    pub original: Option<&'static str>,
    /// Its purpose in one sentence.
    pub purpose: &'static str,
    /// Runs it. It passes if this returns and nothing was reported to the referee.
    pub run: fn(&Lab),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl Test {
    /// Its full name, such as `3A initial election`.
    pub fn name(&self) -> String {
        format!("{} {}", self.part, self.words)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::table::Suite;

    pub(crate) const PART_A: Part =
        Part { name: "3A", title: "Leader election", edition: Some("2024"), counts: true };
    const PART_C: Part = Part { name: "3C", title: "Persistence", ..PART_A };

    pub(crate) const TEST: Test = Test {
        part: PART_A,
        words: "initial election",
        points: 4,
        original: Some("TestInitialElection3A"),
        purpose: "A leader is elected, and stays leader while nothing fails.",
        run: |_| {},
    };

    /// A suite for tests of the runner.
    pub(crate) const SUITE: Suite = Suite {
        name: "lab",
        parts: &[PART_A, PART_C],
        tests: &[
            TEST,
            Test {
                words: "re-election",
                purpose: "A disconnected leader is replaced; its return changes nothing; without a \
                          majority no server leads.",
                ..TEST
            },
            Test { words: "many elections", ..TEST },
            Test { part: PART_C, words: "persist 1", ..TEST },
            Test { part: PART_C, words: "persist 2", ..TEST },
            Test { part: PART_C, words: "persist 3", ..TEST },
        ],
    };
}

//! The tests that a program can run: those of a lab, and possibly some of its own.

use std::collections::BTreeMap;

use crate::filter;
use crate::test::{Part, Test};

/// Tests and the parts that they belong to: a lab, or the additions of a course to a lab.
#[derive(Clone, Copy)]
pub struct Suite {
    /// Its name in the error when two suites do not fit together.
    pub name: &'static str,
    /// Its parts, in order. A suite can use a part of another suite without listing it.
    pub parts: &'static [Part],
    /// Its tests, in the order in which they are listed.
    pub tests: &'static [Test],
}

/// Several suites together. No two tests have the same name, and each test belongs to a known part.
pub struct Table {
    parts: Vec<Part>,
    tests: Vec<&'static Test>,
}

/// Why suites cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Two tests have the same name. Case and separators in a name do not count.
    #[error("two tests are named {name:?}: one in the suite {first:?}, one in {second:?}")]
    SameTest {
        /// The name of the second test.
        name: String,
        /// The suite of the first test.
        first: &'static str,
        /// The suite of the second test.
        second: &'static str,
    },
    /// Two suites have different parts with the same name.
    #[error("the suites {first:?} and {second:?} have different parts named {name:?}")]
    SamePart {
        /// The name of the part.
        name: &'static str,
        /// The first suite with this name.
        first: &'static str,
        /// The second suite with this name.
        second: &'static str,
    },
    /// No suite lists the part of a test.
    #[error("the test {test:?} of the suite {suite:?} is in a part that no suite has")]
    UnknownPart {
        /// The name of the test.
        test: String,
        /// Its suite.
        suite: &'static str,
    },
}

impl Table {
    /// Puts suites together: their parts and their tests, in this order.
    ///
    /// # Errors
    /// If two tests or two parts have the same name, or a test is in a part that no suite lists.
    pub fn new(suites: &[Suite]) -> Result<Table, TableError> {
        let parts = parts(suites)?;
        let mut suite_of = BTreeMap::new();
        for Suite { name: suite, tests, .. } in suites {
            for test in *tests {
                if !parts.contains(&test.part) {
                    return Err(TableError::UnknownPart { test: test.name(), suite });
                }
                if let Some(first) = suite_of.insert(filter::normal(&test.name()), *suite) {
                    let name = test.name();
                    return Err(TableError::SameTest { name, first, second: suite });
                }
            }
        }
        let tests = suites.iter().flat_map(|suite| suite.tests).collect();
        Ok(Table { parts, tests })
    }

    /// Every test, in order.
    pub fn tests(&self) -> &[&'static Test] {
        &self.tests
    }

    /// Every part, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The test with exactly this name.
    pub fn test(&self, name: &str) -> Option<&'static Test> {
        self.tests.iter().copied().find(|test| test.name() == name)
    }

    /// The part of this name, in upper or lower case. The error is a sentence with the known parts.
    pub fn part(&self, name: &str) -> Result<Part, String> {
        let known = self.parts.iter().find(|part| part.name.eq_ignore_ascii_case(name));
        known.copied().ok_or_else(|| {
            let names: Vec<&str> = self.parts.iter().map(|part| part.name).collect();
            format!("there is no part {name:?}; the parts are {}", names.join(", "))
        })
    }

    /// The tests of this name, with or without their part. If there is none, all tests whose names
    /// contain `words`. Case does not count, and any sequence of characters other than letters and
    /// digits is one separator.
    pub fn find(&self, words: &str) -> Vec<&'static Test> {
        filter::find(&self.tests, words)
    }

    /// The names that are similar to `words`, best first. Empty if there are none.
    pub fn similar(&self, words: &str) -> Vec<String> {
        filter::similar(&self.tests, words)
    }

    /// The names of all tests, in lines, by part.
    pub fn list(&self) -> String {
        filter::list(&self.parts, &self.tests)
    }

    /// The shortest words that mean only this test: without its part if possible.
    pub fn words_of(&self, test: &Test) -> String {
        match self.find(test.words)[..] {
            [_] => test.words.to_owned(),
            _ => test.name(),
        }
    }
}

fn parts(suites: &[Suite]) -> Result<Vec<Part>, TableError> {
    let mut known: Vec<(Part, &'static str)> = Vec::new();
    for suite in suites {
        for part in suite.parts {
            let same_name = |(other, _): &&(Part, _)| other.name.eq_ignore_ascii_case(part.name);
            match known.iter().find(same_name) {
                None => known.push((*part, suite.name)),
                Some((other, _)) if other == part => {}
                Some((_, first)) => {
                    let (name, second) = (part.name, suite.name);
                    return Err(TableError::SamePart { name, first, second });
                }
            }
        }
    }
    Ok(known.into_iter().map(|(part, _)| part).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::tests::{PART_A, SUITE, TEST};

    const OWN: Suite = Suite { name: "own", parts: &[], tests: &[] };

    #[track_caller]
    fn check_error(suites: &[Suite], expected: &str) {
        let error = Table::new(suites).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn suites_follow_one_another() {
        const WORK: Part = Part { name: "work", ..PART_A };
        const TESTS: &[Test] = &[TEST, Test { part: WORK, ..TEST }];
        let own = Suite { parts: &[WORK, PART_A], tests: &TESTS[1..], ..OWN };
        let table = Table::new(&[SUITE, own]).unwrap();
        let names: Vec<&str> = table.parts().iter().map(|part| part.name).collect();
        assert_eq!(names, ["3A", "3C", "work"]);
        assert_eq!(table.tests().last().unwrap().name(), "work initial election");
        assert_eq!(table.test("work initial election").unwrap().part, WORK);
        // Two tests have these words, so only a whole name means one of them.
        assert_eq!(table.find("initial election").len(), 2);
        assert_eq!(table.words_of(&TESTS[1]), "work initial election");
        assert_eq!(table.words_of(table.tests()[1]), "re-election");
    }

    #[test]
    fn two_tests_of_the_same_name_are_an_error() {
        const TESTS: &[Test] = &[Test { words: "Initial Election", ..TEST }];
        check_error(
            &[SUITE, Suite { tests: TESTS, ..OWN }],
            "two tests are named \"3A Initial Election\": one in the suite \"lab\", one in \"own\"",
        );
    }

    #[test]
    fn two_different_parts_of_the_same_name_are_an_error() {
        const PART: Part = Part { counts: false, ..PART_A };
        check_error(
            &[SUITE, Suite { parts: &[PART], ..OWN }],
            "the suites \"lab\" and \"own\" have different parts named \"3A\"",
        );
    }

    #[test]
    fn a_test_in_a_part_that_no_suite_lists_is_an_error() {
        const TESTS: &[Test] = &[Test { part: Part { name: "4B", ..PART_A }, ..TEST }];
        check_error(
            &[SUITE, Suite { tests: TESTS, ..OWN }],
            "the test \"4B initial election\" of the suite \"own\" is in a part that no suite has",
        );
    }

    #[test]
    fn the_case_of_a_part_does_not_count_and_the_error_lists_the_known_parts() {
        let table = Table::new(&[SUITE]).unwrap();
        assert_eq!(table.part("3a"), Ok(PART_A));
        let error = table.part("3Z").unwrap_err();
        assert_eq!(error, "there is no part \"3Z\"; the parts are 3A, 3C");
    }
}

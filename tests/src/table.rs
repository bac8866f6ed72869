//! The table of tests: names, points, and where each comes from.

use std::fmt;
use std::str::FromStr;

use crate::lab::Lab;
use crate::{part_a, part_e};

/// A part of the lab, handed in and graded as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Leader election and heartbeats.
    A,
    /// The adversary: what the original does not try. Its points are apart from the others.
    E,
}

impl Part {
    /// Every part, in order.
    pub const ALL: [Part; 2] = [Part::A, Part::E];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Part::A => "3A",
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
    /// What it is called behind its part.
    pub words: &'static str,
    /// What it is worth; the points are this kit's, the original publishes none.
    pub points: u32,
    /// Its name in 6.5840 of 2024; none for a test that only this kit has.
    pub original: Option<&'static str>,
    /// What it is after, in a sentence.
    pub purpose: &'static str,
    pub(crate) run: fn(&Lab),
}

impl Test {
    /// The name by which it is listed, such as `3A initial election`.
    pub fn name(&self) -> String {
        format!("{} {}", self.part, self.words)
    }
}

/// Every test, in the original's order.
pub static LABS: &[Test] = &[
    Test {
        part: Part::A,
        words: "initial election",
        points: 4,
        original: Some("TestInitialElection3A"),
        purpose: "A leader is elected, and stays while nothing fails.",
        run: part_a::initial_election,
    },
    Test {
        part: Part::A,
        words: "re-election",
        points: 6,
        original: Some("TestReElection3A"),
        purpose: "A leader that is cut off is replaced, its return changes nothing, and without a \
                  majority nobody leads.",
        run: part_a::re_election,
    },
    Test {
        part: Part::A,
        words: "many elections",
        points: 5,
        original: Some("TestManyElections3A"),
        purpose: "Nine times the leader and two more of seven servers are cut off.",
        run: part_a::many_elections,
    },
    Test {
        part: Part::E,
        words: "deaf leader",
        points: 4,
        original: None,
        purpose: "A leader that hears nothing but answers learns of a newer term from them.",
        run: part_e::deaf_leader,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_part_a_is_worth_fifteen_points() {
        let names: BTreeSet<String> = LABS.iter().map(Test::name).collect();
        assert_eq!(names.len(), LABS.len());
        let points = |part| LABS.iter().filter(|t| t.part == part).map(|t| t.points).sum::<u32>();
        assert_eq!(points(Part::A), 15);
    }

    #[test]
    fn a_part_is_read_in_either_case_and_an_unknown_one_names_the_known() {
        assert_eq!("3a".parse(), Ok(Part::A));
        let error = "3Z".parse::<Part>().unwrap_err();
        assert_eq!(error, "there is no part \"3Z\"; the parts are 3A, 3E");
    }
}

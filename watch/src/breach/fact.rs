//! A fact: an event that is evidence of a violation.

use history::Moment;

/// An event that helps to understand a violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// When it happened.
    pub moment: Moment,
    /// The server where it happened.
    pub server: usize,
    /// What happened, in a phrase such as `voted for server 2 in term 1`.
    pub what: String,
}

impl Fact {
    pub(crate) fn new(moment: Moment, server: usize, what: impl Into<String>) -> Fact {
        Fact { moment, server, what: what.into() }
    }

    /// One fact for each server, with the same phrase, each at its own moment.
    pub(crate) fn of_each(seen: &[(usize, Moment)], what: &str) -> Vec<Fact> {
        seen.iter().map(|(server, at)| Fact::new(*at, *server, what)).collect()
    }
}

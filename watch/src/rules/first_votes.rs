//! The first vote of each server in each term, as it was seen.

use std::collections::BTreeMap;

use history::Moment;

/// By server and term: the first vote that was seen.
pub(crate) type FirstVotes = BTreeMap<(usize, u64), Vote>;

/// A vote that was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vote {
    pub(crate) candidate: usize,
    /// When it was seen first.
    pub(crate) at: Moment,
    /// Whether another server may know of it.
    pub(crate) settled: bool,
    /// When the incarnation that runs last showed it.
    pub(crate) shown: Option<Moment>,
    /// When it was last seen, and when it was seen to have vanished.
    pub(crate) vanished: Option<[Moment; 2]>,
}

//! Labels: to which group a simulated thread belongs.

use std::fmt;

/// A pair of numbers that says to which group a thread belongs. A thread inherits the label of the
/// thread that starts it.
///
/// The numbers have no meaning for the simulation. A test of a cluster would use a server's number
/// as the group, and count the server's restarts as incarnations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// The threads of a group are paused, resumed, slowed and discarded together.
    pub group: u32,
    /// Distinguishes the incarnations of one group.
    pub incarnation: u32,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.group, self.incarnation)
    }
}

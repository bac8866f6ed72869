//! Labels: to which group a simulated thread belongs.

use std::fmt;

/// A pair of numbers that says to whom a thread belongs; a thread inherits it from its parent.
///
/// The simulation gives the numbers no meaning. A test of a cluster would take a server's number
/// as the group, and count its restarts as incarnations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// The threads of a group are paused, resumed, slowed and discarded together.
    pub group: u32,
    /// Tells the incarnations of one group apart.
    pub incarnation: u32,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.group, self.incarnation)
    }
}

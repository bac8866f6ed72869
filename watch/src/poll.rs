//! A poll: a question to all servers. Each answers with its first sample that is asked for later.
//!
//! "Did a majority vote for it?" and "does a majority have it?" cannot be answered from earlier
//! samples, because a peer may have voted or appended since. A sample that is asked for after a
//! claim shows everything that can justify the claim. So a peer counts against the claim if that
//! sample shows that it has *not* voted or appended. A server that is down or does not show its
//! state may have voted or appended, so it never counts.

use history::Moment;

use crate::sample::Sample;

/// A question to all servers.
#[derive(Debug)]
pub(crate) struct Poll {
    since: Moment,
    open: Vec<bool>,
    against: Vec<(usize, Moment)>,
}

impl Poll {
    /// Asks all servers that are alive.
    pub(crate) fn new(since: Moment, alive: &[bool]) -> Poll {
        Poll { since, open: alive.to_vec(), against: Vec::new() }
    }

    /// Whether a sample is the answer of its server.
    pub(crate) fn awaits(&self, now: &Sample) -> bool {
        self.open[now.server] && now.asked > self.since
    }

    /// Reads an answer. True once the servers that said no leave no majority.
    pub(crate) fn answer(&mut self, now: &Sample, yes: bool) -> bool {
        self.open[now.server] = false;
        if !yes {
            self.against.push((now.server, now.at));
        }
        self.is_lost()
    }

    /// Stops waiting for a server, because a crash can have lost its vote or entry.
    pub(crate) fn give_up(&mut self, server: usize) {
        self.open[server] = false;
    }

    /// Whether no majority of the cluster can have said yes.
    fn is_lost(&self) -> bool {
        self.against.len() * 2 >= self.open.len()
    }

    /// Whether all answers have come.
    pub(crate) fn is_over(&self) -> bool {
        !self.open.contains(&true)
    }

    /// The servers that said no, and when.
    pub(crate) fn against(&self) -> &[(usize, Moment)] {
        &self.against
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use raftapi::Inspect;

    use super::*;

    fn sample(server: usize) -> Sample {
        let (at, asked) = (Moment::default(), Moment::default());
        let state = Arc::new(Inspect::default());
        Sample { server, at, asked, quiet: true, handlers: 0, state }
    }

    #[test]
    fn a_poll_is_lost_once_no_majority_can_say_yes() {
        let mut of_four = Poll::new(Moment::default(), &[true; 4]);
        assert!(!of_four.answer(&sample(3), false));
        assert!(!of_four.answer(&sample(1), true));
        assert!(of_four.answer(&sample(0), false), "two of four are no majority");
        let against: Vec<usize> = of_four.against().iter().map(|(server, _)| *server).collect();
        assert_eq!(against, [3, 0]);
        assert!(!of_four.is_over());
        of_four.give_up(2);
        assert!(of_four.is_over());
    }
}

//! The incarnations of all servers of a run, and which of them are dead.
//!
//! The threads of a killed server run on in the process of the test until they notice the kill. In
//! production, and since 2026 in 6.824's own lab, the process of a killed server is gone, and so
//! are its threads. Whatever they do after the kill harms no other server and is no failure. But
//! where servers share a process, such a panic looks like a real one. So a panic after the kill is
//! a finding, [`FindingKind::LatePanic`].
//!
//! A panic before `kill` has returned is a failure: until then the server has work to do, and
//! `kill` itself may be wrong. A server that was crashed at a save is dead from that save on,
//! although `kill` is called later. Its later saves are lost, so a peer that reads its own save
//! back finds a state that no running server can find. Only a panic in `kill` itself is a failure
//! even then.
//!
//! Where servers share threads, it is unknown for which server a thread panicked. If some
//! incarnation is dead, the panic may belong to it, so such a panic is a finding too.
//!
//! Servers in processes of their own have no such threads: SIGKILL ends them.
//!
//! [`FindingKind::LatePanic`]: crate::FindingKind::LatePanic

use std::collections::BTreeSet;
use std::fmt;

/// The method that ends a peer.
pub const KILL: &str = "kill";

/// One incarnation of one server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Life {
    /// The server's number.
    pub server: usize,
    /// Counts the incarnations of all servers and clusters of a run, from 1; 0 if only the server
    /// is known.
    pub number: u32,
}

/// How an incarnation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// It was crashed at a save that the lab chose.
    Crashed,
    /// Its `kill` was called and has not returned.
    UnderWay,
    /// Its `kill` has returned.
    Killed,
}

impl Death {
    /// Whether the end is complete: a panic of its threads from now on is no failure.
    pub fn is_over(self) -> bool {
        self != Death::UnderWay
    }
}

impl fmt::Display for Death {
    /// A phrase that follows a description of what happened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Death::Crashed => "after it crashed at a save",
            Death::UnderWay => "while it was being killed",
            Death::Killed => "after it was killed",
        })
    }
}

/// Every incarnation of a run.
#[derive(Default)]
pub(crate) struct Lives {
    /// By number, from 1.
    all: Vec<Entry>,
    /// The servers that had a panic after a death, which was reported.
    reported: BTreeSet<usize>,
}

struct Entry {
    server: usize,
    death: Option<Death>,
}

impl Lives {
    pub(crate) fn begin(&mut self, server: usize) -> Life {
        self.all.push(Entry { server, death: None });
        let number = u32::try_from(self.all.len()).expect("a run is too short for this many");
        Life { server, number }
    }

    /// Records a death, unless an earlier one is over.
    pub(crate) fn end(&mut self, life: Life, death: Death) {
        if let Some(entry) = self.entry(life)
            && !entry.death.is_some_and(Death::is_over)
        {
            entry.death = Some(death);
        }
    }

    /// How it ends; none while it lives.
    pub(crate) fn death(&mut self, life: Life) -> Option<Death> {
        self.entry(life)?.death
    }

    /// Whether some incarnation is dead.
    pub(crate) fn has_death(&self) -> bool {
        self.all.iter().any(|entry| entry.death.is_some_and(Death::is_over))
    }

    /// Records that a late panic of this server is reported. False if one was reported before:
    /// later incarnations repeat the same panic.
    pub(crate) fn report(&mut self, life: Life) -> bool {
        self.reported.insert(life.server)
    }

    /// In real time an incarnation may be unknown. Then this is the latest one of its server. If
    /// that one is dead, all are. If it lives, it is to blame.
    fn entry(&mut self, life: Life) -> Option<&mut Entry> {
        match life.number.checked_sub(1) {
            Some(place) => self.all.get_mut(place as usize),
            None => self.all.iter_mut().rev().find(|entry| entry.server == life.server),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_death_of_one_incarnation_is_not_that_of_the_next() {
        let mut lives = Lives::default();
        let (first, other) = (lives.begin(1), lives.begin(2));
        for death in [Death::Crashed, Death::UnderWay, Death::Killed] {
            lives.end(first, death);
            assert_eq!(lives.death(first), Some(Death::Crashed));
        }
        let second = lives.begin(1);
        for death in [Death::UnderWay, Death::Killed] {
            lives.end(second, death);
            assert_eq!(lives.death(second), Some(death));
        }
        assert_eq!(lives.death(other), None);
    }

    #[test]
    fn an_unknown_incarnation_is_dead_only_if_all_incarnations_of_its_server_are() {
        let mut lives = Lives::default();
        let unknown = Life { server: 1, number: 0 };
        assert_eq!(lives.death(unknown), None, "it never lived");
        let first = lives.begin(1);
        lives.begin(2);
        lives.end(first, Death::Killed);
        assert_eq!(lives.death(unknown), Some(Death::Killed));
        lives.begin(1);
        assert_eq!(lives.death(unknown), None);
    }

    #[test]
    fn a_server_is_reported_once() {
        let mut lives = Lives::default();
        let lives_begun = [lives.begin(1), lives.begin(1), lives.begin(2)];
        assert_eq!(lives_begun.map(|life| lives.report(life)), [true, false, true]);
    }
}

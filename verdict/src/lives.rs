//! Which incarnation of a server is meant, and which of them are dead.
//!
//! A killed server's threads run on in the process of the test until they notice. Where 6.824 is
//! deployed for real, and since 2026 in its lab, a killed server's process is gone, and so are its
//! threads. What they do after the kill can harm nobody and is no fault, but it may be a bad habit
//! and a trap: the same code in one process with others, as in the lab, shows panics that nobody
//! can tell from real ones. So a panic after the kill is a finding, [`FindingKind::LatePanic`].
//!
//! A panic before `kill` is called or before it has returned stays a failure: until then the server
//! has work to do, if only to stop, and `kill` itself may be at fault. A server that was crashed at
//! a save is dead from that save on, though `kill` comes later: what it saves is lost, so a peer
//! that reads its own save back finds what no running server can find. Only a panic in `kill`
//! itself is a failure even then.
//!
//! Servers that are processes have no such threads: their kill is a SIGKILL.
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
    /// Counted over all servers and clusters of a run, from 1; 0 where only the server is known.
    pub number: u32,
}

/// How a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// At a save, which the lab chose.
    Crashed,
    /// Its `kill` was called and has not returned.
    UnderWay,
    /// Its `kill` has returned.
    Killed,
}

impl Death {
    /// What its threads do from now on is no failure.
    pub fn is_over(self) -> bool {
        self != Death::UnderWay
    }
}

impl fmt::Display for Death {
    /// To follow what happened then.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Death::Crashed => "after it crashed at a save",
            Death::UnderWay => "while it was being killed",
            Death::Killed => "after it was killed",
        })
    }
}

/// Every life of a run.
#[derive(Default)]
pub(crate) struct Lives {
    /// By number, from 1.
    all: Vec<Entry>,
    /// The servers of which a panic after a death was told.
    told: BTreeSet<usize>,
}

struct Entry {
    server: usize,
    death: Option<Death>,
}

impl Lives {
    pub(crate) fn begin(&mut self, server: usize) -> Life {
        self.all.push(Entry { server, death: None });
        let number = u32::try_from(self.all.len()).expect("a run is too short for so many");
        Life { server, number }
    }

    /// The first death that is over counts.
    pub(crate) fn end(&mut self, life: Life, death: Death) {
        if let Some(entry) = self.entry(life)
            && !entry.death.is_some_and(Death::is_over)
        {
            entry.death = Some(death);
        }
    }

    /// How it ends; none before.
    pub(crate) fn death(&mut self, life: Life) -> Option<Death> {
        self.entry(life)?.death
    }

    /// Whether nothing was told of its server before. What one incarnation does the next one does
    /// as well.
    pub(crate) fn tell(&mut self, life: Life) -> bool {
        self.told.insert(life.server)
    }

    /// In real time an incarnation may be unknown. Then the latest of its server is taken: if that
    /// is dead, they all are. If it lives, the doubt is not in favour of the implementation.
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
    fn each_incarnation_has_a_life_and_a_death_of_its_own() {
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
    fn an_unknown_incarnation_is_dead_only_if_all_of_its_server_are() {
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
    fn a_server_is_told_of_once() {
        let mut lives = Lives::default();
        let told = [lives.begin(1), lives.begin(1), lives.begin(2)].map(|life| lives.tell(life));
        assert_eq!(told, [true, false, true]);
    }
}

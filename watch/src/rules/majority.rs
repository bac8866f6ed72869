//! The parts of S11 and S10 about all servers: a committed entry is on a majority, and stays there
//! after every crash (sections 5.3 and 5.4, Figure 2).
//!
//! **S11 is sound**: when a commit index is seen, a majority already has the entry, and none of
//! these servers loses it: later leaders have it (S7) and take nothing back from followers (S13).
//! So if a peer of the same incarnation is inspected afterwards and lacks the entry, it never had
//! it. A peer that crashes in between is not asked any more.
//!
//! **S10 is sound**: the leader that made an entry may lose it in a crash while the others that
//! have it are a majority without the leader (a leader may write to its disk while it replicates).
//! So if a restarted server lacks a committed entry that it had shown, it counts as a server
//! without the entry, and the others are asked. The rule is broken if those that lack the entry
//! leave no majority.

use history::Moment;
use raftapi::Inspect;

use crate::breach::{CommitmentBreach, CrashBreach, Violation};
use crate::poll::Poll;
use crate::sample::Sample;

/// Entries whose holders are still being asked.
#[derive(Debug, Default)]
pub(crate) struct Majority {
    open: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    claim: Claim,
    server: usize,
    /// Index and term.
    entry: (u64, u64),
    at: Moment,
    holders: Poll,
}

/// Why a majority must have an entry.
#[derive(Debug)]
enum Claim {
    /// The server shows it as committed.
    Committed,
    /// The server had shown it as committed, and has lost it in a crash.
    Lost,
}

impl Majority {
    /// Records that a server is the first to show this entry as committed.
    pub(crate) fn committed(&mut self, now: &Sample, index: u64, mut holders: Poll) {
        holders.give_up(now.server);
        let Some(term) = now.state.term_at(index) else { return };
        let (server, at, entry) = (now.server, now.at, (index, term));
        self.open.push(Held { claim: Claim::Committed, server, entry, at, holders });
    }

    /// Records that a server has lost in a crash a committed entry that it had made itself.
    pub(crate) fn lost(
        &mut self,
        now: &Sample,
        entry: (u64, u64),
        mut holders: Poll,
    ) -> Result<(), Violation> {
        let is_lost = holders.answer(now, false);
        let held = Held { claim: Claim::Lost, server: now.server, entry, at: now.at, holders };
        if is_lost {
            return Err(held.violation());
        }
        self.open.push(held);
        Ok(())
    }

    pub(crate) fn see(&mut self, now: &Sample) -> Result<(), Violation> {
        for held in &mut self.open {
            if held.holders.awaits(now) && held.holders.answer(now, has(&now.state, held.entry)) {
                return Err(held.violation());
            }
        }
        self.open.retain(|held| !held.holders.is_over());
        Ok(())
    }

    pub(crate) fn crash(&mut self, server: usize) {
        for held in &mut self.open {
            held.holders.give_up(server);
        }
    }
}

impl Held {
    fn violation(&self) -> Violation {
        let (entry, at, against) = (self.entry, self.at, self.holders.against().to_vec());
        match self.claim {
            Claim::Committed => {
                let breach = CommitmentBreach::NotOnMajority { entry, committed: at, against };
                Violation::of(self.server, breach)
            }
            Claim::Lost => {
                let breach = CrashBreach::LostByMajority { entry, restarted: at, against };
                Violation::of(self.server, breach)
            }
        }
    }
}

fn has(state: &Inspect, (index, term): (u64, u64)) -> bool {
    index < state.last_included_index || state.term_at(index) == Some(term)
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn a_minority_may_lack_a_committed_entry() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads().log(&[1]).commit(1))?;
            scenario.sees(1, |peer| peer.term(1).voted(0))?;
            scenario.sees(2, |peer| peer.term(1).voted(0).log(&[1]))
        });
    }

    #[test]
    fn a_commit_without_a_majority_names_the_servers_that_lack_the_entry() {
        let sentence = "server 0 showed index 1 of term 1 as committed at 0.001 s, but servers 1 \
                        and 2 did not have it, which leaves no majority";
        broke(Rule::S11, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads().log(&[1]).commit(1))?;
            scenario.sees(1, |peer| peer.term(1).voted(0))?;
            scenario.sees(2, |peer| peer.term(1).voted(0))
        });
    }

    #[test]
    fn a_leader_may_lose_its_own_entry_if_a_majority_has_it() {
        let committed = |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads().log(&[1]).commit(1))?;
            scenario.sees(1, |peer| peer.term(1).voted(0).log(&[1]))?;
            scenario.restarts(0, |peer| peer.term(1).voted(0))?;
            scenario.sees(1, |peer| peer.term(1).voted(0).log(&[1]))
        };
        kept(|scenario: &mut Scenario| {
            committed(scenario)?;
            scenario.sees(2, |peer| peer.term(1).voted(0).log(&[1]))
        });
        let sentence = "server 0 restarted at 0.003 s without the entry of index 1 and term 1, \
                        which it had shown as committed, and no majority has it: servers 0 and 2 \
                        did not";
        broke(Rule::S10, sentence, |scenario: &mut Scenario| {
            committed(scenario)?;
            scenario.sees(2, |peer| peer.term(1).voted(0))
        });
    }
}

//! The halves of S11 and S10 that look at all servers: a committed entry is on a majority, and is
//! so after every crash (sections 5.3 and 5.4, Figure 2).
//!
//! **S11 is sound**: when a commit index is seen, a majority has the entry already, and nobody in
//! it loses it: its later leaders have it (S7) and take nothing back from their followers (S13). A
//! peer of the same incarnation that is inspected afterwards and lacks the entry therefore never
//! had it. One that crashes meanwhile is not asked any more.
//!
//! **S10 is sound**: the leader that made an entry may lawfully lose it in a crash as long as the
//! others are a majority without it (a leader may write to its disk while it replicates). So a
//! restarted server that lacks an entry which was committed and which it had shown counts as one
//! that has not got it, and the others are asked. Those that show the loss too leave no majority.

use std::time::Duration;

use crate::failure::Failure;
use crate::invariants::broken;
use crate::invariants::rule::Rule;
use crate::invariants::sighting::{Sighting, seconds};
use crate::invariants::survey::Survey;
use raftapi::Inspect;

/// Entries whose holders are still being asked.
#[derive(Debug, Default)]
pub(crate) struct Majority {
    open: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    rule: Rule,
    server: usize,
    index: u64,
    term: u64,
    at: Duration,
    holders: Survey,
}

impl Majority {
    /// A server shows this entry as committed, for the first time.
    pub(crate) fn committed(&mut self, now: &Sighting, index: u64, mut holders: Survey) {
        holders.give_up(now.server);
        let Some(term) = now.state.term_at(index) else { return };
        self.open.push(Held {
            rule: Rule::S11,
            server: now.server,
            index,
            term,
            at: now.at,
            holders,
        });
    }

    /// A server has lost a committed entry of its own making in a crash.
    pub(crate) fn lost(
        &mut self,
        now: &Sighting,
        (index, term): (u64, u64),
        mut holders: Survey,
    ) -> Result<(), Failure> {
        let is_lost = holders.answer(now.server, false);
        let held = Held { rule: Rule::S10, server: now.server, index, term, at: now.at, holders };
        if is_lost {
            return Err(held.failure());
        }
        self.open.push(held);
        Ok(())
    }

    pub(crate) fn see(&mut self, now: &Sighting) -> Result<(), Failure> {
        for held in &mut self.open {
            if held.holders.awaits(now)
                && held.holders.answer(now.server, has(&now.state, held.index, held.term))
            {
                return Err(held.failure());
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
    fn failure(&self) -> Failure {
        let Held { rule, server, index, term, at, holders } = self;
        let naysayers = holders.naysayers();
        let at = seconds(*at);
        let sentence = match rule {
            Rule::S10 => format!(
                "server {server} restarted at {at} without the entry of index {index} and term \
                 {term}, which it had shown as committed, and no majority has it: {naysayers} did \
                 not"
            ),
            _ => format!(
                "server {server} showed index {index} of term {term} as committed at {at}, but \
                 {naysayers} did not have it, which leaves no majority"
            ),
        };
        broken(*rule, *server, sentence)
    }
}

fn has(state: &Inspect, index: u64, term: u64) -> bool {
    index < state.last_included_index || state.term_at(index) == Some(term)
}

#[cfg(test)]
mod tests {
    use crate::invariants::Rule;
    use crate::invariants::story::{Story, broke, kept};

    #[test]
    fn a_minority_may_lag_behind() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(1).leads().log(&[1]).commit(1))?;
            story.sees(1, |peer| peer.term(1).voted(0))?;
            story.sees(2, |peer| peer.term(1).voted(0).log(&[1]))
        });
    }

    #[test]
    fn a_commit_without_a_majority_names_those_who_lack_the_entry() {
        let sentence = "server 0 showed index 1 of term 1 as committed at 0.001 s, but servers 1 \
                        and 2 did not have it, which leaves no majority";
        broke(Rule::S11, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(1).leads().log(&[1]).commit(1))?;
            story.sees(1, |peer| peer.term(1).voted(0))?;
            story.sees(2, |peer| peer.term(1).voted(0))
        });
    }

    #[test]
    fn a_leader_may_lose_its_own_entry_if_a_majority_has_it() {
        let committed = |story: &mut Story| {
            story.sees(0, |peer| peer.term(1).leads().log(&[1]).commit(1))?;
            story.sees(1, |peer| peer.term(1).voted(0).log(&[1]))?;
            story.restarts(0, |peer| peer.term(1).voted(0))?;
            story.sees(1, |peer| peer.term(1).voted(0).log(&[1]))
        };
        kept(|story: &mut Story| {
            committed(story)?;
            story.sees(2, |peer| peer.term(1).voted(0).log(&[1]))
        });
        let sentence = "server 0 restarted at 0.003 s without the entry of index 1 and term 1, \
                        which it had shown as committed, and no majority has it: servers 0 and 2 \
                        did not";
        broke(Rule::S10, sentence, |story: &mut Story| {
            committed(story)?;
            story.sees(2, |peer| peer.term(1).voted(0))
        });
    }
}

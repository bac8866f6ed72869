//! S7, what is committed is in the log of every later leader (section 5.4), and the part of S11
//! about one leader: it counts replicas only for entries of its own term (5.4.2, Figure 8).
//!
//! **S7 is sound**: if a peer of term `C` shows an entry up to its commit index, that entry was
//! committed in a term of at most `C`. By leader completeness each leader of a term above `C` had
//! it when it was elected, and a leader loses nothing. So the entry is missing there only if the
//! rule is broken, whether the leader was inspected before or after the commitment was seen.
//! Leaders of terms below `C` need not have it. The leader of `C` has it or has not appended it
//! yet, but has no other entry there. Two different entries committed at one index also break the
//! rule.
//!
//! **S11 is sound**: only a leader's own counting moves its commit index while it leads (Figure
//! 2, last rule for leaders), and it moves the index to an entry of its own term. Two inspections
//! of one leadership are compared, so what it knew from the leader before does not count. What
//! another server had already committed does not count either. A commit index after the end of the
//! log means that an entry is committed that the peer does not have.

use std::collections::BTreeMap;

use history::Moment;
use raftapi::Role;

use crate::breach::{CommitmentBreach, Violation};
use crate::sample::{Sample, Transition};

/// All entries that were ever seen committed.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    entries: BTreeMap<u64, Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    term: u64,
    /// It was committed in this term or an earlier one.
    in_term: u64,
    server: usize,
    at: Moment,
}

impl Committed {
    /// The term of the entry that is committed at an index.
    pub(crate) fn term_at(&self, index: u64) -> Option<u64> {
        self.entries.get(&index).map(|entry| entry.term)
    }

    /// Reads what a peer shows as committed. Returns the indices that no peer has shown before.
    /// `others` are the last samples of all peers.
    pub(crate) fn see(
        &mut self,
        seen: &Transition<'_>,
        others: &[Option<Sample>],
    ) -> Result<Vec<u64>, Violation> {
        let state = &seen.now.state;
        let (commit_index, last_index) = (state.commit_index, state.last_index());
        if commit_index > last_index {
            let breach =
                CommitmentBreach::CommitBeyondLog { commit_index, last_index, seen: seen.now.at };
            return Err(Violation::of(seen.now.server, breach));
        }
        self.check_counting(seen)?;
        let new = self.record(seen)?;
        self.check_leader(seen)?;
        for (index, entry) in
            new.iter().filter_map(|index| Some((*index, self.entries.get(index)?)))
        {
            for other in others.iter().flatten() {
                entry.check_in(index, other)?;
            }
        }
        Ok(new)
    }

    fn record(&mut self, seen: &Transition<'_>) -> Result<Vec<u64>, Violation> {
        let Sample { server, at, ref state, .. } = *seen.now;
        let known = seen.before.map_or(0, |before| before.state.commit_index);
        let first = (known + 1).max(state.last_included_index).max(1);
        let mut new = Vec::new();
        for index in first..=state.commit_index {
            let Some(term) = state.term_at(index) else { continue };
            let fresh = Entry { term, in_term: state.current_term, server, at };
            let entry = self.entries.entry(index).or_insert_with(|| {
                new.push(index);
                fresh
            });
            entry.in_term = entry.in_term.min(fresh.in_term);
            if entry.term != term {
                let there = (entry.term, entry.server, entry.at);
                let breach = CommitmentBreach::CommittedTwice { index, here: (term, at), there };
                return Err(Violation::of(server, breach));
            }
        }
        Ok(new)
    }

    /// Checks that a new leader has everything that was committed in earlier terms.
    fn check_leader(&self, seen: &Transition<'_>) -> Result<(), Violation> {
        let is_known = seen.before.is_some_and(|before| {
            before.state.role == Role::Leader
                && before.state.current_term == seen.now.state.current_term
        });
        if seen.now.state.role != Role::Leader || is_known {
            return Ok(());
        }
        for (index, entry) in self.entries.range(seen.now.state.last_included_index.max(1)..) {
            entry.check_in(*index, seen.now)?;
        }
        Ok(())
    }

    fn check_counting(&self, seen: &Transition<'_>) -> Result<(), Violation> {
        let Some(before) = seen.before else { return Ok(()) };
        let (old, new) = (&before.state, &seen.now.state);
        let same_leadership = old.role == Role::Leader
            && new.role == Role::Leader
            && old.current_term == new.current_term;
        if !same_leadership || new.commit_index <= old.commit_index {
            return Ok(());
        }
        let index = new.commit_index;
        match new.term_at(index) {
            Some(old_term)
                if old_term != new.current_term && self.term_at(index) != Some(old_term) =>
            {
                let breach = CommitmentBreach::CountedOldEntry {
                    term: new.current_term,
                    entry: (index, old_term),
                    seen: [before.at, seen.now.at],
                };
                Err(Violation::of(seen.now.server, breach))
            }
            _ => Ok(()),
        }
    }
}

impl Entry {
    fn check_in(&self, index: u64, leader: &Sample) -> Result<(), Violation> {
        let state = &leader.state;
        // The leader of the same term may have been seen before it appended the entry.
        let may_lack = state.current_term == self.in_term && state.term_at(index).is_none();
        if state.role != Role::Leader
            || state.current_term < self.in_term
            || may_lack
            || index < state.last_included_index
            || state.term_at(index) == Some(self.term)
        {
            return Ok(());
        }
        let breach = CommitmentBreach::LeaderLacksEntry {
            term: state.current_term,
            led: leader.at,
            entry: (index, self.term),
            committed: (self.server, self.at),
            by_term: self.in_term,
            instead: state.term_at(index).ok_or_else(|| state.last_index()),
            lost: None,
        };
        Err(Violation::of(leader.server, breach))
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn an_old_leader_may_lack_an_entry_that_a_newer_one_committed() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads().log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(2).leads().log(&[1, 2]))?;
            scenario.sees(1, |peer| peer.term(2).leads().log(&[1, 2]).commit(2))?;
            scenario.sees(0, |peer| peer.term(1).leads().log(&[1, 1, 1]))?;
            scenario.sees(2, |peer| peer.term(3).leads().log(&[1, 2, 3]))
        });
    }

    #[test]
    fn a_later_leader_without_a_committed_entry_is_reported_in_any_order_of_samples() {
        let sentence = "server 2 leads term 3 without the entry of index 2 and term 1, which \
                        server 0 showed as committed at 0.001 s and by term 1: its log ends with \
                        index 1";
        broke(Rule::S7, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads().log(&[1, 1]).commit(2))?;
            scenario.sees(2, |peer| peer.term(3).leads().log(&[1]))
        });
        let sentence = "server 2 leads term 3 without the entry of index 2 and term 1, which \
                        server 0 showed as committed at 0.002 s and by term 1: it has one of term \
                        3 there";
        broke(Rule::S7, sentence, |scenario: &mut Scenario| {
            scenario.sees(2, |peer| peer.term(3).leads().log(&[1, 3]))?;
            scenario.sees(0, |peer| peer.term(1).leads().log(&[1, 1]).commit(2))
        });
    }

    #[test]
    fn a_follower_that_commits_another_entry_than_its_leader_is_reported() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1]))?;
            scenario.sees(1, |peer| peer.term(2).voted(0).log(&[1, 2]).commit(2))
        });
        let sentence = "server 0 leads term 2 without the entry of index 2 and term 1, which \
                        server 1 showed as committed at 0.002 s and by term 2: it has one of term \
                        2 there";
        broke(Rule::S7, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1, 2]))?;
            scenario.sees(1, |peer| peer.term(2).voted(0).log(&[1, 1]).commit(2))
        });
    }

    #[test]
    fn two_entries_committed_at_one_index_are_reported() {
        let sentence = "server 1 shows an entry of term 2 as committed at index 1 at 0.002 s, \
                        server 0 one of term 1 at 0.001 s";
        broke(Rule::S7, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1]).commit(1))?;
            scenario.sees(1, |peer| peer.term(2).log(&[2]).commit(1))
        });
    }

    #[test]
    fn an_older_entry_is_committed_together_with_one_of_the_leaders_term() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1, 2]))?;
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1, 2]).commit(2))
        });
        let sentence = "server 0 led term 2 and committed index 1 of term 1 at 0.002 s, without an \
                        entry of its own term committed after it";
        broke(Rule::S11, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1, 2]))?;
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1, 2]).commit(1))
        });
    }

    #[test]
    fn a_commit_index_after_the_log_is_reported() {
        let sentence = "server 0 has commit index 3 at 0.001 s, but its log ends with index 2";
        broke(Rule::S11, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).log(&[1, 1]).commit(3))
        });
    }
}

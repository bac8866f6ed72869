//! S13, no committed or acknowledged entry is removed (section 5.3), and the part of S14 about the
//! entries after an installed snapshot (section 7).
//!
//! **Sound for committed entries**: the entries that a peer itself showed up to its commit index
//! never change in its log. Only a snapshot replaces them.
//!
//! **Sound for acknowledged entries**: a follower removes an entry only if it conflicts with what
//! the leader sent. Between two inspections of one incarnation in one term it accepted entries only
//! from that term's leader. If the leader was seen with the same entry that is gone, there was no
//! conflict: the follower mistook an older message for the whole log, or removed more than a
//! snapshot covers. A follower that removes a conflicting entry before it has the new one is not
//! affected.

use crate::breach::{LogBreach, MustStay, Violation};
use crate::sample::{Sample, Transition};

/// `leader` is the last sample of the leader of the peer's term, if it was seen to lead.
pub(crate) fn see(seen: &Transition<'_>, leader: Option<&Sample>) -> Result<(), Violation> {
    let Some(before) = seen.before else { return Ok(()) };
    let (old, new) = (&before.state, &seen.now.state);
    let removed = seen.differs_at.unwrap_or(new.last_index() + 1);
    let Some(term) = old.term_at(removed).filter(|_| removed <= old.last_index()) else {
        return Ok(());
    };
    let must_stay = |because| {
        let seen_at = [before.at, seen.now.at];
        let breach = LogBreach::Removed { entry: (removed, term), seen: seen_at, because };
        Err(Violation::of(seen.now.server, breach))
    };
    if removed <= old.commit_index {
        return must_stay(MustStay::Committed(old.commit_index));
    }
    let Some(leader) = leader.filter(|leader| {
        old.current_term == new.current_term
            && leader.state.current_term == new.current_term
            && leader.state.term_at(removed) == Some(term)
    }) else {
        return Ok(());
    };
    if new.last_included_index > old.last_included_index {
        let covers = new.last_included_index;
        return must_stay(MustStay::NotCovered(leader.server, leader.at, covers));
    }
    must_stay(MustStay::SameAsLeader(leader.server, leader.at))
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn uncommitted_entries_are_replaced_by_those_of_the_leader() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(3).leads().log(&[1, 3]))?;
            scenario.sees(1, |peer| peer.term(3).voted(0).log(&[1, 2, 2]).commit(1))?;
            scenario.sees(1, |peer| peer.term(3).voted(0).log(&[1]).commit(1))?;
            scenario.sees(1, |peer| peer.term(3).voted(0).log(&[1, 3]).commit(1))
        });
    }

    #[test]
    fn a_committed_entry_that_is_gone_is_reported() {
        let sentence = "server 1 removed its entry 2 of term 1 between 0.001 s and 0.002 s, \
                        though its commit index was 2";
        broke(Rule::S13, sentence, |scenario: &mut Scenario| {
            scenario.sees(1, |peer| peer.term(1).log(&[1, 1]).commit(2))?;
            scenario.sees(1, |peer| peer.term(2).log(&[1, 2]).commit(2))
        });
    }

    #[test]
    fn a_removed_entry_that_the_leader_has_is_reported() {
        let sentence = "server 1 removed its entry 2 of term 1 between 0.002 s and 0.003 s, \
                        though its leader, server 0, has the same entry";
        broke(Rule::S13, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads().log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(1).voted(0).log(&[1, 1]))?;
            scenario.sees(1, |peer| peer.term(1).voted(0).log(&[1]))
        });
    }

    #[test]
    fn a_removed_entry_after_an_installed_snapshot_is_reported() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads().log(&[1, 1, 1]))?;
            scenario.sees(1, |peer| peer.term(1).voted(0).log(&[1, 1, 1]))?;
            scenario.sees(1, |peer| peer.term(1).voted(0).snapshot(2, 1).log(&[1]).commit(2))
        });
        let sentence = "server 1 removed its entry 3 of term 1 between 0.002 s and 0.003 s, \
                        though its leader, server 0, has the same entry; the snapshot it installed \
                        covers index 2";
        broke(Rule::S14, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(1).leads().log(&[1, 1, 1]))?;
            scenario.sees(1, |peer| peer.term(1).voted(0).log(&[1, 1, 1]))?;
            scenario.sees(1, |peer| peer.term(1).voted(0).snapshot(2, 1).commit(2))
        });
    }
}

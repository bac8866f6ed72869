//! S6, two logs with an entry of the same index and term are the same up to it (section 5.3).
//!
//! **Sound**: the entry of an index and a term was made once, by the only leader of that term, at
//! the end of a log that never changed in that term (S5), and a follower accepts it only after the
//! same log. So the term of the entry before it is the same in every log at every time, even after
//! crashes. By induction over the pairs of neighbours the whole prefix is the same. So each entry
//! is checked once for each log that gets it: the cost grows with the entries, not with the logs.
//!
//! **A deviation that does no harm is a remark**. If a follower installs a snapshot that
//! conflicts with its log, it must discard the log (section 7). Suppose that it keeps the entries
//! after the snapshot. These entries are of terms below the one in which the snapshot's end was
//! committed, because a log with an entry of that term or a later one has the snapshot's end. So no
//! leader that the follower still accepts has such an entry, no AppendEntries matches one, and the
//! first new entry replaces them all. The majority that committed the snapshot's end has entries of
//! that term, and does not vote for this server. So a pair of the snapshot's end and the entry
//! after it is a remark, unless the snapshot shows another term than the one that was committed
//! there. The pair is no evidence against other logs.
//!
//! `inspect` does not show commands. But if a leader took a command with an index and a term, and
//! the entry committed at that index is of that term, then the command applied there must be that
//! command. This also finds a peer whose `inspect` shows another log than the one that it uses.

use std::collections::BTreeMap;

use history::Moment;

use crate::breach::{ApplyingBreach, LogBreach, Violation};
use crate::remark::{Deviation, Remark};
use crate::rules::committed::Committed;
use crate::rules::leader_log::LeaderLog;
use crate::sample::Transition;

/// All entries of all logs, and the applied commands.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    /// By index and term: the term of the entry before, and which server showed it first and when.
    entries: BTreeMap<(u64, u64), (u64, usize, Moment)>,
    /// By index: the server that applied it first, the command, and when.
    applied: BTreeMap<u64, (usize, Vec<u8>, Moment)>,
}

impl Matching {
    pub(crate) fn see(
        &mut self,
        seen: &Transition<'_>,
        committed: &Committed,
    ) -> Result<Option<Remark>, Violation> {
        let (server, at) = (seen.now.server, seen.now.at);
        let end = seen.now.state.last_included_index;
        let mut remark = None;
        for (index, term, term_before) in seen.new_entries() {
            let follows_snapshot = end > 0 && index == end + 1;
            let there = match self.entries.get(&(index, term)) {
                Some(there) => *there,
                None if follows_snapshot => continue,
                None => *self.entries.entry((index, term)).or_insert((term_before, server, at)),
            };
            if there.0 == term_before {
                continue;
            }
            if follows_snapshot && committed.term_at(end).is_none_or(|term| term == term_before) {
                let what = Deviation::KeptTail { snapshot: (end, term_before), next_term: term };
                remark = Some(Remark { server, what, seen: at });
                continue;
            }
            let breach = LogBreach::PrefixesDiffer { index, term, here: (term_before, at), there };
            return Err(Violation::of(server, breach));
        }
        Ok(remark)
    }

    /// Records that a peer has applied a command. S8 is not checked here.
    pub(crate) fn apply(&mut self, server: usize, index: u64, command: &[u8], at: Moment) {
        self.applied.entry(index).or_insert_with(|| (server, command.to_vec(), at));
    }

    /// Compares the taken, the committed and the applied command at an index, as soon as all are
    /// known.
    pub(crate) fn compare(
        &self,
        index: u64,
        committed: &Committed,
        leader_log: &LeaderLog,
    ) -> Result<(), Violation> {
        let Some(term) = committed.term_at(index) else { return Ok(()) };
        let (Some(taken), Some((server, command, at))) =
            (leader_log.taken(index, term), self.applied.get(&index))
        else {
            return Ok(());
        };
        if *command == taken.command {
            return Ok(());
        }
        let applied = (command.clone(), *at);
        let taken = (taken.server, taken.command.clone(), taken.at);
        Err(Violation::of(*server, ApplyingBreach::AppliedAnother { index, term, applied, taken }))
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn logs_may_differ_and_one_overwrites_the_other() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).log(&[1, 2]))?;
            scenario.sees(1, |peer| peer.term(3).log(&[1, 3]))?;
            scenario.sees(0, |peer| peer.term(3).log(&[1, 3, 3]))
        });
    }

    #[test]
    fn one_entry_after_two_different_prefixes_is_reported_with_both() {
        let sentence = "entry 3 of term 4 follows one of term 3 in the log of server 1 at 0.002 s, \
                        and one of term 2 in that of server 0 at 0.001 s";
        broke(Rule::S6, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(4).log(&[1, 2, 4]))?;
            scenario.sees(1, |peer| peer.term(4).log(&[1, 3, 4]))
        });
    }

    #[test]
    fn a_conflicting_tail_that_is_kept_after_a_snapshot_is_a_remark() {
        let mut scenario = Scenario::new();
        scenario.sees(1, |peer| peer.term(3).leads().log(&[1, 3]).commit(2)).unwrap();
        scenario.sees(0, |peer| peer.term(3).voted(1).log(&[1, 2, 2])).unwrap();
        let tail = |peer: crate::scenario::Peer| peer.snapshot(2, 3).log(&[2]).commit(2);
        scenario.sees(0, |peer| tail(peer.term(3).voted(1))).unwrap();
        let remark = |at: &str| {
            format!(
                "server 0 has a snapshot that ends with index 2 of term 3 and kept an entry of \
                 term 2 after it, which conflicts, seen at {at}; such a log is discarded (section \
                 7, Figure 13)"
            )
        };
        assert_eq!(scenario.remarks(), [remark("0.003 s")]);
        scenario.restarts_with(0, 2, |peer| tail(peer.term(3).voted(1))).unwrap();
        assert_eq!(scenario.remarks(), [remark("0.004 s")]);
    }

    #[test]
    fn an_entry_after_a_snapshot_is_no_evidence_against_other_logs() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(3).snapshot(2, 3).log(&[2]).commit(2))?;
            scenario.sees(2, |peer| peer.term(3).log(&[1, 2, 2]))
        });
    }

    #[test]
    fn an_entry_after_a_snapshot_with_a_wrong_term_is_reported() {
        let sentence = "entry 3 of term 3 follows one of term 2 in the log of server 0 at 0.002 s, \
                        and one of term 1 in that of server 1 at 0.001 s";
        broke(Rule::S6, sentence, |scenario: &mut Scenario| {
            scenario.sees(1, |peer| peer.term(3).log(&[1, 1, 3]).commit(2))?;
            scenario.sees(0, |peer| peer.term(3).snapshot(2, 2).log(&[3]).commit(2))
        });
    }

    #[test]
    fn an_applied_command_that_the_leader_did_not_take_is_reported() {
        kept(|scenario: &mut Scenario| {
            scenario.takes(0, 1, 1, b"lost")?;
            scenario.takes(1, 1, 2, b"kept")?;
            scenario.sees(1, |peer| peer.term(2).log(&[2]).commit(1))?;
            scenario.applies(1, 1, b"kept")
        });
        let sentence = "server 1 applied \"other\" at index 1; the entry committed there is of \
                        term 2, in which server 1 took \"kept\" for it";
        broke(Rule::S6, sentence, |scenario: &mut Scenario| {
            scenario.takes(1, 1, 2, b"kept")?;
            scenario.applies(1, 1, b"other")?;
            scenario.sees(1, |peer| peer.term(2).log(&[2]).commit(1))
        });
    }
}

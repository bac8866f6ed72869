//! S6, two logs with an entry of the same index and term are the same up to it (section 5.3).
//!
//! **Sound**: the entry of an index and a term was made once, by that term's one leader, behind a
//! log that never changed in that term (S5), and it is only ever accepted behind that same log. So
//! the term of the entry before it is the same in every log at every time, also after crashes. That
//! this holds for each pair of neighbours gives the whole prefix by induction, so each entry is
//! looked at once per log that gets it: the cost is that of the entries, not of the logs.
//!
//! Commands are opaque to `inspect`, so where a leader took a command as an index and a term, and
//! the entry committed there is of that term, what was applied there has to be that command. This
//! also finds a peer whose `inspect` shows another log than the one it works with.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::show;
use crate::failure::Failure;
use crate::invariants::broken;
use crate::invariants::committed::Committed;
use crate::invariants::leader_log::LeaderLog;
use crate::invariants::rule::Rule;
use crate::invariants::sighting::{Look, seconds};

/// Every entry of every log, and what was applied.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    /// By index and term: the term before, and who showed it first.
    entries: BTreeMap<(u64, u64), (u64, usize, Duration)>,
    /// By index: who applied what first.
    applied: BTreeMap<u64, (usize, Vec<u8>)>,
}

impl Matching {
    pub(crate) fn see(&mut self, look: &Look<'_>) -> Result<(), Failure> {
        let (server, at) = (look.now.server, look.now.at);
        for (index, term, term_before) in look.new_entries() {
            let (known, other, since) =
                *self.entries.entry((index, term)).or_insert((term_before, server, at));
            if known != term_before {
                let sentence = format!(
                    "entry {index} of term {term} follows one of term {term_before} in the log of \
                     server {server} at {}, and one of term {known} in that of server {other} at \
                     {}",
                    seconds(at),
                    seconds(since)
                );
                return Err(broken(Rule::S6, server, sentence));
            }
        }
        Ok(())
    }

    /// A peer has applied a command; that all apply the same is not judged here.
    pub(crate) fn apply(&mut self, server: usize, index: u64, command: &[u8]) {
        self.applied.entry(index).or_insert_with(|| (server, command.to_vec()));
    }

    /// Compares what was taken, what was committed and what was applied at an index, as soon as all
    /// are known.
    pub(crate) fn compare(
        &self,
        index: u64,
        committed: &Committed,
        taken: &LeaderLog,
    ) -> Result<(), Failure> {
        let Some(term) = committed.term_at(index) else { return Ok(()) };
        let (Some((leader, expected)), Some((server, applied))) =
            (taken.command(index, term), self.applied.get(&index))
        else {
            return Ok(());
        };
        if applied == expected {
            return Ok(());
        }
        let sentence = format!(
            "server {server} applied {} at index {index}; the entry committed there is of term \
             {term}, in which server {leader} took {} for it",
            show(applied),
            show(expected)
        );
        Err(broken(Rule::S6, *server, sentence))
    }
}

#[cfg(test)]
mod tests {
    use crate::invariants::Rule;
    use crate::invariants::story::{Story, broke, kept};

    #[test]
    fn logs_may_part_and_one_overwrites_the_other() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(2).log(&[1, 2]))?;
            story.sees(1, |peer| peer.term(3).log(&[1, 3]))?;
            story.sees(0, |peer| peer.term(3).log(&[1, 3, 3]))
        });
    }

    #[test]
    fn one_entry_behind_two_prefixes_is_told_with_both() {
        let sentence = "entry 3 of term 4 follows one of term 3 in the log of server 1 at 0.002 s, \
                        and one of term 2 in that of server 0 at 0.001 s";
        broke(Rule::S6, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(4).log(&[1, 2, 4]))?;
            story.sees(1, |peer| peer.term(4).log(&[1, 3, 4]))
        });
    }

    #[test]
    fn what_is_applied_is_what_the_leader_took() {
        kept(|story: &mut Story| {
            story.takes(0, 1, 1, b"lost")?;
            story.takes(1, 1, 2, b"kept")?;
            story.sees(1, |peer| peer.term(2).log(&[2]).commit(1))?;
            story.applies(1, 1, b"kept")
        });
        let sentence = "server 1 applied \"other\" at index 1; the entry committed there is of \
                        term 2, in which server 1 took \"kept\" for it";
        broke(Rule::S6, sentence, |story: &mut Story| {
            story.takes(1, 1, 2, b"kept")?;
            story.applies(1, 1, b"other")?;
            story.sees(1, |peer| peer.term(2).log(&[2]).commit(1))
        });
    }
}

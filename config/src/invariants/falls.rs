//! S12, what never falls within an incarnation: the current term and the commit index (Figure 2);
//! S14, the index up to which a snapshot has taken the log's place (section 7); and S8, that what
//! was applied is committed in the peer's own eyes.
//!
//! **Sound**: each of these is one number of one incarnation. A value is held against one that was
//! answered, shown or delivered *before the later question was asked*; questions that overlap are
//! not compared. Only commands are held against the commit index: a peer may hand over a snapshot
//! first and count it afterwards.

use crate::failure::Failure;
use crate::invariants::broken;
use crate::invariants::rule::Rule;
use crate::invariants::sighting::{Look, seconds};

/// What was known of a peer when a question was put to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Floor {
    /// It had said that it is in this term.
    pub(crate) term: u64,
    /// It had applied the command at this index.
    pub(crate) applied: u64,
}

impl Floor {
    /// `get_state` has answered.
    pub(crate) fn check_term(&self, server: usize, term: u64) -> Result<(), Failure> {
        if term >= self.term {
            return Ok(());
        }
        let sentence =
            format!("server {server} is in term {term} after it was in term {}", self.term);
        Err(broken(Rule::S12, server, sentence))
    }

    /// `inspect` has answered.
    pub(crate) fn see(&self, look: &Look<'_>) -> Result<(), Failure> {
        let (server, state) = (look.now.server, &look.now.state);
        self.check_term(server, state.current_term)?;
        if state.commit_index < self.applied {
            let sentence = format!(
                "server {server} has applied index {}, but shows commit index {} at {}",
                self.applied,
                state.commit_index,
                seconds(look.now.at)
            );
            return Err(broken(Rule::S8, server, sentence));
        }
        let Some(before) = look.before else { return Ok(()) };
        let fell = |rule, what: &str, old: u64, new: u64| {
            let (from, to) = (seconds(before.at), seconds(look.now.at));
            let sentence =
                format!("server {server} had {what} {old} at {from} and has {new} at {to}");
            Err(broken(rule, server, sentence))
        };
        let old = &before.state;
        if state.commit_index < old.commit_index {
            return fell(Rule::S12, "commit index", old.commit_index, state.commit_index);
        }
        if state.last_included_index < old.last_included_index {
            let (old, new) = (old.last_included_index, state.last_included_index);
            return fell(Rule::S14, "a snapshot up to index", old, new);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::invariants::Rule;
    use crate::invariants::story::{Story, broke, kept};

    #[test]
    fn a_commit_index_is_lower_after_a_restart() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(1).log(&[1]).commit(1))?;
            story.applies(0, 1, b"a")?;
            story.restarts(0, |peer| peer.term(1).log(&[1]))
        });
    }

    #[test]
    fn a_term_that_falls_is_told() {
        broke(Rule::S12, "server 0 is in term 1 after it was in term 2", |story: &mut Story| {
            story.sees(0, |peer| peer.term(2))?;
            story.says(0, 1, false)
        });
        broke(Rule::S12, "server 0 is in term 1 after it was in term 2", |story: &mut Story| {
            story.says(0, 2, false)?;
            story.sees(0, |peer| peer.term(1))
        });
    }

    #[test]
    fn a_commit_index_or_a_snapshot_that_falls_is_told() {
        let sentence = "server 0 had commit index 2 at 0.001 s and has 1 at 0.002 s";
        broke(Rule::S12, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(1).log(&[1, 1]).commit(2))?;
            story.sees(0, |peer| peer.term(1).log(&[1, 1]).commit(1))
        });
        let sentence = "server 0 had a snapshot up to index 2 at 0.001 s and has 1 at 0.002 s";
        broke(Rule::S14, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(1).snapshot(2, 1).commit(2))?;
            story.sees(0, |peer| peer.term(1).snapshot(1, 1).log(&[1]).commit(2))
        });
    }

    #[test]
    fn what_was_applied_is_committed() {
        let sentence = "server 0 has applied index 1, but shows commit index 0 at 0.002 s";
        broke(Rule::S8, sentence, |story: &mut Story| {
            story.applies(0, 1, b"a")?;
            story.sees(0, |peer| peer.term(1).log(&[1]))
        });
    }
}

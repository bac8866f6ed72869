//! S5, a leader only appends to its own log in its term (section 5.3).
//!
//! **Sound**: two inspections of one incarnation that both show the leader of one term show the
//! same leadership, since a term has one election and nobody leads it twice. In between the log may
//! have grown, and a snapshot may have taken the place of its beginning; nothing else.
//!
//! The same from outside: `start` gives each command an index and a term, and a pair of both stands
//! for one entry for ever. Two commands that were given the same pair overwrite each other.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::show;
use crate::failure::Failure;
use crate::invariants::broken;
use crate::invariants::rule::Rule;
use crate::invariants::sighting::{Look, seconds};
use raftapi::{Inspect, Role, Started};

/// What leaders were asked to append.
#[derive(Debug, Default)]
pub(crate) struct LeaderLog {
    taken: BTreeMap<(u64, u64), (usize, Vec<u8>, Duration)>,
}

impl LeaderLog {
    pub(crate) fn see(&self, look: &Look<'_>) -> Result<(), Failure> {
        let Some(before) = look.before else { return Ok(()) };
        let (old, new) = (&before.state, &look.now.state);
        let leads = |state: &Inspect| state.role == Role::Leader;
        if !leads(old) || !leads(new) || old.current_term != new.current_term {
            return Ok(());
        }
        let what = if let Some(index) = look.differs_at {
            let term = |state: &Inspect| state.term_at(index).unwrap_or(0);
            format!("its entry {index} was of term {}, and is of term {}", term(old), term(new))
        } else if new.last_index() < old.last_index() {
            format!("its last index was {}, and is {}", old.last_index(), new.last_index())
        } else {
            return Ok(());
        };
        let sentence = format!(
            "server {} led term {} from {} to {}, but {what}",
            look.now.server,
            new.current_term,
            seconds(before.at),
            seconds(look.now.at)
        );
        Err(broken(Rule::S5, look.now.server, sentence))
    }

    /// A peer has taken a command.
    pub(crate) fn take(
        &mut self,
        server: usize,
        started: Started,
        command: &[u8],
        at: Duration,
    ) -> Result<(), Failure> {
        let Started { index, term } = started;
        let fresh = (server, command.to_vec(), at);
        let Some((other, theirs, before)) = self.taken.insert((index, term), fresh) else {
            return Ok(());
        };
        let sentence = format!(
            "server {server} took {} as index {index} of term {term}, where server {other} had \
             taken {} at {}",
            show(command),
            show(&theirs),
            seconds(before)
        );
        Err(broken(Rule::S5, server, sentence))
    }

    /// The command that some leader took as this index and term.
    pub(crate) fn command(&self, index: u64, term: u64) -> Option<(usize, &[u8])> {
        let (server, command, _) = self.taken.get(&(index, term))?;
        Some((*server, command))
    }
}

#[cfg(test)]
mod tests {
    use crate::invariants::Rule;
    use crate::invariants::story::{Story, broke, kept};

    #[test]
    fn a_leaders_log_grows_and_is_cut_short_only_in_another_term() {
        kept(|story: &mut Story| {
            story.sees(0, |peer| peer.term(2).leads().log(&[1, 1]))?;
            story.sees(0, |peer| peer.term(2).leads().log(&[1, 1, 2]))?;
            story.sees(0, |peer| peer.term(2).leads().commit(3).snapshot(2, 1).log(&[2, 2]))?;
            story.sees(0, |peer| peer.term(3).commit(3).snapshot(2, 1).log(&[2, 3]))
        });
    }

    #[test]
    fn a_leader_that_shortens_or_overwrites_its_log_is_told_where() {
        let sentence =
            "server 0 led term 2 from 0.001 s to 0.002 s, but its last index was 2, and is 1";
        broke(Rule::S5, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(2).leads().log(&[1, 1]))?;
            story.sees(0, |peer| peer.term(2).leads().log(&[1]))
        });
        let sentence = "server 0 led term 2 from 0.001 s to 0.002 s, but its entry 2 was of term \
                        1, and is of term 2";
        broke(Rule::S5, sentence, |story: &mut Story| {
            story.sees(0, |peer| peer.term(2).leads().log(&[1, 1]))?;
            story.sees(0, |peer| peer.term(2).leads().log(&[1, 2, 2]))
        });
    }

    #[test]
    fn an_index_of_a_term_is_given_to_one_command() {
        kept(|story: &mut Story| {
            story.takes(0, 1, 1, b"a")?;
            story.takes(0, 2, 1, b"a")?;
            story.takes(1, 1, 2, b"b")
        });
        let sentence = "server 0 took \"b\" as index 1 of term 1, where server 0 had taken \"a\" \
                        at 0.001 s";
        broke(Rule::S5, sentence, |story: &mut Story| {
            story.takes(0, 1, 1, b"a")?;
            story.takes(0, 1, 1, b"b")
        });
    }
}

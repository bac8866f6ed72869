//! S5, a leader only appends to its own log in its term (section 5.3).
//!
//! **Sound**: if two inspections of one incarnation both show the leader of one term, they show
//! the same leadership, since no server is elected twice in a term. In between, the log may have
//! grown, and a snapshot may have replaced its beginning; nothing else may have changed.
//!
//! The same rule from outside: `start` gives each command an index and a term, and this pair always
//! means the same entry. If two commands get the same pair, one overwrites the other.

use std::collections::BTreeMap;

use history::Moment;
use raftapi::{Inspect, Role, Started};

use crate::breach::{LogBreach, LogChange, Violation};
use crate::sample::Transition;

/// The commands that leaders have taken.
#[derive(Debug, Default)]
pub(crate) struct LeaderLog {
    /// By index and term.
    taken: BTreeMap<(u64, u64), Taken>,
}

/// A command that `start` has taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) server: usize,
    pub(crate) command: Vec<u8>,
    pub(crate) at: Moment,
}

impl LeaderLog {
    pub(crate) fn see(&self, seen: &Transition<'_>) -> Result<(), Violation> {
        let Some(before) = seen.before else { return Ok(()) };
        let (old, new) = (&before.state, &seen.now.state);
        let leads = |state: &Inspect| state.role == Role::Leader;
        if !leads(old) || !leads(new) || old.current_term != new.current_term {
            return Ok(());
        }
        let change = if let Some(index) = seen.differs_at {
            let terms = [old, new].map(|state| state.term_at(index).unwrap_or(0));
            LogChange::Entry { index, terms }
        } else if new.last_index() < old.last_index() {
            LogChange::Shorter { last: [old, new].map(|state| state.last_index()) }
        } else {
            return Ok(());
        };
        let breach = LogBreach::LeaderLogChanged {
            term: new.current_term,
            seen: [before.at, seen.now.at],
            change,
        };
        Err(Violation::of(seen.now.server, breach))
    }

    /// Checks and records that a peer has taken a command.
    pub(crate) fn take(
        &mut self,
        server: usize,
        started: Started,
        command: &[u8],
        at: Moment,
    ) -> Result<(), Violation> {
        let Started { index, term } = started;
        let fresh = Taken { server, command: command.to_vec(), at };
        let Some(before) = self.taken.insert((index, term), fresh) else { return Ok(()) };
        let first = (before.server, before.command, before.at);
        let second = (command.to_vec(), at);
        Err(Violation::of(server, LogBreach::TakenTwice { index, term, first, second }))
    }

    /// The command that a leader took with this index and term.
    pub(crate) fn taken(&self, index: u64, term: u64) -> Option<&Taken> {
        self.taken.get(&(index, term))
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Scenario, broke, kept};
    use history::Rule;

    #[test]
    fn a_leaders_log_grows_and_is_truncated_only_in_another_term() {
        kept(|scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1, 1]))?;
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1, 1, 2]))?;
            scenario.sees(0, |peer| peer.term(2).leads().commit(3).snapshot(2, 1).log(&[2, 2]))?;
            scenario.sees(0, |peer| peer.term(3).commit(3).snapshot(2, 1).log(&[2, 3]))
        });
    }

    #[test]
    fn a_leader_that_shortens_or_overwrites_its_log_is_reported() {
        let sentence =
            "server 0 led term 2 from 0.001 s to 0.002 s, but its last index was 2, and is 1";
        broke(Rule::S5, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1, 1]))?;
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1]))
        });
        let sentence = "server 0 led term 2 from 0.001 s to 0.002 s, but its entry 2 was of term \
                        1, and is of term 2";
        broke(Rule::S5, sentence, |scenario: &mut Scenario| {
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1, 1]))?;
            scenario.sees(0, |peer| peer.term(2).leads().log(&[1, 2, 2]))
        });
    }

    #[test]
    fn an_index_that_is_given_to_two_commands_in_a_term_is_reported() {
        kept(|scenario: &mut Scenario| {
            scenario.takes(0, 1, 1, b"a")?;
            scenario.takes(0, 2, 1, b"a")?;
            scenario.takes(1, 1, 2, b"b")
        });
        let sentence = "server 0 took \"b\" as index 1 of term 1, where server 0 had taken \"a\" \
                        at 0.001 s";
        broke(Rule::S5, sentence, |scenario: &mut Scenario| {
            scenario.takes(0, 1, 1, b"a")?;
            scenario.takes(0, 1, 1, b"b")
        });
    }
}

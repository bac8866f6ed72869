//! What is new: a save or a look at a peer's state mostly differs little from the one before.

use raftapi::{Inspect, Role};
use serde::{Deserialize, Serialize};

/// How some bytes differ from what they were: they share a beginning and an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// So many bytes at the beginning are the same.
    front: usize,
    /// So many at the end.
    back: usize,
    /// What is between.
    #[serde(with = "serde_bytes")]
    between: Vec<u8>,
}

impl Change {
    /// From `old` to `new`.
    pub fn between(old: &[u8], new: &[u8]) -> Change {
        let common = old.iter().zip(new).take_while(|(a, b)| a == b);
        let front = common.count();
        let rest = old[front..].iter().rev().zip(new[front..].iter().rev());
        let back = rest.take_while(|(a, b)| a == b).count();
        Change { front, back, between: new[front..new.len() - back].to_vec() }
    }

    /// `new` again; none if this is no change of `old`.
    pub fn apply(&self, old: &[u8]) -> Option<Vec<u8>> {
        let back = old.len().checked_sub(self.back)?;
        let front = old.get(..self.front).filter(|_| self.front <= back)?;
        Some([front, &self.between, &old[back..]].concat())
    }
}

/// How a peer's state differs from the last one that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum InspectChange {
    /// In nothing.
    Nothing,
    /// In something.
    Something(Box<Look>),
}

/// See [`InspectChange`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    role: Role,
    current_term: u64,
    voted_for: Option<usize>,
    /// So many terms at the log's beginning are the same.
    kept_terms: usize,
    new_terms: Vec<u64>,
    commit_index: u64,
    last_applied: u64,
    last_included_index: u64,
    last_included_term: u64,
}

impl InspectChange {
    /// From `old` to `new`.
    pub fn between(old: &Inspect, new: &Inspect) -> InspectChange {
        if old == new {
            return InspectChange::Nothing;
        }
        let common = old.log_terms.iter().zip(&new.log_terms).take_while(|(a, b)| a == b);
        let kept_terms = common.count();
        InspectChange::Something(Box::new(Look {
            role: new.role,
            current_term: new.current_term,
            voted_for: new.voted_for,
            kept_terms,
            new_terms: new.log_terms[kept_terms..].to_vec(),
            commit_index: new.commit_index,
            last_applied: new.last_applied,
            last_included_index: new.last_included_index,
            last_included_term: new.last_included_term,
        }))
    }

    /// Changes `state` to what was seen; false if this is no change of it.
    pub fn apply(self, state: &mut Inspect) -> bool {
        let InspectChange::Something(look) = self else { return true };
        if look.kept_terms > state.log_terms.len() {
            return false;
        }
        let mut log_terms = std::mem::take(&mut state.log_terms);
        log_terms.truncate(look.kept_terms);
        log_terms.extend(look.new_terms);
        *state = Inspect {
            role: look.role,
            current_term: look.current_term,
            voted_for: look.voted_for,
            log_terms,
            commit_index: look.commit_index,
            last_applied: look.last_applied,
            last_included_index: look.last_included_index,
            last_included_term: look.last_included_term,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_new_ones_again_whatever_the_old_ones_were() {
        let all = ["", "a", "aa", "aba", "abab", "babab", "xyz", "abxyzab"];
        for old in all {
            for new in all {
                let change = Change::between(old.as_bytes(), new.as_bytes());
                assert_eq!(change.apply(old.as_bytes()).unwrap(), new.as_bytes(), "{old} {new}");
            }
        }
        let change = Change::between(b"term 1, log", b"term 2, log");
        assert_eq!(change, Change { front: 5, back: 5, between: b"2".to_vec() });
    }

    #[test]
    fn a_change_of_something_else_is_refused() {
        let change = Change { front: 2, back: 2, between: vec![] };
        assert_eq!((change.apply(b"abc"), change.apply(b"")), (None, None));
        let longer = Inspect { log_terms: vec![1, 1, 2], ..Inspect::default() };
        let change =
            InspectChange::between(&longer, &Inspect { commit_index: 1, ..longer.clone() });
        assert!(!change.apply(&mut Inspect::default()));
    }

    #[test]
    fn a_state_is_the_new_one_again() {
        let old = Inspect { log_terms: vec![1, 1, 2], current_term: 2, ..Inspect::default() };
        let cut = Inspect { log_terms: vec![1, 3], current_term: 3, ..old.clone() };
        let states = [Inspect::default(), old, cut];
        for old in &states {
            for new in &states {
                let mut state = old.clone();
                assert!(InspectChange::between(old, new).apply(&mut state));
                assert_eq!(state, *new);
            }
        }
    }
}

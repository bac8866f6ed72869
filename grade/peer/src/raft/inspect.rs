//! The state that a peer shows, as the difference from the last state that it has shown.
//!
//! Most differences are small, but the list of the log's terms can be long.

use raftapi::{Inspect, Role};
use serde::{Deserialize, Serialize};

/// A state of a peer, as the difference from an older one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectChange {
    role: Role,
    current_term: u64,
    voted_for: Option<usize>,
    /// The number of terms at the beginning of the log that are the same as in the old state.
    kept_terms: usize,
    /// The terms after those.
    new_terms: Vec<u64>,
    commit_index: u64,
    last_applied: u64,
    last_included_index: u64,
    last_included_term: u64,
}

impl InspectChange {
    /// The difference from `old` to `new`.
    pub fn between(old: &Inspect, new: &Inspect) -> InspectChange {
        let common = old.log_terms.iter().zip(&new.log_terms).take_while(|(a, b)| a == b);
        let kept_terms = common.count();
        InspectChange {
            role: new.role,
            current_term: new.current_term,
            voted_for: new.voted_for,
            kept_terms,
            new_terms: new.log_terms[kept_terms..].to_vec(),
            commit_index: new.commit_index,
            last_applied: new.last_applied,
            last_included_index: new.last_included_index,
            last_included_term: new.last_included_term,
        }
    }

    /// Changes `state` to the new state. Returns false if the change does not fit `state`.
    pub fn apply(self, state: &mut Inspect) -> bool {
        if self.kept_terms > state.log_terms.len() {
            return false;
        }
        let mut log_terms = std::mem::take(&mut state.log_terms);
        log_terms.truncate(self.kept_terms);
        log_terms.extend(self.new_terms);
        *state = Inspect {
            role: self.role,
            current_term: self.current_term,
            voted_for: self.voted_for,
            log_terms,
            commit_index: self.commit_index,
            last_applied: self.last_applied,
            last_included_index: self.last_included_index,
            last_included_term: self.last_included_term,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_another_state_is_refused() {
        let longer = Inspect { log_terms: vec![1, 1, 2], ..Inspect::default() };
        let change =
            InspectChange::between(&longer, &Inspect { commit_index: 1, ..longer.clone() });
        assert!(!change.apply(&mut Inspect::default()));
    }

    #[test]
    fn a_change_gives_the_new_state() {
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

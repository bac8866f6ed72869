//! When an entry is committed (sections 5.3 and 5.4.2).

use super::state::{Role, State};

impl State {
    /// The last rule for leaders of Figure 2: an entry on a majority is committed if it is of this
    /// leader's own term. An older entry may be on a majority and still be overwritten (Figure 8);
    /// it is committed together with the first later entry of this term.
    pub(super) fn advance_commit_index(&mut self) {
        let Role::Leader { followers } = &self.role else { return };
        let mut indices: Vec<u64> = followers.values().map(|f| f.match_index).collect();
        indices.push(self.log().last_index());
        indices.sort_unstable_by(|a, b| b.cmp(a));
        // A majority of the servers, counting this one, have everything up to here.
        let on_majority = indices[self.majority() - 1];
        // Terms never fall along a log: if this entry is not of the current term, none before is.
        let is_own = self.log().term_at(on_majority) == Some(self.current_term());
        if on_majority > self.commit_index && is_own {
            self.commit_index = on_majority;
        }
    }
}

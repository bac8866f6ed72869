//! What every family of breaches can say of itself.

use history::Rule;

use crate::breach::fact::Fact;

/// A family of breaches. `server` is the one that broke the rule.
pub(crate) trait Family {
    /// The rule that was broken; none if the state is one that no Raft can be in.
    fn rule(&self) -> Option<Rule>;

    /// Where to look for the cause, where that is more exact than what [`Rule::look`] says.
    fn look(&self) -> Option<&'static str> {
        None
    }

    /// It breaks the agreement with the lab and not the safety of Raft.
    fn is_of_contract(&self) -> bool {
        self.rule().is_none()
    }

    /// One sentence with servers, terms, indices and times.
    fn sentence(&self, server: usize) -> String;

    /// The events that are needed to understand it, in any order.
    fn evidence(&self, server: usize) -> Vec<Fact>;
}

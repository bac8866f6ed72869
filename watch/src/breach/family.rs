//! What every family of breaches provides.

use history::Rule;

use crate::breach::fact::Fact;

/// A family of breaches. `server` is the server that broke the rule.
pub(crate) trait Family {
    /// The broken rule. None if no Raft can be in such a state.
    fn rule(&self) -> Option<Rule>;

    /// Where to look for the cause, if this is more exact than [`Rule::look`].
    fn look(&self) -> Option<&'static str> {
        None
    }

    /// Whether it breaks the contract with the lab and not the safety of Raft.
    fn is_of_contract(&self) -> bool {
        self.rule().is_none()
    }

    /// One sentence with servers, terms, indices and times.
    fn sentence(&self, server: usize) -> String;

    /// The events that show it, in any order.
    fn evidence(&self, server: usize) -> Vec<Fact>;
}

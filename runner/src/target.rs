//! The failure that a smaller run has to show.

use std::fmt;

use choice::Name;
use config::{Class, Failure, Rule};
use serde::{Deserialize, Serialize};

/// The failure that is looked for. Another run shows it if its class and its rule are the same; the
/// sentence may differ, since terms and times do. Without a rule the words of the sentence must be
/// the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The class of the failure.
    pub class: Class,
    /// The rule that is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// It is the fault of one server, such as a call into it that does not return.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_a_server: bool,
    /// The words of the sentence without what differs between runs, if there is no rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// How much of a failure depends on what the test did before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// It is seen from what the servers did. No choice of the lab makes a correct Raft do that.
    Servers,
    /// Servers that reach one another made no progress. Fewer faults do not excuse that, but a
    /// server that takes no part or a shorter wait would.
    Progress,
    /// A check of the test found something else than it expected. Without the faults before it, a
    /// correct Raft can fail it.
    Check,
}

impl Target {
    /// The failure of a run.
    pub fn of(failure: &Failure) -> Target {
        let words = failure.rule.is_none().then(|| words(&failure.sentence));
        let of_a_server = failure.server.is_some();
        Target { class: failure.class, rule: failure.rule, of_a_server, words }
    }

    /// Whether a run by a plan fails in the way that the plan is about.
    pub fn is_shown_by(&self, failure: &Failure) -> bool {
        Target::of(failure) == *self
    }

    /// Whether a correct Raft never fails like this, whatever the lab does.
    pub fn is_certain(&self) -> bool {
        self.ground() == Ground::Servers
    }

    /// Whether a choice can be left out without giving a correct Raft a reason to fail like this.
    pub(crate) fn allows_without(&self, name: &Name) -> bool {
        match (self.ground(), name) {
            (Ground::Servers, _) | (_, Name::Message { .. } | Name::CutReply { .. }) => true,
            (Ground::Progress, Name::Fault { .. } | Name::Command { .. }) => true,
            (Ground::Progress | Ground::Check, _) => false,
        }
    }

    fn ground(&self) -> Ground {
        match (self.rule, self.class) {
            (Some(Rule::L5), _) => Ground::Check,
            (Some(rule), _) if rule.id().starts_with('L') => Ground::Progress,
            (Some(_), _) => Ground::Servers,
            (None, Class::Panic | Class::Deadlock | Class::Spin | Class::Outside) => {
                Ground::Servers
            }
            (None, Class::Timeout) if self.of_a_server => Ground::Servers,
            (None, _) => Ground::Check,
        }
    }
}

/// `safety S3`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = self.rule.map_or_else(String::new, |rule| format!(" {}", rule.id()));
        write!(f, "{}{rule}", self.class)
    }
}

/// The words of a sentence, without numbers and what stands between quotes.
fn words(sentence: &str) -> String {
    let outside = sentence.split('"').step_by(2);
    let words = outside.flat_map(|part| part.split(|c: char| !c.is_alphabetic()));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: Class, sentence: &str) -> Failure {
        Failure::new(class, sentence)
    }

    #[test]
    fn a_failure_with_a_rule_is_known_by_it_and_others_by_their_words() {
        let first = failure(Class::Safety, "term 3 has 2 leaders").with_rule(Rule::S1);
        let other = failure(Class::Safety, "another sentence").with_rule(Rule::S1);
        assert!(Target::of(&first).is_shown_by(&other));
        assert!(!Target::of(&first).is_shown_by(&other.clone().with_rule(Rule::S2)));
        assert_eq!(Target::of(&first).to_string(), "safety S1");

        let idle = failure(Class::Contract, "200 RPCs in a second, after \"12 x\"");
        let same = failure(Class::Contract, "90 RPCs in a second, after \"y\"");
        let others = failure(Class::Contract, "90 bytes in a second");
        assert!(Target::of(&idle).is_shown_by(&same));
        assert!(!Target::of(&idle).is_shown_by(&others));
    }

    #[test]
    fn only_what_no_correct_raft_needs_can_be_left_out() {
        let message = Name::CutReply { method: "x".into(), from: None, to: None, nth: 1 };
        let fault = Name::Fault { verb: "crash".into(), servers: vec![1], nth: 1 };
        let server = Name::Server { server: 1 };
        let allowed = |failure: Failure| {
            let target = Target::of(&failure);
            [&message, &fault, &server].map(|name| target.allows_without(name))
        };
        let ruled = |rule| failure(Class::Safety, "x").with_rule(rule);
        assert_eq!(allowed(ruled(Rule::S3)), [true, true, true]);
        assert_eq!(allowed(ruled(Rule::L2)), [true, true, false]);
        assert_eq!(allowed(ruled(Rule::L5)), [true, false, false]);
        assert_eq!(allowed(failure(Class::Deadlock, "x")), [true, true, true]);
        assert_eq!(allowed(failure(Class::Contract, "x")), [true, false, false]);
        assert_eq!(allowed(failure(Class::Timeout, "the test")), [true, false, false]);
        assert_eq!(allowed(Failure::of(1, Class::Timeout, "a call")), [true, true, true]);
    }
}

//! A choice: its name, and what was chosen.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::Name;

/// One choice of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its name.
    pub name: Name,
    /// What was chosen.
    #[serde(default, skip_serializing_if = "Value::is_yes")]
    pub value: Value,
}

/// What was chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// It happens.
    #[default]
    Yes,
    /// What happens to a call.
    Fate(Fate),
    /// A time, in ms.
    Ms(u64),
}

impl Value {
    fn is_yes(&self) -> bool {
        *self == Value::Yes
    }
}

/// What the network does to one call. Each field that is not set is as in a network without faults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fate {
    /// The server is not reached, and the caller waits this long, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable_ms: Option<u64>,
    /// How long the request travels, in ms.
    #[serde(skip_serializing_if = "is_zero")]
    pub request_delay_ms: u64,
    /// The request is lost.
    #[serde(skip_serializing_if = "is_false")]
    pub request_lost: bool,
    /// The request arrives once more, this much later, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_after_ms: Option<u64>,
    /// How long the reply travels, in ms.
    #[serde(skip_serializing_if = "is_zero")]
    pub reply_delay_ms: u64,
    /// The reply is lost.
    #[serde(skip_serializing_if = "is_false")]
    pub reply_lost: bool,
}

fn is_zero(ms: &u64) -> bool {
    *ms == 0
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(ms) = self.unreachable_ms {
            parts.push(format!("finds no server for {ms} ms"));
        }
        if self.request_delay_ms > 0 {
            parts.push(format!("arrives after {} ms", self.request_delay_ms));
        }
        if self.request_lost {
            parts.push("is lost".into());
        }
        if let Some(ms) = self.duplicate_after_ms {
            parts.push(format!("arrives again {ms} ms later"));
        }
        if self.reply_delay_ms > 0 {
            parts.push(format!("is answered {} ms late", self.reply_delay_ms));
        }
        if self.reply_lost {
            parts.push("loses its reply".into());
        }
        if parts.is_empty() {
            parts.push("arrives at once".into());
        }
        f.write_str(&parts.join(", "))
    }
}

/// As in "the 1st RequestVote of server 2 to server 1 in term 3 is lost".
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Yes => write!(f, "{}", self.name),
            Value::Fate(fate) => write!(f, "{} {fate}", self.name),
            Value::Ms(ms) => write!(f, "{}, {ms} ms", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_read_as_it_is_written_and_says_only_what_differs() {
        let name = Name::Message {
            method: "Raft.RequestVote".into(),
            from: Some(2),
            to: Some(1),
            term: Some(3),
            nth: 1,
        };
        let fate = Fate { request_lost: true, request_delay_ms: 7, ..Fate::default() };
        let choice = Choice { name, value: Value::Fate(fate) };
        let json = serde_json::to_string(&choice).unwrap();
        assert_eq!(
            json,
            "{\"name\":{\"message\":{\"method\":\"Raft.RequestVote\",\"from\":2,\"to\":1,\
             \"term\":3,\"nth\":1}},\"value\":{\"fate\":{\"request_delay_ms\":7,\
             \"request_lost\":true}}}"
        );
        assert_eq!(serde_json::from_str::<Choice>(&json).unwrap(), choice);
        assert_eq!(
            choice.to_string(),
            "the 1st RequestVote of server 2 to server 1 in term 3 arrives after 7 ms, is lost"
        );
        let fault = Choice {
            name: Name::Fault { verb: "isolate".into(), servers: vec![2], nth: 1 },
            value: Value::Yes,
        };
        let json = serde_json::to_string(&fault).unwrap();
        assert_eq!(json, "{\"name\":{\"fault\":{\"verb\":\"isolate\",\"servers\":[2],\"nth\":1}}}");
        assert_eq!(serde_json::from_str::<Choice>(&json).unwrap(), fault);
    }
}

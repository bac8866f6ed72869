//! The names of choices.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of one choice of a run. `nth` counts the choices that are alike in everything else,
/// from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// What happens to a call between two servers.
    Message {
        /// The name of the method.
        method: String,
        /// The server that calls; none for an end that belongs to no server.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        from: Option<usize>,
        /// The server that is called; none for an end that is not connected.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        to: Option<usize>,
        /// The term in the arguments; none if they have no field of that name.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        term: Option<u64>,
        /// See [`Name`].
        nth: u32,
    },
    /// How long the caller waits for a reply that a cut link loses; of the same call.
    CutReply {
        /// The name of the method.
        method: String,
        /// The server that called.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        from: Option<usize>,
        /// The server that replied.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        to: Option<usize>,
        /// See [`Name`].
        nth: u32,
    },
    /// A fault begins.
    Fault {
        /// The verb of the fault, such as `isolate` or `partition {0, 1} {2}`.
        verb: String,
        /// The server that it is about, or the two ends of a link; none if it is about all.
        servers: Vec<usize>,
        /// See [`Name`].
        nth: u32,
    },
    /// A client of the test offers a command to a server.
    Command {
        /// The server.
        server: usize,
        /// See [`Name`].
        nth: u32,
    },
    /// The test lets time pass.
    Wait {
        /// See [`Name`].
        nth: u32,
    },
    /// A server takes part: it is started.
    Server {
        /// The server.
        server: usize,
    },
}

impl Name {
    /// The same name with another `nth`.
    #[must_use]
    pub(crate) fn numbered(mut self, number: u32) -> Name {
        match &mut self {
            Name::Message { nth, .. }
            | Name::CutReply { nth, .. }
            | Name::Fault { nth, .. }
            | Name::Command { nth, .. }
            | Name::Wait { nth } => *nth = number,
            Name::Server { .. } => {}
        }
        self
    }
}

/// As in "the 3rd RequestVote of server 2 to server 1 in term 3".
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Message { method, from, to, term, nth } => {
                let kind = method.rsplit('.').next().unwrap_or(method);
                write!(f, "the {} {kind}{}", ordinal(*nth), Route(*from, *to))?;
                term.map_or(Ok(()), |term| write!(f, " in term {term}"))
            }
            Name::CutReply { method, from, to, nth } => {
                let kind = method.rsplit('.').next().unwrap_or(method);
                write!(f, "the {} cut reply to {kind}{}", ordinal(*nth), Route(*from, *to))
            }
            Name::Fault { verb, servers, nth } => {
                write!(f, "the {} `{verb}`", ordinal(*nth))?;
                match servers.as_slice() {
                    [] => Ok(()),
                    [one] => write!(f, " of server {one}"),
                    [from, to] => write!(f, " from server {from} to server {to}"),
                    many => write!(f, " of servers {many:?}"),
                }
            }
            Name::Command { server, nth } => {
                write!(f, "the {} command for server {server}", ordinal(*nth))
            }
            Name::Wait { nth } => write!(f, "the {} wait of the test", ordinal(*nth)),
            Name::Server { server } => write!(f, "the start of server {server}"),
        }
    }
}

/// ` of server 2 to server 1`.
struct Route(Option<usize>, Option<usize>);

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Route(from, to) = *self;
        from.map_or(Ok(()), |from| write!(f, " of server {from}"))?;
        to.map_or(Ok(()), |to| write!(f, " to server {to}"))
    }
}

fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_a_person_would_say() {
        let vote = |nth| Name::Message {
            method: "Raft.RequestVote".into(),
            from: Some(2),
            to: Some(1),
            term: Some(3),
            nth,
        };
        let said = "RequestVote of server 2 to server 1 in term 3";
        for (nth, word) in [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (112, "112th")] {
            assert_eq!(vote(nth).to_string(), format!("the {word} {said}"));
        }
        let fault = |servers: &[usize]| {
            Name::Fault { verb: "isolate".into(), servers: servers.into(), nth: 1 }.to_string()
        };
        assert_eq!(fault(&[]), "the 1st `isolate`");
        assert_eq!(fault(&[4]), "the 1st `isolate` of server 4");
        assert_eq!(fault(&[4, 0]), "the 1st `isolate` from server 4 to server 0");
        assert_eq!(fault(&[4, 0, 1]), "the 1st `isolate` of servers [4, 0, 1]");
    }
}

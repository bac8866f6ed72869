//! An event in a few words.

use std::collections::BTreeMap;

use runfile::{How, Kind, State};

use crate::plain;
use crate::server;

const TEXT_CHARS_MAX: usize = 72;

/// The calls of a cluster: an event of a call has only its number.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    calls: BTreeMap<u64, (Option<usize>, Option<usize>, String)>,
}

impl Calls {
    /// Takes in an event. A new cluster counts its calls anew.
    pub(crate) fn take(&mut self, kind: &Kind) {
        match kind {
            Kind::Cluster { .. } => self.calls.clear(),
            Kind::Sent { call, from, to, method, .. } => {
                self.calls.insert(*call, (*from, *to, plain::line(name(method), 24)));
            }
            _ => {}
        }
    }

    /// The event in a few words, with the servers that it is about. `changes` has the words for a
    /// change of a server's state.
    pub(crate) fn what(&self, kind: &Kind, changes: impl FnOnce(&State) -> String) -> String {
        let call = |call: &u64| match self.calls.get(call) {
            Some((from, to, name)) => format!("{name} from {} to {}", who(*from), who(*to)),
            None => format!("call {call}"),
        };
        match kind {
            Kind::Sent { call: number, .. } => format!("{}: sent", call(number)),
            Kind::Caught { call: number, reply: false } => format!("{}: caught", call(number)),
            Kind::Caught { call: number, .. } => format!("{}: reply caught", call(number)),
            Kind::Dispatched { call: number, copy: 0 } => format!("{}: arrives", call(number)),
            Kind::Dispatched { call: number, .. } => format!("{}: arrives again", call(number)),
            Kind::Handled { call: number, .. } => format!("{}: handled", call(number)),
            Kind::Ended { call: number, how } => format!("{}: {}", call(number), ending(*how)),
            Kind::Misused { call: number, text } => {
                format!("{}: {}", call(number), plain::line(text, TEXT_CHARS_MAX))
            }
            Kind::Link { verb, .. } => format!("{} link {}", plain::line(verb, 24), link(kind)),
            Kind::Cluster { servers } => format!("the test makes a cluster of {servers} servers"),
            Kind::Waiting { phrase } => {
                format!("the test waits for {}", plain::line(phrase, TEXT_CHARS_MAX))
            }
            Kind::Output { text, .. } => {
                format!("{} prints: {}", who(server::of(kind)), plain::line(text, TEXT_CHARS_MAX))
            }
            Kind::State(state) => format!("{} {}", who(Some(state.server)), changes(state)),
            Kind::Fault { server, verb } => {
                format!("{}: {}", who(Some(*server)), plain::line(verb, 24).replace('_', " "))
            }
            kind => format!("{} {}", who(server::of(kind)), of_server(kind)),
        }
    }
}

/// The name of a method without its service.
pub(crate) fn name(method: &str) -> &str {
    method.rsplit('.').next().unwrap_or(method)
}

/// The link of an event, such as `0->1`.
pub(crate) fn link(kind: &Kind) -> String {
    match kind {
        Kind::Link { from, to, .. } => format!("{from}->{to}"),
        _ => String::new(),
    }
}

/// A server, or the lab.
pub(crate) fn who(server: Option<usize>) -> String {
    server.map_or_else(|| "the lab".to_owned(), |server| format!("server {server}"))
}

fn ending(how: How) -> &'static str {
    match how {
        How::Answered => "answered",
        How::Disabled => "not sent, the caller is disconnected",
        How::Deleted => "not sent, the caller is gone",
        How::NoServer => "no answer, the server is down",
        How::Cut => "no answer, the link is cut",
        How::RequestLost => "request lost",
        How::ReplyLost => "reply lost",
        How::ServerGone => "no answer, a server went away",
        How::HandlerPanicked => "the handler panicked",
        How::Refused => "refused",
        How::Closed => "the test ended",
    }
}

/// What happened to a server, without its number.
fn of_server(kind: &Kind) -> String {
    match kind {
        Kind::Started { incarnation: 1, .. } => "starts".into(),
        Kind::Started { incarnation, .. } => format!("restarts, incarnation {incarnation}"),
        Kind::Crashed { .. } => "crashes".into(),
        Kind::Saved { bytes, snapshot_bytes: 0, .. } => format!("saves {bytes} bytes"),
        Kind::Saved { bytes, snapshot_bytes, .. } => {
            format!("saves {bytes} bytes and a snapshot of {snapshot_bytes}")
        }
        Kind::Offered { command, .. } => format!("is asked to take {}", plain::line(command, 40)),
        Kind::Accepted { index, term, command, .. } => {
            format!("takes {} as index {index} of term {term}", plain::line(command, 40))
        }
        Kind::Refused { .. } => "takes no command".into(),
        Kind::SaidState { term, .. } => format!("says: term {term}"),
        Kind::SaidLeader { term, .. } => format!("says: leader of term {term}"),
        Kind::Applied { index, command, .. } => {
            format!("applies {} at index {index}", plain::line(command, 40))
        }
        Kind::AppliedSnapshot { index, .. } => format!("applies a snapshot up to index {index}"),
        _ => String::new(),
    }
}

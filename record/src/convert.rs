//! An event of the history as lines of a run file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use history::{Event, RaftEvent, ServerEvent, What};
use labrpc::network::{CallStep, Ending};
use raftapi::{ApplyMsg, Inspect};
use runfile::{How, Kind, Value};

use crate::{changes, values};

/// Converts events, and remembers what each server showed last.
pub(crate) struct Converter {
    shown: Vec<Option<Arc<Inspect>>>,
    /// What a message says whose step comes next, by call and copy; the request has no copy.
    described: BTreeMap<(u64, Option<u32>), Value>,
    /// The links that are cut.
    cut: BTreeSet<(usize, usize)>,
}

impl Converter {
    pub(crate) fn new(servers: usize) -> Converter {
        Converter { shown: vec![None; servers], described: BTreeMap::new(), cut: BTreeSet::new() }
    }

    /// The lines of an event: none for what no reader of a run file needs.
    pub(crate) fn convert(&mut self, event: &Event<'_>) -> Option<Kind> {
        match &event.what {
            What::Call(call) => self.of_call(call),
            What::Server(of, what) => self.of_server(of.server, of.number, what),
            What::Raft(of, what) => self.of_raft(of.server, what),
            What::Link { verb, from, to } => self.of_link(verb, *from, *to),
            What::Waiting(phrase) => Some(Kind::Waiting { phrase: (*phrase).to_owned() }),
            // The command shows when it is offered.
            What::Drawn(_) => None,
        }
    }

    /// A test may cut a link that is cut already, and heal one that is not: no change.
    fn of_link(&mut self, verb: &str, from: usize, to: usize) -> Option<Kind> {
        let has_changed = match verb {
            "cut" => self.cut.insert((from, to)),
            "heal" => self.cut.remove(&(from, to)),
            _ => true,
        };
        has_changed.then(|| Kind::Link { verb: verb.to_owned(), from, to })
    }

    fn of_server(
        &mut self,
        server: usize,
        incarnation: u32,
        what: &ServerEvent<'_>,
    ) -> Option<Kind> {
        let fault = |verb: &str| Some(Kind::Fault { server, verb: verb.to_owned() });
        match what {
            ServerEvent::Starting(_) => {
                self.shown[server] = None;
                Some(Kind::Started { server, incarnation })
            }
            ServerEvent::Crashed => Some(Kind::Crashed { server }),
            ServerEvent::Fault(verb) => fault(verb),
            ServerEvent::Paused => fault("pause"),
            ServerEvent::Resumed => fault("resume"),
            ServerEvent::Saved { new, .. } => Some(Kind::Saved {
                server,
                bytes: new.raft_state.len(),
                snapshot_bytes: new.snapshot.len(),
            }),
            // The crash is the moment that counts.
            ServerEvent::Silenced => None,
        }
    }

    fn of_raft(&mut self, server: usize, what: &RaftEvent<'_>) -> Option<Kind> {
        match what {
            RaftEvent::Offered { command } => {
                Some(Kind::Offered { server, command: values::words(command) })
            }
            RaftEvent::State { term, .. } => Some(Kind::SaidState { server, term: *term }),
            RaftEvent::Leads { term } => Some(Kind::SaidLeader { server, term: *term }),
            RaftEvent::Started { started, command, .. } => Some(Kind::Accepted {
                server,
                index: started.index,
                term: started.term,
                command: values::words(command),
            }),
            RaftEvent::Refused { .. } => Some(Kind::Refused { server }),
            RaftEvent::Restored { state, .. } => self.shows(server, state),
            RaftEvent::Sampled { state, .. } => self.shows(server, state.as_ref()?),
            RaftEvent::Applied(ApplyMsg::Command { index, command }) => {
                Some(Kind::Applied { server, index: *index, command: values::words(command) })
            }
            RaftEvent::Applied(ApplyMsg::Snapshot { index, term, snapshot }) => {
                let bytes = snapshot.len();
                Some(Kind::AppliedSnapshot { server, index: *index, term: *term, bytes })
            }
            // The question says nothing that its answer does not.
            RaftEvent::Asked => None,
        }
    }

    fn of_call(&mut self, event: &labrpc::network::Event) -> Option<Kind> {
        let call = event.call;
        Some(match &event.step {
            CallStep::Described { is_reply, copy, value } => {
                let of = (call, is_reply.then_some(*copy));
                self.described.insert(of, values::of(value));
                return None;
            }
            CallStep::Sent { bytes } => Kind::Sent {
                call,
                from: event.from,
                to: event.to,
                method: event.method.to_string(),
                bytes: *bytes,
                args: self.described.remove(&(call, None)),
            },
            CallStep::Intercepted { is_reply } => Kind::Caught { call, reply: *is_reply },
            CallStep::Dispatched { copy } => Kind::Dispatched { call, copy: *copy },
            CallStep::Handled { bytes, copy } => {
                let reply = self.described.remove(&(call, Some(*copy)));
                Kind::Handled { call, copy: *copy, bytes: *bytes, reply }
            }
            CallStep::Ended(ending) => Kind::Ended { call, how: how(*ending) },
            CallStep::Misused(text) => Kind::Misused { call, text: text.clone() },
            CallStep::Overloaded { by_reply } => {
                let message = if *by_reply { "reply" } else { "request" };
                let text = format!("too many bytes in flight with this {message}");
                Kind::Misused { call, text }
            }
        })
    }

    fn shows(&mut self, server: usize, state: &Arc<Inspect>) -> Option<Kind> {
        let old = self.shown[server].replace(Arc::clone(state));
        changes::between(server, old.as_deref(), state).map(Kind::State)
    }
}

fn how(ending: Ending) -> How {
    match ending {
        Ending::Answered { .. } => How::Answered,
        Ending::Disabled => How::Disabled,
        Ending::Deleted => How::Deleted,
        Ending::NoServer => How::NoServer,
        Ending::Cut => How::Cut,
        Ending::RequestLost => How::RequestLost,
        Ending::ReplyLost => How::ReplyLost,
        Ending::ServerGone => How::ServerGone,
        Ending::HandlerPanicked => How::HandlerPanicked,
        Ending::Refused => How::Refused,
        Ending::Closed => How::Closed,
    }
}

//! An event of the history as lines of a run file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use history::{Event, Incarnation, RaftEvent, ServerEvent, What};
use labrpc::network::{CallStep, Ending};
use raftapi::{ApplyMsg, Inspect};
use runfile::{How, Kind, Value};

use crate::changes::{self, Look};
use crate::details::Shown;
use crate::values;

/// The limit on the values of all messages together: a few hundred megabytes. Once a message exceeds
/// what is left, it is recorded without its values.
const VALUES_MAX: usize = 1 << 22;

/// Converts events, and remembers what each server showed last.
pub(crate) struct Converter {
    /// The incarnation that runs; 0 if none does.
    running: Vec<u32>,
    shown: Vec<Option<Look>>,
    /// The details of the look that comes next.
    details: Vec<Shown>,
    /// What a message says whose step comes next, by call and copy; the request has no copy.
    described: BTreeMap<(u64, Option<u32>), Value>,
    /// How many further values are recorded.
    room: usize,
    /// The links that are cut.
    cut: BTreeSet<(usize, usize)>,
}

impl Converter {
    pub(crate) fn new(servers: usize) -> Converter {
        Converter {
            running: vec![0; servers],
            shown: vec![None; servers],
            details: vec![Shown::default(); servers],
            described: BTreeMap::new(),
            room: VALUES_MAX,
            cut: BTreeSet::new(),
        }
    }

    /// The lines of an event: none for what no reader of a run file needs.
    pub(crate) fn convert(&mut self, event: &Event<'_>) -> Option<Kind> {
        match &event.what {
            What::Call(call) => self.of_call(call),
            What::Server(of, what) => self.of_server(of.server, of.number, what),
            What::Raft(of, what) => self.of_raft(*of, what),
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
                self.running[server] = incarnation;
                self.shown[server] = None;
                self.details[server] = Shown::default();
                Some(Kind::Started { server, incarnation })
            }
            ServerEvent::Crashed => {
                self.running[server] = 0;
                Some(Kind::Crashed { server })
            }
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

    fn of_raft(&mut self, of: Incarnation, what: &RaftEvent<'_>) -> Option<Kind> {
        let server = of.server;
        let is_look = matches!(
            what,
            RaftEvent::Details { .. } | RaftEvent::Restored { .. } | RaftEvent::Sampled { .. }
        );
        // A look that began before a crash says nothing of the server that runs now.
        if is_look && self.running[server] != of.number {
            return None;
        }
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
            RaftEvent::Details { details, election_deadline } => {
                self.details[server] = Shown::new(self.shown.len(), details, *election_deadline);
                None
            }
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
                if let Some(room) = self.room.checked_sub(values::count(value)) {
                    self.room = room;
                    let of = (call, is_reply.then_some(*copy));
                    self.described.insert(of, values::of(value));
                }
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
        let details = std::mem::take(&mut self.details[server]);
        let new = Look { state: Arc::clone(state), details };
        let change = changes::between(server, self.shown[server].as_ref(), &new);
        self.shown[server] = Some(new);
        change.map(Kind::State)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use history::Moment;
    use labrpc::network;
    use raftapi::{Details, Saved};
    use runfile::State;

    use super::*;

    fn convert(converter: &mut Converter, what: What<'_>) -> Option<Kind> {
        converter.convert(&Event { moment: Moment::default(), what })
    }

    fn look(converter: &mut Converter, number: u32, votes: Vec<usize>) -> Option<Kind> {
        let of = Incarnation { server: 0, number };
        let details = Details { votes_received: Some(votes), ..Details::default() };
        let shown = RaftEvent::Details { details: &details, election_deadline: None };
        assert_eq!(convert(converter, What::Raft(of, shown)), None);
        let state = Some(Arc::new(Inspect::default()));
        let sampled = RaftEvent::Sampled { asked: Moment::default(), state };
        convert(converter, What::Raft(of, sampled))
    }

    fn start(converter: &mut Converter, number: u32) {
        let of = Incarnation { server: 0, number };
        convert(converter, What::Server(of, ServerEvent::Starting(&Saved::default())));
    }

    #[test]
    fn when_there_are_too_many_values_a_message_is_recorded_without_them() {
        let mut converter = Converter::new(3);
        converter.room = 4;
        let mut sent = |call, parts| {
            let list = vec![network::Value::Null; parts];
            let described =
                CallStep::Described { is_reply: false, copy: 0, value: network::Value::List(list) };
            let event = |step| network::Event {
                at: Duration::ZERO,
                call,
                from: None,
                to: None,
                method: "Raft.RequestVote".into(),
                step,
            };
            assert_eq!(convert(&mut converter, What::Call(&event(described))), None);
            let kind = convert(&mut converter, What::Call(&event(CallStep::Sent { bytes: 1 })));
            let Some(Kind::Sent { args, .. }) = kind else { panic!("{kind:?}") };
            args.is_some()
        };
        assert_eq!([sent(1, 2), sent(2, 1), sent(3, 0), sent(4, 0)], [true, false, true, false]);
    }

    #[test]
    fn details_are_part_of_the_look_that_follows() {
        let mut converter = Converter::new(3);
        start(&mut converter, 1);
        let Some(Kind::State(first)) = look(&mut converter, 1, vec![0]) else { panic!("nothing") };
        assert_eq!((first.term, first.votes_received), (Some(0), Some(Some(vec![0]))));
        assert_eq!(look(&mut converter, 1, vec![0]), None);
        let votes_received = Some(Some(vec![0, 2]));
        let change = State { votes_received, ..State::default() };
        assert_eq!(look(&mut converter, 1, vec![2, 0]), Some(Kind::State(change)));
    }

    #[test]
    fn a_look_at_an_incarnation_that_has_crashed_is_ignored() {
        let mut converter = Converter::new(3);
        start(&mut converter, 1);
        let of = Incarnation { server: 0, number: 1 };
        convert(&mut converter, What::Server(of, ServerEvent::Crashed));
        assert_eq!(look(&mut converter, 1, vec![0]), None);
        start(&mut converter, 2);
        assert_eq!(look(&mut converter, 1, vec![0]), None);
        let Some(Kind::State(first)) = look(&mut converter, 2, vec![1]) else { panic!("nothing") };
        assert_eq!((first.term, first.votes_received), (Some(0), Some(Some(vec![1]))));
    }
}

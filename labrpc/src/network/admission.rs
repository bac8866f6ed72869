//! What the network decides when a call arrives.

use std::time::Duration;

use choice::{Choices, Name};

use crate::value::Value;

use super::event::Ending;
use super::fate::{Conditions, Fate};
use super::link::Link;
use super::request::{self, Leg, Request};
use super::server::Server;
use super::state::{self, Shared};

/// Whether the network takes a call, and what will happen to it.
pub(crate) enum Admission {
    /// The network does not take the call.
    Denied(Ending),
    /// The server cannot be reached, and the caller waits. The network keeps the server that long.
    Unreachable {
        obstacle: Ending,
        after: Duration,
        _server: Option<Server>,
    },
    Admitted {
        server: Server,
        fate: Fate,
    },
}

/// Numbers the call, looks at the network, and draws the fate, all under one lock.
///
/// `value` describes the arguments, if choices are named.
pub(crate) fn admit(
    network: &Shared,
    end_number: usize,
    method: &str,
    value: Option<&Value>,
) -> (Request, Admission) {
    let mut guard = network.state.lock();
    let request = guard.request(end_number, method);
    state::let_held_in(&mut guard);
    let state = &mut *guard;
    let end = state.end(end_number);
    let (deleted, enabled) = (end.deleted, end.enabled);
    if state.closed || deleted {
        let ending = if state.closed { Ending::Closed } else { Ending::Deleted };
        return (request, Admission::Denied(ending));
    }
    state.add_pending(&request, network.log.now());

    let there = state.links.get(request.endpoints(Leg::Request));
    let back = state.links.get(request.endpoints(Leg::Reply));
    let server = state.server(request.to.as_deref()).cloned();
    let obstacle = if !enabled || request.to.is_none() {
        Some(Ending::Disabled)
    } else if server.is_none() {
        Some(Ending::NoServer)
    } else {
        there.is_some_and(|link| link.cut).then_some(Ending::Cut)
    };
    let on_link = |link: Option<&Link>| {
        link.map(|link| link.disturbance.clone().on(request.kind())).unwrap_or_default()
    };
    let conditions = Conditions {
        reachable: obstacle.is_none(),
        unreliable: state.unreliable,
        long_delays: state.long_delays,
        long_reordering: state.long_reordering,
        request: on_link(there),
        reply: on_link(back),
    };
    let fate = Fate::draw(&mut state.end(end_number).rng, &conditions);
    let fate = chosen(&state.choices, &request, value, fate);
    let admission = match (server, obstacle, fate) {
        (Some(server), None, fate @ Fate::Accepted { .. }) => Admission::Admitted { server, fate },
        (server, Some(obstacle), Fate::Unreachable { after }) => {
            Admission::Unreachable { obstacle, after, _server: server }
        }
        _ => unreachable!("a server is reached exactly if nothing stands in the way"),
    };
    (request, admission)
}

/// What the plan of the run says about the call, or else what was drawn.
fn chosen(choices: &Choices, request: &Request, value: Option<&Value>, drawn: Fate) -> Fate {
    if !choices.are_named() {
        return drawn;
    }
    let name = || Name::Message {
        method: request.method.to_string(),
        from: request::number(request.from.as_deref()),
        to: request::number(request.to.as_deref()),
        term: value.and_then(|value| value.number("term")),
        nth: 0,
    };
    choices.message(name, choice::Fate::from(&drawn)).into()
}

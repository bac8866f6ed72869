//! RPCs that break the rules of the network. Each one is a failure, because its caller can ignore
//! the error.

use labrpc::network::{CallStep, Event, UNDER_WAY_BYTES_MAX};
use verdict::{Class, Failure};

/// The failure of a step of a call, if it is one.
pub(crate) fn failure_of(event: &Event) -> Option<Failure> {
    Some(match (&event.step, event.from, event.to) {
        (CallStep::Misused(what), Some(caller), Some(called)) => {
            Failure::misuse(caller, called, what)
        }
        (CallStep::Misused(what), server, _) => {
            Failure { server, ..Failure::new(Class::Contract, what) }
        }
        (CallStep::Overloaded { by_reply }, from, to) => {
            overload(if *by_reply { to } else { from })
        }
        _ => return None,
    })
}

fn overload(server: Option<usize>) -> Failure {
    let who = server.map_or_else(|| "a server".into(), |server| format!("server {server}"));
    let mib = UNDER_WAY_BYTES_MAX >> 20;
    let sentence = format!("{who} had more than {mib} MiB of messages in flight");
    Failure { server, ..Failure::new(Class::Limit, sentence) }
}

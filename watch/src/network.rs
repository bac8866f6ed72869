//! What the checker learns from the network: which handlers run. Checks S16, nothing comes from a
//! crashed server, which is a rule for the kit itself.

use std::collections::BTreeMap;

use history::Moment;
use labrpc::network::{CallStep, Event};

use crate::breach::{CrashBreach, Violation};
use crate::server::Server;

/// The calls of one cluster.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// The highest number of a call so far.
    calls: u64,
    /// Calls that were sent while their caller was down.
    sent_while_down: BTreeMap<u64, usize>,
}

impl Network {
    /// The number of the next call.
    pub(crate) fn next_call(&self) -> u64 {
        self.calls + 1
    }

    /// Reads a step of a call.
    pub(crate) fn hear(
        &mut self,
        event: &Event,
        at: Moment,
        servers: &mut [Server],
    ) -> Result<(), Violation> {
        self.calls = self.calls.max(event.call);
        let known = |server: &usize| *server < servers.len();
        let (from, to) = (event.from.filter(known), event.to.filter(known));
        match &event.step {
            CallStep::Sent { .. } => {
                if let Some(caller) = from
                    && servers[caller].down
                {
                    self.sent_while_down.insert(event.call, caller);
                }
            }
            CallStep::Dispatched { copy } => {
                if let Some(called) = to {
                    servers[called].begin_handler((event.call, *copy));
                }
                if let Some(caller) = self.sent_while_down.get(&event.call) {
                    let method = event.method.to_string();
                    let breach = CrashBreach::SentAfterCrash { method, delivered: at };
                    return Err(Violation::of(*caller, breach));
                }
            }
            CallStep::Handled { bytes, copy } => {
                if let Some(called) = to {
                    servers[called].end_handler((event.call, *copy), bytes.is_some());
                }
            }
            CallStep::Ended(_) => _ = self.sent_while_down.remove(&event.call),
            CallStep::Described { .. }
            | CallStep::Intercepted { .. }
            | CallStep::Misused(_)
            | CallStep::Overloaded { .. } => {}
        }
        Ok(())
    }
}

//! What the checker learns from the network: which handlers run; and S16, nothing comes from a
//! crashed server, which is a rule for the kit itself.

use std::collections::BTreeMap;

use history::Moment;
use labrpc::{Event, Name, Step};

use crate::breach::{CrashBreach, Violation};
use crate::server::Server;

/// The calls of one cluster.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// The highest number of a call.
    calls: u64,
    /// Calls that were sent while their caller was down.
    from_the_dead: BTreeMap<u64, usize>,
}

impl Network {
    /// The number of the next call.
    pub(crate) fn next_call(&self) -> u64 {
        self.calls + 1
    }

    /// Takes in a step of a call.
    pub(crate) fn hear(
        &mut self,
        event: &Event,
        at: Moment,
        servers: &mut [Server],
    ) -> Result<(), Violation> {
        self.calls = self.calls.max(event.call);
        let number = |name: &Option<Name>| {
            let number = name.as_ref().and_then(Name::number);
            number.filter(|number| *number < servers.len())
        };
        let (from, to) = (number(&event.from), number(&event.to));
        match &event.step {
            Step::Sent { .. } => {
                if let Some(caller) = from
                    && servers[caller].down
                {
                    self.from_the_dead.insert(event.call, caller);
                }
            }
            Step::Dispatched { duplicate } => {
                if let Some(called) = to {
                    servers[called].begin_handler((event.call, *duplicate));
                }
                if let Some(caller) = self.from_the_dead.get(&event.call) {
                    let method = event.method.to_string();
                    let breach = CrashBreach::FromTheDead { method, delivered: at };
                    return Err(Violation::of(*caller, breach));
                }
            }
            Step::Handled { bytes, duplicate } => {
                if let Some(called) = to {
                    servers[called].end_handler((event.call, *duplicate), bytes.is_some());
                }
            }
            Step::Ended(_) => _ = self.from_the_dead.remove(&event.call),
            Step::Misused(_) | Step::Overloaded { .. } => {}
        }
        Ok(())
    }
}

//! Two servers with one end each, for tests of what can happen between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use labrpc::network::{CallStep, Ending, Network, Server};
use labrpc::{CallError, ClientEnd, Service};

/// Two servers that can call one another, and how often each one's handler ran.
pub(crate) struct Pair {
    pub(crate) network: Network,
    pub(crate) ends: [ClientEnd; 2],
    handled: [Arc<AtomicU64>; 2],
}

impl Pair {
    pub(crate) fn new() -> Pair {
        let network = Network::new(1);
        let handled = [0, 1].map(|_| Arc::new(AtomicU64::new(0)));
        for (server, count) in handled.iter().enumerate() {
            network.add_server(server, increments(count));
        }
        let ends = [0, 1].map(|from| {
            let name = format!("end of {from}");
            let end = network.make_end_of(from, name.as_str());
            network.connect(name.as_str(), 1 - from);
            network.enable(name, true);
            end
        });
        Pair { network, ends, handled }
    }

    /// Replaces a server, as a crash and a restart do. The counts of its handlers go on.
    pub(crate) fn restart(&self, server: usize) {
        self.network.delete_server(server);
        self.network.add_server(server, increments(&self.handled[server]));
    }

    pub(crate) fn call(&self, from: usize) -> Result<u64, CallError> {
        self.ends[from].call("Test.Increment", &1_u64)
    }

    pub(crate) fn handled(&self, server: usize) -> u64 {
        self.handled[server].load(Ordering::Relaxed)
    }

    pub(crate) fn last_ending(&self) -> Ending {
        let events = self.network.events();
        let ending = events.iter().rev().find_map(|event| match event.step {
            CallStep::Ended(ending) => Some(ending),
            _ => None,
        });
        ending.expect("no call has ended")
    }
}

/// A server whose handler adds one, and counts.
fn increments(count: &Arc<AtomicU64>) -> Server {
    let count = Arc::clone(count);
    let service = Service::new("Test").method("Increment", move |n: u64| {
        count.fetch_add(1, Ordering::Relaxed);
        n + 1
    });
    Server::from(service)
}

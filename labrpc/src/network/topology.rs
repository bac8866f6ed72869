//! The servers and ends of a network, how they are connected, and the counters.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use choice::Choices;

use crate::end::ClientEnd;

use super::call::LocalEnd;
use super::event::Event;
use super::name::Name;
use super::server::Server;
use super::state::{Pending, Shared};

/// A network in this process: 6.824's `labrpc.Network`. Clones are the same network.
///
/// It starts reliable, with no loss and no delay. All random numbers come from the seed, with a
/// stream for each end. So what is drawn for one end does not depend on what other ends do.
#[derive(Clone)]
pub struct Network {
    pub(crate) shared: Arc<Shared>,
}

impl Network {
    /// A reliable network without ends or servers.
    pub fn new(seed: u64) -> Network {
        Network::choosing(seed, Choices::drawn())
    }

    /// The same, with the choices of its run.
    pub fn choosing(seed: u64, choices: Choices) -> Network {
        Network { shared: Arc::new(Shared::new(seed, choices)) }
    }

    /// The choices of the run.
    pub fn choices(&self) -> Choices {
        self.shared.state.lock().choices.clone()
    }

    /// Makes an end that belongs to no server. It is disabled and not connected.
    ///
    /// # Panics
    /// If an end of that name exists.
    pub fn make_end(&self, name: impl Into<Name>) -> ClientEnd {
        self.insert_end(&name.into(), None)
    }

    /// Makes an end through which the server `owner` calls, so that faults of links apply to it and
    /// events have the caller.
    ///
    /// # Panics
    /// If an end of that name exists.
    pub fn make_end_of(&self, owner: impl Into<Name>, name: impl Into<Name>) -> ClientEnd {
        self.insert_end(&name.into(), Some(&owner.into()))
    }

    fn insert_end(&self, name: &Name, owner: Option<&Name>) -> ClientEnd {
        let number = {
            let mut state = self.shared.state.lock();
            let owner = owner.map(|owner| state.addresses.resolve(owner));
            state.add_end(name, owner)
        };
        let end = LocalEnd { network: Arc::clone(&self.shared), number };
        ClientEnd::carried(name.as_str(), Arc::new(end))
    }

    /// Deletes an end; its name is free again. Calls through it get no answer from now on, each
    /// after [`GONE_DELAY`](super::fate::GONE_DELAY), and are not counted. A call whose handler
    /// runs gets no answer either.
    ///
    /// # Panics
    /// If there is no such end.
    pub fn delete_end(&self, name: impl Into<Name>) {
        self.shared.state.lock().delete_end(&name.into());
    }

    /// Sets the destination of an end. The server need not exist yet.
    ///
    /// # Panics
    /// If there is no such end.
    pub fn connect(&self, end: impl Into<Name>, server: impl Into<Name>) {
        let mut state = self.shared.state.lock();
        let destination = state.addresses.resolve(&server.into());
        state.end_named(&end.into()).destination = Some(destination);
    }

    /// Switches an end on or off. A call through a disabled end never reaches the server, not even
    /// when the end is enabled while the caller still waits.
    ///
    /// # Panics
    /// If there is no such end.
    pub fn enable(&self, end: impl Into<Name>, enabled: bool) {
        self.shared.state.lock().end_named(&end.into()).enabled = enabled;
    }

    /// Adds a server under a name. One that was there is replaced, and calls in it get no answer.
    pub fn add_server(&self, name: impl Into<Name>, server: Server) {
        self.set_server(&name.into(), Some(server));
    }

    /// Removes the server of that name, if there is one. Calls in it get no answer.
    pub fn delete_server(&self, name: impl Into<Name>) {
        self.set_server(&name.into(), None);
    }

    fn set_server(&self, name: &Name, server: Option<Server>) {
        let old = {
            let mut state = self.shared.state.lock();
            let address = state.addresses.resolve(name);
            state.set_server(&address, server)
        };
        // Its workers have to end, which takes a lock: not while ours is held.
        drop(old);
    }

    /// The whole names of all methods that were ever called, in alphabetical order.
    pub fn methods(&self) -> Vec<Arc<str>> {
        self.shared.state.lock().methods.values().cloned().collect()
    }

    /// The number of calls that reached the server object which has that name now. None if there is
    /// no such server.
    pub fn get_count(&self, server: impl Into<Name>) -> Option<u64> {
        let state = self.shared.state.lock();
        state.server(state.addresses.find(&server.into())).map(Server::count)
    }

    /// The number of calls that the network took, including those that were lost or went nowhere.
    pub fn get_total_count(&self) -> u64 {
        self.shared.log.tally().calls
    }

    /// The bytes of all requests that the network took, even if lost later, and of all replies that
    /// reached their callers.
    pub fn get_total_bytes(&self) -> u64 {
        self.shared.log.tally().bytes
    }

    /// Closes the network. Calls get no answer from now on, each after
    /// [`GONE_DELAY`](super::fate::GONE_DELAY), and calls that are held end. Other calls that were
    /// taken before still wait for their answer.
    pub fn cleanup(&self) {
        let traps = {
            let mut state = self.shared.state.lock();
            state.closed = true;
            std::mem::take(&mut state.traps)
        };
        self.shared.released.notify_all();
        traps.close();
    }

    /// The time since the start of the network, on the clock of the log.
    pub fn now(&self) -> Duration {
        self.shared.log.now()
    }

    /// All events so far, in the order in which they happened.
    pub fn events(&self) -> Vec<Event> {
        self.shared.log.events()
    }

    /// Calls `reader` with every later event, on the thread that caused it, with no lock of the
    /// network held.
    pub fn subscribe(&self, reader: impl Fn(&Event) + Send + Sync + 'static) {
        self.shared.log.subscribe(Arc::new(reader));
    }

    /// Records the values of arguments and replies from now on
    /// ([`CallStep::Described`](super::CallStep::Described)).
    pub fn describe_values(&self) {
        self.shared.describes.store(true, Ordering::Relaxed);
    }

    /// The calls that have not ended, oldest first.
    pub fn pending(&self) -> Vec<Pending> {
        self.shared.state.lock().pending.values().cloned().collect()
    }
}

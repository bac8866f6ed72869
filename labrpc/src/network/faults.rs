//! The faults of a network: of all of it, of one link, or of the messages to one server.

use std::sync::atomic::Ordering;

use super::fate::Disturbance;
use super::link::{Hold, Link};
use super::name::Name;
use super::topology::Network;

/// Faults of the whole network, as in 6.824.
impl Network {
    /// Makes the network reliable or unreliable, for calls that arrive from now on.
    pub fn reliable(&self, yes: bool) {
        self.shared.state.lock().unreliable = !yes;
    }

    /// Delays replies at random, for calls that arrive from now on.
    pub fn long_reordering(&self, yes: bool) {
        self.shared.state.lock().long_reordering = yes;
    }

    /// Makes calls to servers that cannot be reached take up to 7 s instead of up to 0.1 s.
    pub fn long_delays(&self, yes: bool) {
        self.shared.state.lock().long_delays = yes;
    }

    /// Whether the network is reliable.
    pub fn is_reliable(&self) -> bool {
        !self.shared.state.lock().unreliable
    }

    /// Whether calls to servers that cannot be reached take long.
    pub fn is_long_delays(&self) -> bool {
        self.shared.state.lock().long_delays
    }
}

/// Faults of one link, the directed path from one server to another. The link back stays as it is.
impl Network {
    /// Cuts a link. Requests on it never arrive, and replies on it are lost though the handler ran.
    /// The caller waits as for a disabled end.
    pub fn cut(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.with_link(from, to, |link| link.cut = true);
    }

    /// Ends [`Network::cut`].
    pub fn heal(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.with_link(from, to, |link| link.cut = false);
    }

    /// Holds every message on a link back. None is lost.
    pub fn hold(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.with_link(from, to, |link| link.hold = Some(Hold::default()));
    }

    /// Like [`Network::hold`], but only for calls of these kinds, by the last part of the method's
    /// name.
    pub fn hold_only(&self, from: impl Into<Name>, to: impl Into<Name>, kinds: &[String]) {
        let hold = Hold { only: Some(kinds.to_vec()), lets_pass: false };
        self.with_link(from, to, |link| link.hold = Some(hold));
    }

    /// From now on messages overtake those that are held, so newer messages arrive before older
    /// ones.
    pub fn pass(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.with_link(from, to, |link| {
            link.hold.iter_mut().for_each(|hold| hold.lets_pass = true);
        });
    }

    /// Ends [`Network::hold`] and [`Network::pass`]. What was held arrives now.
    pub fn release(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.with_link(from, to, |link| link.hold = None);
        self.shared.released.notify_all();
    }

    /// Loses, delays or duplicates messages on a link, for calls that arrive from now on.
    pub fn disturb(&self, from: impl Into<Name>, to: impl Into<Name>, by: Disturbance) {
        self.with_link(from, to, |link| link.disturbance = by);
    }

    /// Ends [`Network::disturb`].
    pub fn calm(&self, from: impl Into<Name>, to: impl Into<Name>) {
        self.disturb(from, to, Disturbance::default());
    }

    fn with_link(
        &self,
        from: impl Into<Name>,
        to: impl Into<Name>,
        change: impl FnOnce(&mut Link),
    ) {
        let mut state = self.shared.state.lock();
        let from = state.addresses.resolve(&from.into());
        let to = state.addresses.resolve(&to.into());
        change(state.links.change(&from, &to));
    }
}

/// Faults of the messages to one server.
impl Network {
    /// From now on a request outlives the server that it was sent to: if another server has the
    /// name when the request arrives, as after a crash and a restart, that one handles it. The same
    /// holds for a duplicate. If there is no server then, the request is lost.
    ///
    /// Real networks do that. Without this fault, and in 6.824, such a request is handled by the
    /// server that was there when it was sent, and the caller never gets the reply. A reply to a
    /// caller that has crashed is always ignored, with or without this fault.
    pub fn outlive(&self, server: impl Into<Name>) {
        self.shared.any_outlives.store(true, Ordering::Relaxed);
        let mut state = self.shared.state.lock();
        let server = state.addresses.resolve(&server.into());
        state.outlived.insert(server.index);
    }

    /// Ends [`Network::outlive`]. False if it had not begun.
    pub fn expire(&self, server: impl Into<Name>) -> bool {
        let mut state = self.shared.state.lock();
        let server = state.addresses.resolve(&server.into());
        state.outlived.remove(&server.index)
    }
}

//! The servers of a cluster as the lab knows them, and their links to the network.
//!
//! This is not part of [`Cluster`](crate::Cluster), because a server can also be crashed on its own
//! thread, in the middle of a save.

use std::sync::Arc;

use choice::Choices;
use history::{History, Incarnation, ServerEvent, What};
use labrpc::network::{Name, Network};
use parking_lot::{Mutex, MutexGuard};
use raftapi::Storage;
use verdict::{Death, Life, Referee};

use crate::disk::Disk;
use crate::sharing::Sharing;

/// The servers of one cluster.
pub(crate) struct Servers<P: ?Sized> {
    pub(crate) network: Network,
    pub(crate) choices: Choices,
    pub(crate) history: History,
    pub(crate) referee: Referee,
    sharing: Sharing,
    all: Mutex<Vec<Slot<P>>>,
    /// Held while a server is cut off or its next incarnation begins. So a crash at a save never
    /// hits a later incarnation than the one that it is for.
    cutting: Mutex<()>,
}

/// What the lab knows of one server.
pub(crate) struct Slot<P: ?Sized> {
    pub(crate) server: Option<Arc<P>>,
    pub(crate) connected: bool,
    pub(crate) deaf: bool,
    pub(crate) incarnation: u32,
    /// The incarnation has begun and has not crashed.
    pub(crate) alive: bool,
    pub(crate) life: Life,
    /// Its threads are paused.
    pub(crate) paused: bool,
    /// A server that has crashed and was not killed yet. Whatever it does is ignored.
    crashed: Option<Arc<P>>,
    pub(crate) ends: Vec<Name>,
    pub(crate) disk: Arc<Disk>,
}

impl<P: ?Sized> Default for Slot<P> {
    fn default() -> Slot<P> {
        Slot {
            server: None,
            connected: false,
            deaf: false,
            incarnation: 0,
            alive: false,
            life: Life::default(),
            paused: false,
            crashed: None,
            ends: Vec::new(),
            disk: Arc::default(),
        }
    }
}

impl<P: ?Sized> Servers<P> {
    pub(crate) fn new(
        servers: usize,
        network: Network,
        history: History,
        referee: Referee,
        sharing: Sharing,
    ) -> Servers<P> {
        let all = Mutex::new((0..servers).map(|_| Slot::default()).collect());
        let choices = network.choices();
        Servers { network, choices, history, referee, sharing, all, cutting: Mutex::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Slot<P>>> {
        self.all.lock()
    }

    pub(crate) fn incarnation(&self, server: usize) -> Incarnation {
        Incarnation { server, number: self.all.lock()[server].incarnation }
    }

    pub(crate) fn record(&self, of: Incarnation, what: ServerEvent<'_>) -> history::Moment {
        self.history.record(What::Server(of, what))
    }

    /// Records that a fault of a server began or ended.
    pub(crate) fn record_fault(&self, server: usize, verb: &'static str) {
        self.record(self.incarnation(server), ServerEvent::Fault(verb));
    }

    /// Records that a fault of a link began or ended.
    pub(crate) fn record_link(&self, verb: &'static str, from: usize, to: usize) {
        self.history.record(What::Link { verb, from, to });
    }

    /// Begins the next incarnation of a server, with a disk that holds what the last one saved.
    pub(crate) fn begin(self: &Arc<Self>, server: usize) -> (Incarnation, Life, Arc<Disk>) {
        let _cutting = self.cutting.lock();
        let mut all = self.all.lock();
        let slot = &mut all[server];
        slot.incarnation += 1;
        slot.alive = true;
        slot.life = self.referee.begin_life(server);
        let of = Incarnation { server, number: slot.incarnation };
        // The old incarnation keeps the old disk, so its later saves are lost.
        let copy = slot.disk.copy().owned_by(server, self.sharing.clone());
        let history = self.history.clone();
        slot.disk = Arc::new(copy.watched_by(move |old, new| {
            history.record(What::Server(of, ServerEvent::Saved { old, new }));
        }));
        (of, slot.life, Arc::clone(&slot.disk))
    }

    /// Disconnects a server from everything that could observe it. Returns the server to kill.
    pub(crate) fn cut_off(&self, server: usize) -> Option<(Life, Arc<P>)> {
        let _cutting = self.cutting.lock();
        self.silence(server);
        let slot = &mut self.all.lock()[server];
        Some((slot.life, slot.crashed.take()?))
    }

    /// Crashes this incarnation of a server at one of its own saves. Its `kill` is called later.
    pub(crate) fn crash_at_save(&self, of: Incarnation, life: Life) {
        let _cutting = self.cutting.lock();
        if self.incarnation(of.server) == of {
            self.referee.end_life(life, Death::Crashed);
            self.silence(of.server);
        }
    }

    fn silence(&self, server: usize) {
        let was_alive = {
            let slot = &mut self.all.lock()[server];
            std::mem::take(&mut slot.alive)
        };
        let of = self.incarnation(server);
        if was_alive {
            self.record(of, ServerEvent::Crashed);
        }
        self.change(server, |slot| slot.connected = false);
        // First the network, then the disk: no message may reveal what a restart forgets.
        self.network.delete_server(server);
        if was_alive {
            self.record(of, ServerEvent::Silenced);
        }
        let mut all = self.all.lock();
        let slot = &mut all[server];
        // A thread that ignores the kill may call on. Its calls must fail immediately.
        for end in slot.ends.drain(..) {
            self.network.delete_end(end);
        }
        slot.disk = Arc::new(slot.disk.copy());
        if let Some(server) = slot.server.take() {
            slot.crashed = Some(server);
        }
    }

    /// Changes a server's slot, and then enables or disables every end from and to it.
    pub(crate) fn change(&self, server: usize, change: impl FnOnce(&mut Slot<P>)) {
        let mut all = self.all.lock();
        change(&mut all[server]);
        for other in 0..all.len() {
            for (from, to) in [(server, other), (other, server)] {
                let (caller, called) = (&all[from], &all[to]);
                let deaf = called.deaf && from != to;
                let enabled = caller.connected && called.connected && !deaf;
                if let Some(name) = caller.ends.get(to) {
                    self.network.enable(name, enabled);
                }
            }
        }
    }

    /// The largest size of any server's saved state, as measured by `size`.
    pub(crate) fn max_saved(&self, size: impl Fn(&raftapi::Saved) -> usize) -> usize {
        self.all.lock().iter().map(|slot| size(&slot.disk.load())).max().unwrap_or(0)
    }
}

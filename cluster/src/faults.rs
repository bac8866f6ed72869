//! What the adversary does to a cluster: verbs in pairs, each a fault and its end.
//!
//! They add to 6.824's connect and disconnect, crash and restart, and are independent of one
//! another: a link that is cut stays cut until it is healed, whatever crashes meanwhile.
//! [`Faults::heal_all`] ends all faults of the network.

use std::sync::Arc;

use history::{Incarnation, ServerEvent};
use labrpc::{Delay, Disturbance};
use verdict::label::Label;

use crate::servers::Servers;

/// The faults of one cluster.
pub struct Faults<P: ?Sized> {
    servers: Arc<Servers<P>>,
}

/// Links between servers. A link leads one way.
impl<P: ?Sized + Send + Sync + 'static> Faults<P> {
    pub(crate) fn new(servers: Arc<Servers<P>>) -> Faults<P> {
        Faults { servers }
    }

    /// Cuts the link from one server to another: requests and replies that go this way are lost.
    pub fn cut(&self, from: usize, to: usize) {
        self.servers.network.cut(from, to);
    }

    /// Ends [`Faults::cut`].
    pub fn heal(&self, from: usize, to: usize) {
        self.servers.network.mend(from, to);
    }

    /// Cuts every link between servers that have no group in common. A server can be in several
    /// groups, as a bridge between them. A server that is in none is alone.
    pub fn partition(&self, groups: &[&[usize]]) {
        for (from, to) in self.links() {
            let together = groups.iter().any(|group| group.contains(&from) && group.contains(&to));
            if together { self.heal(from, to) } else { self.cut(from, to) }
        }
    }

    /// Cuts one server off from all others, both ways. Unlike a disconnected server it stays
    /// connected for the lab, which goes on offering commands to it.
    pub fn isolate(&self, server: usize) {
        self.mute(server);
        self.shut(server);
    }

    /// Ends [`Faults::isolate`], [`Faults::mute`] and [`Faults::shut`] of one server.
    pub fn rejoin(&self, server: usize) {
        for other in self.others(server) {
            self.heal(server, other);
            self.heal(other, server);
        }
    }

    /// One-way out: nothing that a server sends arrives, neither requests nor replies.
    pub fn mute(&self, server: usize) {
        self.others(server).for_each(|other| self.cut(server, other));
    }

    /// One-way in: nothing arrives at a server, neither requests nor replies.
    pub fn shut(&self, server: usize) {
        self.others(server).for_each(|other| self.cut(other, server));
    }

    /// Keeps calls from reaching a server, also through a restart. Its own calls go out, and their
    /// replies come in.
    pub fn deafen(&self, server: usize) {
        self.servers.change(server, |slot| slot.deaf = true);
    }

    /// Ends [`Faults::deafen`].
    pub fn hear(&self, server: usize) {
        self.servers.change(server, |slot| slot.deaf = false);
    }

    /// Holds back every message from one server to another, without losing any.
    pub fn hold(&self, from: usize, to: usize) {
        self.servers.network.hold(from, to);
    }

    /// Lets later messages overtake those that are held, which so arrive out of order.
    pub fn pass(&self, from: usize, to: usize) {
        self.servers.network.pass(from, to);
    }

    /// Ends [`Faults::hold`]: what was held arrives now.
    pub fn release(&self, from: usize, to: usize) {
        self.servers.network.release(from, to);
    }

    /// Loses, delays or duplicates messages from one server to another.
    pub fn disturb(&self, from: usize, to: usize, by: Disturbance) {
        self.servers.network.disturb(from, to, by);
    }

    /// Ends [`Faults::disturb`].
    pub fn calm(&self, from: usize, to: usize) {
        self.servers.network.calm(from, to);
    }

    /// Disturbs every link between two servers.
    pub fn disturb_all(&self, by: &Disturbance) {
        self.links().for_each(|(from, to)| self.disturb(from, to, by.clone()));
    }

    /// Delays whatever a server sends and gets, each by a time drawn from 0 to `delay_ms`.
    pub fn slow(&self, server: usize, delay_ms: u64) {
        let delay = Delay::Uniform(0..=delay_ms);
        for other in self.others(server) {
            let by = Disturbance { delay: Some(delay.clone()), ..Disturbance::default() };
            self.disturb(server, other, by.clone());
            self.disturb(other, server, by);
        }
    }

    /// Ends [`Faults::slow`], and all that disturbs the links of one server.
    pub fn quicken(&self, server: usize) {
        for other in self.others(server) {
            self.calm(server, other);
            self.calm(other, server);
        }
    }

    /// Ends every cut, hold and disturbance between the servers, and the network's own.
    pub fn heal_all(&self) {
        for (from, to) in self.links() {
            self.heal(from, to);
            self.calm(from, to);
            self.release(from, to);
        }
        self.servers.network.reliable(true);
        self.servers.network.long_reordering(false);
    }

    fn others(&self, server: usize) -> impl Iterator<Item = usize> + use<P> {
        let n = self.servers.lock().len();
        (0..n).filter(move |other| *other != server)
    }

    /// Every ordered pair of two servers.
    fn links(&self) -> impl Iterator<Item = (usize, usize)> + use<P> {
        let n = self.servers.lock().len();
        (0..n).flat_map(move |from| (0..n).map(move |to| (from, to))).filter(|(a, b)| a != b)
    }
}

/// Servers.
impl<P: ?Sized + Send + Sync + 'static> Faults<P> {
    /// Stops all threads of a server where they stand, until [`Faults::resume`]. Its clock goes on.
    /// It answers nothing meanwhile, not even the lab. End it within 10 s: a call that has begun
    /// lasts as long.
    ///
    /// Only in virtual time. In real time it returns false and does nothing.
    pub fn pause(&self, server: usize) -> bool {
        if sim::is_virtual() {
            if !std::mem::replace(&mut self.servers.lock()[server].paused, true) {
                self.servers.record(self.servers.incarnation(server), ServerEvent::Paused);
            }
            sim::pause(Label::Server(server).group().group);
        }
        sim::is_virtual()
    }

    /// Ends [`Faults::pause`]: the server goes on where it stood, and finds that time has passed.
    pub fn resume(&self, server: usize) {
        sim::resume(Label::Server(server).group().group);
        if std::mem::replace(&mut self.servers.lock()[server].paused, false) {
            self.servers.record(self.servers.incarnation(server), ServerEvent::Resumed);
        }
    }

    /// Lets a server's clock run `rate` times as fast as the others', also through a restart.
    ///
    /// Only in virtual time. In real time it returns false and does nothing.
    pub fn rush_clock(&self, server: usize, rate: f64) -> bool {
        sim::set_clock_rate(Label::Server(server).group().group, rate);
        sim::is_virtual()
    }

    /// Ends [`Faults::rush_clock`]: the clock runs as the others do. It is not set back.
    pub fn steady_clock(&self, server: usize) {
        self.rush_clock(server, 1.0);
    }

    /// Crashes a server at its `saves`-th save from now. That save is the last that is kept, and
    /// nothing that the server does afterwards is heard or counts, not even the answer for which it
    /// saved. The next restart ends it.
    ///
    /// This happens inside the save itself, in real time as well. The threads of the crashed server
    /// go on, unheard, until it is restarted or the cluster ends.
    pub fn crash_at_save(&self, server: usize, saves: u64) {
        self.crash_around_save(server, saves, true);
    }

    /// The same a moment earlier: the save comes too late, so the server forgets whatever it has
    /// said that depends on it.
    pub fn crash_before_save(&self, server: usize, saves: u64) {
        self.crash_around_save(server, saves, false);
    }

    fn crash_around_save(&self, server: usize, saves: u64, is_kept: bool) {
        let (disk, of, life) = {
            let slot = &self.servers.lock()[server];
            if slot.server.is_none() {
                return;
            }
            let of = Incarnation { server, number: slot.incarnation };
            (Arc::clone(&slot.disk), of, slot.life)
        };
        let servers = Arc::clone(&self.servers);
        disk.fuse.light(saves, is_kept, move || servers.crash_at_save(of, life));
    }

    /// Ends [`Faults::crash_at_save`] and [`Faults::crash_before_save`], if it has not happened yet.
    pub fn spare(&self, server: usize) {
        self.servers.lock()[server].disk.fuse.put_out();
    }
}

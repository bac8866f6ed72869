//! The faults of a cluster. They are verbs in pairs: one begins a fault and the other ends it.
//!
//! | begins | ends | what |
//! |---|---|---|
//! | `cut` | `heal` | one link loses everything |
//! | `isolate`, `mute`, `shut` | `rejoin` | all, outgoing or incoming links of a server lose all |
//! | `partition` | `partition` with one group, `heal_all` | links between groups lose everything |
//! | `deafen` | `hear` | a server gets no requests, but replies to its own |
//! | `hold` | `release`, or `pass` for later messages | one link delays everything |
//! | `disturb`, `disturb_all` | `calm`, `heal_all` | one link, or all, lose or delay or duplicate |
//! | `slow` | `quicken` | all links of a server delay messages |
//! | `pause` | `resume` | all threads of a server stand still |
//! | `rush_clock` | `steady_clock` | a server's clock runs faster or slower |
//! | `outlive` | `expire`, `heal_all` | messages to a server outlive its crash |
//! | `crash_at_save`, `crash_before_save` | `spare`, or a restart | a crash around a save |
//!
//! They add to 6.824's connect and disconnect, crash and restart. They are independent of one
//! another: a link that is cut stays cut until it is healed, even through a crash.
//! Each begin is one choice of the run ([`choice::Choices::fault`]) and can be left out of a run;
//! its end then finds nothing to end.
//! [`Faults::heal_all`] ends all faults of the network.

use std::sync::Arc;

use history::{Incarnation, ServerEvent};
use labrpc::network::{Delay, Disturbance};
use verdict::label::Label;

use crate::servers::Servers;

/// The faults of one cluster.
pub struct Faults<P: ?Sized> {
    servers: Arc<Servers<P>>,
}

/// Faults of links. A link is the directed path between two servers.
impl<P: ?Sized + Send + Sync + 'static> Faults<P> {
    pub(crate) fn new(servers: Arc<Servers<P>>) -> Faults<P> {
        Faults { servers }
    }

    /// Cuts the link from one server to another: it loses all requests and replies.
    pub fn cut(&self, from: usize, to: usize) {
        if self.happens("cut", &[from, to]) {
            self.cut_now(from, to);
        }
    }

    fn cut_now(&self, from: usize, to: usize) {
        self.servers.network.cut(from, to);
        self.servers.record_link("cut", from, to);
    }

    /// Ends [`Faults::cut`].
    pub fn heal(&self, from: usize, to: usize) {
        self.servers.network.heal(from, to);
        self.servers.record_link("heal", from, to);
    }

    /// Cuts every link between servers without a common group, and heals every other link. A server
    /// can be in several groups, as a bridge between them. A server that is in no group is alone.
    pub fn partition(&self, groups: &[&[usize]]) {
        let group = |group: &&[usize]| {
            let members: Vec<String> = group.iter().map(usize::to_string).collect();
            format!(" {{{}}}", members.join(", "))
        };
        let groups_named: String = groups.iter().map(group).collect();
        let happens = self.happens(&format!("partition{groups_named}"), &[]);
        for (from, to) in self.links() {
            let together = groups.iter().any(|group| group.contains(&from) && group.contains(&to));
            if together {
                self.heal(from, to);
            } else if happens {
                self.cut_now(from, to);
            }
        }
    }

    /// Cuts all links from and to one server. Unlike after a disconnect, the lab still treats the
    /// server as connected and offers commands to it.
    pub fn isolate(&self, server: usize) {
        if self.happens("isolate", &[server]) {
            self.mute_now(server);
            self.shut_now(server);
        }
    }

    /// Heals all links from and to one server: ends [`Faults::isolate`], [`Faults::mute`] and
    /// [`Faults::shut`].
    pub fn rejoin(&self, server: usize) {
        for other in self.others(server) {
            self.heal(server, other);
            self.heal(other, server);
        }
    }

    /// Cuts all links from one server: nothing that it sends arrives, neither requests nor replies.
    pub fn mute(&self, server: usize) {
        if self.happens("mute", &[server]) {
            self.mute_now(server);
        }
    }

    fn mute_now(&self, server: usize) {
        self.others(server).for_each(|other| self.cut_now(server, other));
    }

    /// Cuts all links to one server: nothing arrives at it, neither requests nor replies.
    pub fn shut(&self, server: usize) {
        if self.happens("shut", &[server]) {
            self.shut_now(server);
        }
    }

    fn shut_now(&self, server: usize) {
        self.others(server).for_each(|other| self.cut_now(other, server));
    }

    /// Keeps calls from reaching a server, even after a restart. Its own calls go out, and it gets
    /// their replies, unlike after [`Faults::shut`].
    pub fn deafen(&self, server: usize) {
        if !self.happens("deafen", &[server]) {
            return;
        }
        self.servers.change(server, |slot| slot.deaf = true);
        self.servers.record_fault(server, "deafen");
    }

    /// Ends [`Faults::deafen`].
    pub fn hear(&self, server: usize) {
        self.servers.change(server, |slot| slot.deaf = false);
        self.servers.record_fault(server, "hear");
    }

    /// Holds back every message from one server to another, without losing any.
    pub fn hold(&self, from: usize, to: usize) {
        if !self.happens("hold", &[from, to]) {
            return;
        }
        self.servers.network.hold(from, to);
        self.servers.record_link("hold", from, to);
    }

    /// Lets later messages pass. Messages that are held stay held, and will arrive out of order.
    pub fn pass(&self, from: usize, to: usize) {
        self.servers.network.pass(from, to);
        self.servers.record_link("pass", from, to);
    }

    /// Ends [`Faults::hold`]: the held messages arrive now.
    pub fn release(&self, from: usize, to: usize) {
        self.servers.network.release(from, to);
        self.servers.record_link("release", from, to);
    }

    /// Loses, delays or duplicates messages from one server to another.
    ///
    /// This is no choice by itself: what it does to each message is.
    pub fn disturb(&self, from: usize, to: usize, by: Disturbance) {
        self.servers.network.disturb(from, to, by);
        self.servers.record_link("disturb", from, to);
    }

    /// Ends [`Faults::disturb`].
    pub fn calm(&self, from: usize, to: usize) {
        self.servers.network.calm(from, to);
        self.servers.record_link("calm", from, to);
    }

    /// Disturbs every link between two servers.
    pub fn disturb_all(&self, by: &Disturbance) {
        self.links().for_each(|(from, to)| self.disturb(from, to, by.clone()));
    }

    /// Delays each message from and to a server by a random time from 0 to `delay_ms` milliseconds.
    pub fn slow(&self, server: usize, delay_ms: u64) {
        let delay = Delay::Uniform(0..=delay_ms);
        for other in self.others(server) {
            let by = Disturbance { delay: Some(delay.clone()), ..Disturbance::default() };
            self.disturb(server, other, by.clone());
            self.disturb(other, server, by);
        }
    }

    /// Ends [`Faults::slow`], and [`Faults::disturb`] on all links of one server.
    pub fn quicken(&self, server: usize) {
        for other in self.others(server) {
            self.calm(server, other);
            self.calm(other, server);
        }
    }

    /// From now on the next incarnation of a server handles requests that were sent before the
    /// crash and arrive after the restart: requests and duplicates that are delayed or held. A real
    /// network behaves like this. A request that arrives while the server is down is lost.
    ///
    /// Without this fault the crashed incarnation handles such a request, without any effect, as in
    /// 6.824.
    pub fn outlive(&self, server: usize) {
        if !self.happens("outlive", &[server]) {
            return;
        }
        self.servers.network.outlive(server);
        self.servers.record_fault(server, "outlive");
    }

    /// Ends [`Faults::outlive`], if it has begun.
    pub fn expire(&self, server: usize) {
        if self.servers.network.expire(server) {
            self.servers.record_fault(server, "expire");
        }
    }

    /// Ends every cut, hold and disturbance between the servers, and makes the network reliable.
    /// Also ends [`Faults::outlive`] for all servers.
    pub fn heal_all(&self) {
        for (from, to) in self.links() {
            self.heal(from, to);
            self.calm(from, to);
            self.release(from, to);
        }
        self.others(usize::MAX).for_each(|server| self.expire(server));
        self.servers.network.reliable(true);
        self.servers.network.long_reordering(false);
    }

    /// Whether a fault begins, or is left out of this run.
    fn happens(&self, verb: &str, servers: &[usize]) -> bool {
        self.servers.choices.fault(verb, servers)
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

/// Faults of servers.
impl<P: ?Sized + Send + Sync + 'static> Faults<P> {
    /// Pauses all threads of a server until [`Faults::resume`]. Its clock runs on. It answers
    /// nothing during the pause, not even to the lab. Resume it within 10 s: that is the limit of a
    /// call of the lab, and such a call may have begun before the pause.
    ///
    /// Only in virtual time, and only if servers share no threads. Otherwise it does nothing and
    /// returns false.
    pub fn pause(&self, server: usize) -> bool {
        let can_pause = self.can_stop_one();
        if can_pause && self.happens("pause", &[server]) {
            if !std::mem::replace(&mut self.servers.lock()[server].paused, true) {
                self.servers.record(self.servers.incarnation(server), ServerEvent::Paused);
            }
            sim::pause(Label::Server(server).group().group);
        }
        can_pause
    }

    /// Ends [`Faults::pause`]: the server continues where it stopped, and sees that time has
    /// passed.
    pub fn resume(&self, server: usize) {
        sim::resume(Label::Server(server).group().group);
        if std::mem::replace(&mut self.servers.lock()[server].paused, false) {
            self.servers.record(self.servers.incarnation(server), ServerEvent::Resumed);
        }
    }

    /// Lets a server's clock run `rate` times as fast as the others, even through a restart.
    ///
    /// Only in virtual time, and only if servers share no threads. Otherwise it does nothing and
    /// returns false.
    pub fn rush_clock(&self, server: usize, rate: f64) -> bool {
        if !self.happens("rush_clock", &[server]) {
            return self.can_stop_one();
        }
        self.set_clock_rate(server, rate, "rush_clock")
    }

    /// Ends [`Faults::rush_clock`]: the clock runs as fast as the others again. It is not set back.
    pub fn steady_clock(&self, server: usize) {
        self.set_clock_rate(server, 1.0, "steady_clock");
    }

    fn set_clock_rate(&self, server: usize, rate: f64, verb: &'static str) -> bool {
        let can_set = self.can_stop_one();
        if can_set {
            sim::set_clock_rate(Label::Server(server).group().group, rate);
            self.servers.record_fault(server, verb);
        }
        can_set
    }

    /// Whether a fault can act on the threads of a single server.
    fn can_stop_one(&self) -> bool {
        sim::is_virtual() && !self.servers.referee.has_shared_threads()
    }

    /// Crashes a server at its `saves`-th save from now. That save is the last one that is kept.
    /// Whatever the server does afterwards reaches no other server and does not count, not even the
    /// answer for which it saved. The next restart ends this.
    ///
    /// The crash happens inside the save itself, even in real time. The threads of the crashed
    /// server run on without effect until it is restarted or the cluster ends.
    pub fn crash_at_save(&self, server: usize, saves: u64) {
        self.crash_around_save(server, saves, true);
    }

    /// Like [`Faults::crash_at_save`], but that save is lost. So a server that answered before it
    /// saved has forgotten its answer.
    pub fn crash_before_save(&self, server: usize, saves: u64) {
        self.crash_around_save(server, saves, false);
    }

    fn crash_around_save(&self, server: usize, saves: u64, is_kept: bool) {
        let verb = if is_kept { "crash_at_save" } else { "crash_before_save" };
        if !self.happens(verb, &[server]) {
            return;
        }
        let (disk, of, life) = {
            let slot = &self.servers.lock()[server];
            if slot.server.is_none() {
                return;
            }
            let of = Incarnation { server, number: slot.incarnation };
            (Arc::clone(&slot.disk), of, slot.life)
        };
        let servers = Arc::clone(&self.servers);
        self.servers.record_fault(server, verb);
        disk.fuse.light(saves, is_kept, move || servers.crash_at_save(of, life));
    }

    /// Cancels [`Faults::crash_at_save`] and [`Faults::crash_before_save`], if the crash has not
    /// happened yet.
    pub fn spare(&self, server: usize) {
        self.servers.lock()[server].disk.fuse.put_out();
        self.servers.record_fault(server, "spare");
    }
}

//! What the adversary of part 3E does to a cluster: verbs in pairs, each a fault and its end.
//!
//! They come on top of 6.824's connect and disconnect, crash and restart, and do not know of one
//! another: a way that is cut stays so until it is mended, whoever crashes meanwhile.
//! [`Config::heal`] ends all that concern the network, [`Config::relieve`] all that concern one
//! server.

use std::sync::Arc;
use std::time::Duration;

use labrpc::{Delay, Disturbance};

use crate::config::{self, Config};
use crate::label::Label;
use crate::lives::Death;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Elections: `RequestVote`.
    Votes,
    /// Replication, heartbeats included: `AppendEntries`.
    Entries,
    /// `InstallSnapshot`.
    Snapshots,
}

impl Kind {
    /// An implementation may call its RPCs as it likes; what it calls them tells.
    fn is_told_by(self, name: &str) -> bool {
        let name = name.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        match self {
            Kind::Votes => has(&["vote", "elect", "poll"]),
            Kind::Snapshots => has(&["snap", "install"]),
            Kind::Entries => has(&["append", "entr", "heart", "replic"]) && !has(&["snap", "vote"]),
        }
    }
}

/// Ways between servers.
impl Config {
    /// Cuts the way from one server to another: requests and replies that go this way are lost.
    pub fn cut(&self, from: usize, to: usize) {
        self.network.cut(from, to);
    }

    /// Ends [`Config::cut`].
    pub fn mend(&self, from: usize, to: usize) {
        self.network.mend(from, to);
    }

    /// Cuts every way between servers that have no group in common; a server may be in several, as
    /// a bridge between them. One that is in none is alone.
    pub fn partition(&self, groups: &[&[usize]]) {
        for (from, to) in self.ways() {
            let together = groups.iter().any(|group| group.contains(&from) && group.contains(&to));
            if together { self.mend(from, to) } else { self.cut(from, to) }
        }
    }

    /// Cuts one server off from all others, both ways. Unlike a disconnected one it does not know,
    /// and the lab goes on offering commands to it.
    pub fn isolate(&self, server: usize) {
        self.mute(server);
        self.shut(server);
    }

    /// Ends [`Config::isolate`], [`Config::mute`] and [`Config::shut`] of one server.
    pub fn rejoin(&self, server: usize) {
        for other in self.others(server) {
            self.mend(server, other);
            self.mend(other, server);
        }
    }

    /// One-way out: nothing of what a server says is heard, neither requests nor replies.
    pub fn mute(&self, server: usize) {
        self.others(server).for_each(|other| self.cut(server, other));
    }

    /// One-way in: a server hears nothing, neither requests nor replies.
    pub fn shut(&self, server: usize) {
        self.others(server).for_each(|other| self.cut(other, server));
    }

    /// Holds back every message from one server to another, without losing any.
    pub fn hold(&self, from: usize, to: usize) {
        self.network.hold(from, to);
    }

    /// Lets later messages pass by those that are held, which so arrive out of order.
    pub fn pass(&self, from: usize, to: usize) {
        self.network.pass(from, to);
    }

    /// Ends [`Config::hold`]: what was held arrives now.
    pub fn release(&self, from: usize, to: usize) {
        self.network.release(from, to);
    }

    /// Loses, delays or duplicates messages from one server to another.
    pub fn disturb(&self, from: usize, to: usize, by: Disturbance) {
        self.network.disturb(from, to, by);
    }

    /// Ends [`Config::disturb`].
    pub fn calm(&self, from: usize, to: usize) {
        self.network.calm(from, to);
    }

    /// Disturbs every way between two servers.
    pub fn disturb_all(&self, by: &Disturbance) {
        self.ways().for_each(|(from, to)| self.disturb(from, to, by.clone()));
    }

    /// Delays whatever a server sends and gets, by a time drawn from 0 to `delay_ms` each.
    pub fn slow(&self, server: usize, delay_ms: u64) {
        let delay = Delay::Uniform(0..=delay_ms);
        for other in self.others(server) {
            let by = Disturbance { delay: Some(delay.clone()), ..Disturbance::default() };
            self.disturb(server, other, by.clone());
            self.disturb(other, server, by);
        }
    }

    /// Ends [`Config::slow`], and all that disturbs the ways of one server.
    pub fn quicken(&self, server: usize) {
        for other in self.others(server) {
            self.calm(server, other);
            self.calm(other, server);
        }
    }

    /// Ends every cut, hold and disturbance between the servers, and the network's own.
    pub fn heal(&self) {
        for (from, to) in self.ways() {
            self.mend(from, to);
            self.calm(from, to);
            self.release(from, to);
        }
        self.network.reliable(true);
        self.network.long_reordering(false);
    }

    /// The names of the RPCs of one kind, as far as any were made; none if no name tells.
    pub fn names_of(&self, kind: Kind) -> Vec<String> {
        let methods = self.network.methods();
        let names = methods.iter().map(|method| method.rsplit('.').next().unwrap_or(method));
        names.filter(|name| kind.is_told_by(name)).map(str::to_owned).collect()
    }

    fn others(&self, server: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.n()).filter(move |other| *other != server)
    }

    /// Every ordered pair of two servers.
    fn ways(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let n = self.n();
        (0..n).flat_map(move |from| (0..n).map(move |to| (from, to))).filter(|(a, b)| a != b)
    }
}

/// Servers.
impl Config {
    /// Stops all threads of a server where they stand, until [`Config::resume`]; its clock goes on.
    /// It answers nothing meanwhile, not even the lab. To be ended within 10 s, since a call that
    /// it has begun lasts as long.
    ///
    /// Only in virtual time; false if this is not it, and then nothing happens.
    pub fn pause(&self, server: usize) -> bool {
        if sim::is_virtual() {
            if !std::mem::replace(&mut self.servers.lock()[server].paused, true) {
                self.observer.pauses_or_resumes(server);
            }
            sim::pause(Label::Server(server).group().group);
        }
        sim::is_virtual()
    }

    /// Ends [`Config::pause`]: the server goes on where it stood, and finds that time has passed.
    pub fn resume(&self, server: usize) {
        sim::resume(Label::Server(server).group().group);
        if std::mem::replace(&mut self.servers.lock()[server].paused, false) {
            self.observer.pauses_or_resumes(server);
        }
    }

    /// Whether a server is paused.
    pub fn is_paused(&self, server: usize) -> bool {
        self.servers.lock()[server].paused
    }

    /// Lets a server's clock run so many times as fast as the others', also through a restart.
    ///
    /// Only in virtual time; false if this is not it, and then nothing happens.
    pub fn rush_clock(&self, server: usize, rate: f64) -> bool {
        sim::set_clock_rate(Label::Server(server).group().group, rate);
        sim::is_virtual()
    }

    /// Ends [`Config::rush_clock`]: the clock runs as the others do. It is not set back.
    pub fn steady_clock(&self, server: usize) {
        self.rush_clock(server, 1.0);
    }

    /// Makes the lab take its time for every message that a server applies, also after a restart.
    pub fn dawdle(&self, server: usize, time: Duration) {
        self.pace.set(server, u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }

    /// Ends [`Config::dawdle`].
    pub fn hurry(&self, server: usize) {
        self.pace.set(server, 0);
    }

    /// Crashes a server at its `saves`-th save from now: that is the last that is kept, and nothing
    /// that the server does afterwards is heard or counts, not even the answer for which it saved.
    /// The next restart ends it.
    ///
    /// This happens inside the very save, in real time as well. The threads of the crashed peer go
    /// on, unheard, until it is restarted or the cluster ends.
    pub fn crash_at_save(&self, server: usize, saves: u64) {
        self.crash_around_save(server, saves, true);
    }

    /// The same a moment earlier: the save comes too late, so whatever the server has said that
    /// depends on it is forgotten.
    pub fn crash_before_save(&self, server: usize, saves: u64) {
        self.crash_around_save(server, saves, false);
    }

    fn crash_around_save(&self, server: usize, saves: u64, is_kept: bool) {
        let (disk, incarnation, life) = {
            let slot = &self.servers.lock()[server];
            if slot.peer.is_none() {
                return;
            }
            (Arc::clone(&slot.disk), slot.incarnation, slot.life)
        };
        let (network, applied) = (self.network.clone(), Arc::clone(&self.applied));
        let (servers, observer) = (Arc::clone(&self.servers), self.observer.clone());
        let (cutting, referee) = (Arc::clone(&self.cutting), self.referee.clone());
        disk.fuse.light(saves, is_kept, move || {
            let _cutting = cutting.lock();
            if servers.lock()[server].incarnation == incarnation {
                referee.end_life(life, Death::Crashed);
                config::cut_off(&network, &applied, &observer, &servers, server);
            }
        });
    }

    /// Takes [`Config::crash_at_save`] and [`Config::crash_before_save`] back, if it has not
    /// happened yet.
    pub fn spare(&self, server: usize) {
        self.servers.lock()[server].disk.fuse.put_out();
    }

    /// Ends whatever one server suffers by itself: a pause, a wrong clock, a slow lab, a crash that
    /// is to come, or one that was.
    pub fn relieve(&self, server: usize) {
        self.resume(server);
        self.steady_clock(server);
        self.hurry(server);
        self.spare(server);
        if !self.is_running(server) {
            self.restart(server);
        }
        if !self.is_connected(server) {
            self.connect(server);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_the_name_of_the_rpc() {
        let told = |name| {
            let kinds = [Kind::Votes, Kind::Entries, Kind::Snapshots];
            kinds.into_iter().filter(|kind| kind.is_told_by(name)).collect::<Vec<_>>()
        };
        for name in ["RequestVote", "PreVote", "HandleElection"] {
            assert_eq!(told(name), [Kind::Votes], "{name}");
        }
        for name in ["AppendEntries", "heartbeat", "Replicate"] {
            assert_eq!(told(name), [Kind::Entries], "{name}");
        }
        assert_eq!(told("InstallSnapshot"), [Kind::Snapshots]);
        assert_eq!(told("Echo"), []);
    }
}

//! The swarm: first any fault may happen, and safety is checked; then a majority is healed, and its
//! liveness is checked.

use std::time::{Duration, Instant};

use config::{Kind, Setup};
use labrpc::network::{Delay, Disturbance};
use rand::RngExt;
use rand::seq::{IndexedRandom, IteratorRandom};
use runner::Lab;

use crate::part_e::arena::Arena;
use crate::part_e::plan::{Action, Plan};

/// The length of the first phase, unless a test says otherwise.
const TROUBLE: Duration = Duration::from_secs(20);
/// The same in each of the clusters of [`even_and_tiny_clusters`].
const TROUBLE_EACH: Duration = Duration::from_secs(6);
/// The longest delay of a message.
const DELAY_MS_MAX: u64 = 3000;
/// With long delays, a call that fails takes up to 7 s.
const LONG_DELAY_MS_MAX: u64 = 7000;
/// Clock rates, in hundredths.
const RATES: std::ops::RangeInclusive<u32> = 50..=200;

const EVERYTHING: &[&[Action]] =
    &[Action::LINKS, Action::MESSAGES, Action::PROCESSES, Action::TIME, Action::LOAD];

pub(crate) fn swarm_of_three(lab: &Lab) {
    swarm(lab, 3, EVERYTHING, TROUBLE);
}

pub(crate) fn swarm_of_five(lab: &Lab) {
    swarm(lab, 5, EVERYTHING, TROUBLE);
}

pub(crate) fn swarm_of_seven(lab: &Lab) {
    swarm(lab, 7, EVERYTHING, TROUBLE);
}

/// A majority of an even number is more than half; one server is a majority of itself. The single
/// server comes last: many Rafts do not work alone, and still have to show their majorities.
pub(crate) fn even_and_tiny_clusters(lab: &Lab) {
    for servers in [2, 4, 6, 1] {
        let ending = if servers == 1 { "" } else { "s" };
        lab.referee().enter_stage(format!("in the cluster of {servers} server{ending}"));
        swarm(lab, servers, EVERYTHING, TROUBLE_EACH);
    }
}

pub(crate) fn partitions(lab: &Lab) {
    swarm(lab, 5, &[Action::LINKS, &[Action::Storm]], TROUBLE);
}

pub(crate) fn messages(lab: &Lab) {
    swarm(lab, 5, &[Action::MESSAGES, &[Action::IsolateLeader, Action::Storm]], TROUBLE);
}

pub(crate) fn crashes(lab: &Lab) {
    swarm(lab, 5, &[Action::PROCESSES, &[Action::Storm]], TROUBLE);
}

pub(crate) fn clocks_and_pauses(lab: &Lab) {
    if !sim::is_virtual() {
        lab.find("clocks and threads can be stopped only in virtual time: not tried".into());
        return;
    }
    swarm(lab, 5, &[Action::TIME, &[Action::Crash]], TROUBLE);
}

fn swarm(lab: &Lab, servers: usize, possible: &[&[Action]], trouble: Duration) {
    let setup = Setup { snapshots: lab.rng().random_ratio(1, 2), ..Setup::reliable(servers) };
    let arena = Arena::new(lab, setup);
    let mut swarm = Swarm::new(arena, possible, trouble);
    swarm.start_one_by_one();
    swarm.make_trouble(trouble);
    let mut arena = swarm.arena;
    arena.judge_a_majority();
    arena.judge_all();
    arena.end();
}

/// A cluster, and the plan of its faults.
struct Swarm<'a> {
    arena: Arena<'a>,
    plan: Plan,
}

impl<'a> Swarm<'a> {
    fn new(mut arena: Arena<'a>, possible: &[&[Action]], trouble: Duration) -> Swarm<'a> {
        let plan = Plan::draw(&mut arena.rng, possible);
        if plan.outlives {
            arena.all().iter().for_each(|server| arena.cfg.faults().outlive(*server));
        }
        // Tests with several short clusters do not use faults that take long to end.
        let is_long = trouble == TROUBLE;
        if is_long && arena.rng.random_ratio(1, 3) {
            arena.cfg.network().long_delays(true);
            arena.calm_after = Duration::from_millis(LONG_DELAY_MS_MAX + 500);
        } else if plan.actions.contains(&Action::DelayForTerms) {
            arena.calm_after = Duration::from_millis(DELAY_MS_MAX + 500);
        } else {
            arena.calm_after = Duration::from_millis(2500);
        }
        Swarm { arena, plan }
    }

    /// Skewed start: in half of the runs the servers come one after the other.
    fn start_one_by_one(&mut self) {
        if self.arena.rng.random_ratio(1, 2) {
            return;
        }
        let servers = self.arena.shuffled();
        servers.iter().for_each(|server| self.arena.cfg.crash(*server));
        for server in servers {
            let pause_ms = self.arena.rng.random_range(0..=300);
            self.arena.sleep_ms(pause_ms);
            self.arena.cfg.restart(server);
        }
    }

    fn make_trouble(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let action = *self.plan.actions.choose(&mut self.arena.rng).expect("it is never empty");
            self.start_commands();
            self.act(action);
            let pause_ms = self.arena.rng.random_range(0..=self.plan.pause_ms);
            self.arena.sleep_ms(pause_ms);
        }
    }

    /// Starts some commands at the leader, or at any server, which most often does not lead.
    fn start_commands(&mut self) {
        for _ in 0..self.arena.rng.random_range(0..=self.plan.commands) {
            let leader = self.arena.latest_leader();
            let any_server = self.any();
            let asked = if self.arena.rng.random_ratio(1, 3) { None } else { leader };
            self.arena.start(asked.unwrap_or(any_server));
        }
    }

    fn act(&mut self, action: Action) {
        use Action::*;
        match action {
            Halves | Isolate | IsolateLeader | Mute | Shut | Bridge | Ring | Flap | Rejoin
            | Heal => self.change_links(action),
            Lose | Delay | DelayForTerms | Duplicate => self.disturb(action),
            Hold | Reorder | Calm | Slow => self.change_traffic(action),
            Crash | CrashLeader | CrashAll | CrashAtSave | Restart => self.crash(action),
            Pause | Resume | RushClock | SteadyClock => self.change_time(action),
            SlowApplies | Storm => self.load(action),
        }
    }

    fn change_links(&mut self, action: Action) {
        let (servers, any) = (self.arena.shuffled(), self.any());
        let leader = self.arena.latest_leader().unwrap_or(any);
        let (cfg, n) = (&self.arena.cfg, servers.len());
        match action {
            Action::Halves => cfg.faults().partition(&[&servers[..n / 2], &servers[n / 2..]]),
            Action::Bridge => cfg.faults().partition(&[&servers[..=n / 2], &servers[n / 2..]]),
            Action::Ring => {
                // Each server reaches its neighbours, with which it is a majority.
                let reach = (0..n).map(|first| (0..=n / 2).map(move |k| (first + k) % n));
                let groups: Vec<Vec<usize>> =
                    reach.map(|group| group.map(|place| servers[place]).collect()).collect();
                let groups: Vec<&[usize]> = groups.iter().map(Vec::as_slice).collect();
                cfg.faults().partition(&groups[..n.div_ceil(2)]);
            }
            Action::Isolate => cfg.faults().isolate(any),
            Action::IsolateLeader => cfg.faults().isolate(leader),
            Action::Mute => cfg.faults().mute(any),
            Action::Shut => cfg.faults().shut(any),
            Action::Rejoin => cfg.faults().rejoin(any),
            Action::Heal => servers.iter().for_each(|server| cfg.faults().rejoin(*server)),
            Action::Flap => self.flap(leader),
            _ => {}
        }
    }

    fn flap(&mut self, server: usize) {
        for _ in 0..self.arena.rng.random_range(1..6) {
            let away_ms = self.arena.rng.random_range(100..700);
            self.arena.cfg.faults().isolate(server);
            self.arena.sleep_ms(away_ms);
            let back_ms = self.arena.rng.random_range(50..500);
            self.arena.cfg.faults().rejoin(server);
            self.arena.sleep_ms(back_ms);
        }
    }

    /// One fault of messages: on one link, on all links of one server, or on all links; for one
    /// kind of call or for all.
    fn disturb(&mut self, action: Action) {
        let (any, other) = (self.any(), self.any());
        let by = self.disturbance(action);
        let cfg = &self.arena.cfg;
        match self.arena.rng.random_range(0..4) {
            0 => cfg.faults().disturb(any, other, by),
            1 => (0..cfg.n()).for_each(|to| cfg.faults().disturb(any, to, by.clone())),
            2 => (0..cfg.n()).for_each(|from| cfg.faults().disturb(from, any, by.clone())),
            _ => cfg.faults().disturb_all(&by),
        }
    }

    fn disturbance(&mut self, action: Action) -> Disturbance {
        let (rng, plan) = (&mut self.arena.rng, &self.plan);
        let none = Disturbance::default();
        let by = match action {
            Action::Lose => Disturbance { lose_permille: plan.lose_permille, ..none },
            Action::Duplicate => Disturbance {
                duplicate_permille: plan.duplicate_permille,
                duplicate_delay_ms: Some(0..=if rng.random_ratio(1, 2) { 1500 } else { 100 }),
                ..none
            },
            Action::DelayForTerms => {
                let permille = rng.random_range(20..=200);
                let delay_ms = rng.random_range(500..=DELAY_MS_MAX);
                Disturbance { delay: Some(Delay::Spike { permille, delay_ms }), ..none }
            }
            _ => {
                let uniform = Delay::Uniform(0..=plan.delay_ms);
                // Its maximum is ten times its mean.
                let exponential = Delay::Exponential { mean_ms: plan.delay_ms.div_ceil(4) };
                let delay = if rng.random_ratio(1, 2) { uniform } else { exponential };
                Disturbance { delay: Some(delay), ..none }
            }
        };
        let kinds = [Kind::Votes, Kind::Entries, Kind::Snapshots];
        match kinds.choose(rng) {
            Some(kind) if rng.random_ratio(1, 2) => by.only(&self.arena.cfg.names_of(*kind)),
            _ => by,
        }
    }

    fn change_traffic(&mut self, action: Action) {
        let (from, to) = (self.any(), self.any());
        let held_ms = self.arena.rng.random_range(20..900);
        let is_overtaken = self.arena.rng.random_ratio(1, 2);
        let cfg = &self.arena.cfg;
        match action {
            Action::Hold => {
                cfg.faults().hold(from, to);
                if is_overtaken {
                    self.arena.sleep_ms(held_ms / 2);
                    self.arena.cfg.faults().pass(from, to);
                }
                self.arena.sleep_ms(held_ms);
                self.arena.cfg.faults().release(from, to);
            }
            Action::Reorder => cfg.network().long_reordering(true),
            Action::Slow => cfg.faults().slow(from, self.plan.delay_ms),
            _ => {
                cfg.network().long_reordering(false);
                (0..cfg.n()).for_each(|server| cfg.faults().quicken(server));
            }
        }
    }

    fn crash(&mut self, action: Action) {
        let (any, servers) = (self.any(), self.arena.shuffled());
        match action {
            Action::CrashLeader => {
                if let Some(leader) = self.arena.latest_leader() {
                    self.arena.start(leader);
                    self.arena.cfg.crash(leader);
                }
            }
            Action::CrashAll => {
                servers.iter().for_each(|server| self.arena.cfg.crash(*server));
                let back = self.arena.rng.random_range(0..=servers.len());
                servers[..back].iter().for_each(|server| self.arena.cfg.restart(*server));
            }
            Action::CrashAtSave => {
                let saves = self.arena.rng.random_range(1..=5);
                if self.arena.rng.random_ratio(1, 2) {
                    self.arena.cfg.faults().crash_at_save(any, saves);
                } else {
                    self.arena.cfg.faults().crash_before_save(any, saves);
                }
            }
            Action::Restart => {
                let (cfg, rng) = (&self.arena.cfg, &mut self.arena.rng);
                let down = servers.into_iter().filter(|server| !cfg.is_running(*server));
                down.choose(rng).into_iter().for_each(|server| cfg.restart(server));
            }
            _ => self.arena.cfg.crash(any),
        }
    }

    fn change_time(&mut self, action: Action) {
        let any = self.any();
        let rate = f64::from(self.arena.rng.random_range(RATES)) / 100.0;
        let leader = self.arena.latest_leader().filter(|_| rate < 1.0);
        let (cfg, rng) = (&self.arena.cfg, &mut self.arena.rng);
        match action {
            Action::Pause => {
                // It goes on by itself soon, or when it is drawn.
                let paused = leader.unwrap_or(any);
                cfg.faults().pause(paused);
                let pause_ms = rng.random_range(10..1500);
                self.arena.sleep_ms(pause_ms);
                self.arena.cfg.faults().resume(paused);
            }
            Action::RushClock => {
                cfg.faults().rush_clock(any, rate);
            }
            Action::SteadyClock => cfg.faults().steady_clock(any),
            _ => (0..cfg.n()).for_each(|server| cfg.faults().resume(server)),
        }
    }

    fn load(&mut self, action: Action) {
        let any = self.any();
        if action == Action::SlowApplies {
            let time = Duration::from_millis(self.arena.rng.random_range(0..=40));
            self.arena.cfg.delay_applies(any, time);
            return;
        }
        for _ in 0..self.arena.rng.random_range(1..=4) {
            for server in self.arena.shuffled() {
                self.arena.start(server);
            }
        }
    }

    fn any(&mut self) -> usize {
        self.arena.rng.random_range(0..self.arena.n())
    }
}

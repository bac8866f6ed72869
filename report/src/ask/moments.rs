//! A run as states between events: what each server was after each event.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use runfile::{Event, Kind, RunFile, State};

use super::logs::Logs;
use crate::phrase;
use crate::server::{self, Look, Server};

/// An event, and the server that is asked about there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    /// Counts the events of the file from 0.
    pub(super) event: usize,
    /// The number of servers stands for no server.
    pub(super) server: usize,
}

/// The moments of a run.
pub(super) struct Moments<'a> {
    pub(super) run: &'a RunFile,
    pub(super) servers: usize,
    /// What the servers were, each time that it changed.
    versions: Vec<Version>,
    /// The version after each event, a server after another.
    now: Vec<usize>,
    logs: Vec<Logs>,
    calls: Vec<Call<'a>>,
    /// The call of each event that is about one.
    call_of: Vec<Option<usize>>,
    /// The server that each event happens to.
    happens_to: Vec<Option<usize>>,
    /// Where clusters begin.
    clusters: Vec<usize>,
}

/// A server after an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) look: Look,
    pub(super) reaches_majority: bool,
    pub(super) details: Details,
    /// The version that showed its state last: this one, or one of before a crash.
    shown: Option<usize>,
}

/// The events that had the details which a server shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Details {
    votes_received: Option<usize>,
    next_index: Option<usize>,
    match_index: Option<usize>,
    pub(super) election_deadline: Option<u64>,
}

/// A call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) number: u64,
    pub(super) from: Option<usize>,
    pub(super) to: Option<usize>,
    /// Without its service.
    pub(super) method: &'a str,
    pub(super) args: Option<&'a runfile::Value>,
    /// The reply to the request itself, not to a duplicate.
    pub(super) reply: Option<&'a runfile::Value>,
}

impl<'a> Moments<'a> {
    pub(super) fn new(run: &'a RunFile) -> Moments<'a> {
        let mut fold = Fold::new(run);
        for (at, event) in run.events.iter().enumerate() {
            fold.take(at, event);
        }
        fold.moments
    }

    pub(super) fn events(&self) -> &'a [Event] {
        &self.run.events
    }

    pub(super) fn kind(&self, event: usize) -> &'a Kind {
        &self.run.events[event].kind
    }

    /// The server after the event; none if no server is asked about.
    pub(super) fn version(&self, at: Point) -> Option<&Version> {
        let is_server = at.server < self.servers;
        is_server.then(|| &self.versions[self.now[at.event * self.servers + at.server]])
    }

    /// The same, if it is up and has shown its state.
    pub(super) fn shown(&self, at: Point) -> Option<&Version> {
        self.version(at).filter(|version| version.look.is_up && version.look.role.is_some())
    }

    /// What the server showed last before the event, in this cluster.
    pub(super) fn shown_before(&self, at: Point) -> Option<&Version> {
        let before = at.event.checked_sub(1).filter(|before| *before >= self.cluster(at).start)?;
        let shown = self.version(Point { event: before, ..at })?.shown?;
        Some(&self.versions[shown])
    }

    /// The term of the server's entry at an index.
    pub(super) fn term_at(&self, at: Point, index: u64) -> Option<u64> {
        self.shown(at)?;
        self.logs[at.server].term_at(at.event, index)
    }

    pub(super) fn call(&self, event: usize) -> Option<&Call<'a>> {
        self.call_of[event].map(|call| &self.calls[call])
    }

    /// Tells calls of different clusters apart, unlike their numbers.
    pub(super) fn calls(&self) -> &[Call<'a>] {
        &self.calls
    }

    pub(super) fn happens_to(&self, event: usize) -> Option<usize> {
        self.happens_to[event]
    }

    /// Whether the event happens to this server, or to none if none is asked about.
    pub(super) fn is_there(&self, at: Point) -> bool {
        self.happens_to[at.event].unwrap_or(self.servers) == at.server
    }

    /// The events of the cluster that this one belongs to.
    pub(super) fn cluster(&self, at: Point) -> Range<usize> {
        let next = self.clusters.partition_point(|begin| *begin <= at.event);
        let start = next.checked_sub(1).map_or(0, |current| self.clusters[current]);
        start..self.clusters.get(next).copied().unwrap_or(self.run.events.len())
    }

    pub(super) fn majority(&self) -> usize {
        self.servers / 2 + 1
    }

    /// The number of votes that a server counts.
    pub(super) fn votes_received(&self, details: &Details) -> Option<usize> {
        let state = self.state(details.votes_received?)?;
        state.votes_received.as_ref()?.as_ref().map(Vec::len)
    }

    /// A list by server.
    pub(super) fn list(&self, details: &Details, is_next: bool) -> Option<&'a [u64]> {
        let event = if is_next { details.next_index } else { details.match_index };
        let state = self.state(event?)?;
        let list = if is_next { &state.next_index } else { &state.match_index };
        list.as_ref()?.as_deref()
    }

    fn state(&self, event: usize) -> Option<&'a State> {
        match self.kind(event) {
            Kind::State(state) => Some(state),
            _ => None,
        }
    }
}

/// The moments so far.
struct Fold<'a> {
    moments: Moments<'a>,
    servers: Vec<Server>,
    details: Vec<Details>,
    /// The links that are cut or held: from and to.
    cut: BTreeSet<(usize, usize)>,
    held: BTreeSet<(usize, usize)>,
    /// The version of each server.
    now: Vec<usize>,
    calls: BTreeMap<u64, usize>,
}

impl<'a> Fold<'a> {
    fn new(run: &'a RunFile) -> Fold<'a> {
        let servers = run.header.servers;
        let moments = Moments {
            run,
            servers,
            versions: vec![Version::default()],
            now: Vec::with_capacity(run.events.len() * servers),
            logs: (0..servers).map(|_| Logs::default()).collect(),
            calls: Vec::new(),
            call_of: Vec::with_capacity(run.events.len()),
            happens_to: Vec::with_capacity(run.events.len()),
            clusters: Vec::new(),
        };
        Fold {
            moments,
            servers: vec![Server::default(); servers],
            details: vec![Details::default(); servers],
            cut: BTreeSet::new(),
            held: BTreeSet::new(),
            now: vec![0; servers],
            calls: BTreeMap::new(),
        }
    }

    fn take(&mut self, at: usize, event: &'a Event) {
        let call = self.call(&event.kind);
        let of = server::of(&event.kind).or_else(|| self.receiver(&event.kind, call));
        let of = of.filter(|of| *of < self.servers.len());
        match &event.kind {
            Kind::Cluster { .. } => self.begin(at),
            Kind::Link { verb, from, to } => self.link(verb, (*from, *to)),
            kind => {
                if let Some(of) = of {
                    self.take_of_server(at, of, kind);
                }
            }
        }
        match &event.kind {
            Kind::State(_) => self.update(of),
            // They can change whom each server reaches.
            Kind::Cluster { .. }
            | Kind::Link { .. }
            | Kind::Started { .. }
            | Kind::Crashed { .. }
            | Kind::Fault { .. } => self.update(0..self.servers.len()),
            _ => {}
        }
        self.moments.call_of.push(call);
        self.moments.happens_to.push(of);
        self.moments.now.extend(&self.now);
    }

    fn begin(&mut self, at: usize) {
        self.moments.clusters.push(at);
        self.servers.fill(Server::default());
        self.details.fill(Details::default());
        self.now.fill(0);
        self.calls.clear();
        self.cut.clear();
        self.held.clear();
        self.moments.logs.iter_mut().for_each(|logs| logs.begin(at));
    }

    fn link(&mut self, verb: &str, link: (usize, usize)) {
        match verb {
            "cut" => _ = self.cut.insert(link),
            "heal" => _ = self.cut.remove(&link),
            "hold" => _ = self.held.insert(link),
            "release" | "pass" => _ = self.held.remove(&link),
            _ => {}
        }
    }

    fn take_of_server(&mut self, at: usize, of: usize, kind: &Kind) {
        self.servers[of].take(kind);
        match kind {
            Kind::Started { .. } | Kind::Crashed { .. } => self.details[of] = Details::default(),
            Kind::State(state) => self.details[of].take(at, state),
            _ => {}
        }
        if let Kind::Started { .. } | Kind::State(_) = kind {
            let server = &self.servers[of];
            let from = match kind {
                Kind::State(State { log: Some(change), .. }) => Some(change.from),
                _ => None,
            };
            self.moments.logs[of].take(at, server.look().snapshot, server.log(), from);
        }
    }

    /// The call that an event is about.
    fn call(&mut self, kind: &'a Kind) -> Option<usize> {
        match kind {
            Kind::Sent { call, from, to, method, args, .. } => {
                let (from, to, args) = (*from, *to, args.as_ref());
                let method = phrase::name(method);
                let it = Call { number: *call, from, to, method, args, reply: None };
                self.calls.insert(*call, self.moments.calls.len());
                self.moments.calls.push(it);
                Some(self.moments.calls.len() - 1)
            }
            Kind::Handled { call, copy, reply, .. } => {
                let known = *self.calls.get(call)?;
                if *copy == 0 {
                    self.moments.calls[known].reply = reply.as_ref();
                }
                Some(known)
            }
            Kind::Caught { call, .. }
            | Kind::Dispatched { call, .. }
            | Kind::Ended { call, .. }
            | Kind::Misused { call, .. } => self.calls.get(call).copied(),
            _ => None,
        }
    }

    /// The server at whose side of a call the event happens, or where a link begins.
    fn receiver(&self, kind: &Kind, call: Option<usize>) -> Option<usize> {
        let call = call.map(|call| &self.moments.calls[call]);
        match kind {
            Kind::Caught { reply: true, .. } | Kind::Dispatched { .. } | Kind::Handled { .. } => {
                call?.to
            }
            Kind::Caught { .. } | Kind::Ended { .. } | Kind::Misused { .. } => call?.from,
            Kind::Link { from, .. } => Some(*from),
            _ => None,
        }
    }

    fn update(&mut self, servers: impl IntoIterator<Item = usize>) {
        for of in servers {
            let old = &self.moments.versions[self.now[of]];
            let look = self.servers[of].look();
            let next = self.moments.versions.len();
            let is_shown = look.is_up && look.role.is_some();
            let new = Version {
                look,
                reaches_majority: self.reaches_majority(of),
                details: self.details[of],
                shown: if is_shown { Some(next) } else { old.shown },
            };
            if (Version { shown: old.shown, ..new }) != *old {
                self.moments.versions.push(new);
                self.now[of] = next;
            }
        }
    }

    fn reaches_majority(&self, of: usize) -> bool {
        let works = |server: usize| {
            let look = self.servers[server].look();
            look.is_up && look.is_connected && !look.is_paused
        };
        let passes = |from, to| !self.cut.contains(&(from, to)) && !self.held.contains(&(from, to));
        let reaches = |other: &usize| {
            let is_deaf = self.servers[*other].look().is_deaf;
            *other == of || works(*other) && !is_deaf && passes(of, *other) && passes(*other, of)
        };
        let reached = (0..self.servers.len()).filter(reaches).count();
        works(of) && reached >= self.moments.majority()
    }
}

impl Details {
    fn take(&mut self, at: usize, state: &State) {
        if state.votes_received.is_some() {
            self.votes_received = Some(at);
        }
        if state.next_index.is_some() {
            self.next_index = Some(at);
        }
        if state.match_index.is_some() {
            self.match_index = Some(at);
        }
        self.election_deadline = state.election_deadline.unwrap_or(self.election_deadline);
    }
}

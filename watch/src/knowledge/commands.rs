//! A command is applied only where a message can have brought it, and after news that a majority
//! has it.
//!
//! **S17 is sound**: a server that applies a command was given it by the lab, or has it from its
//! log or a snapshot. It got these in a message from a server that had the command then, and so on
//! back to the one where `start` was called with it. That holds for every way to send entries, and
//! for calls of `start` that took nothing or never returned: the command counts as known there as
//! soon as `start` is called. If a command was given to several servers, one way from any of them
//! is enough. A command that the test has drawn at random cannot be told in fewer bytes than its
//! entropy, so that many were delivered to the server since the command was first given to anybody.
//! Such commands are independent, so several need the sum. Bytes of requests and of replies count,
//! repeated ones too, whatever was in them.
//!
//! **S11 is sound**: a command is committed only when a majority of the servers has its entry in
//! the log (5.3, 5.4.2), and a server applies it only when it knows that it is committed. Each of
//! that majority had the command before it acknowledged the entry, and by a chain of messages that
//! acknowledgement came before the news of the commitment. So there is a moment for each of them at
//! which it can have known the command, and the server has heard of a later one. It makes no
//! difference who has counted, whether the entry was committed by a later one, and whether the news
//! came in a snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use history::Moment;

use crate::breach::{CommitmentBreach, KnowledgeBreach, Violation};
use crate::clocks::Clocks;

/// Of letters and digits drawn at random each has 5.95 bits. So no encoding takes less than this
/// many percent of their length.
const ENTROPY_PERCENT: u64 = 74;
/// The bytes of a drawn command are summed with those of this many drawn before it.
const SUM_MAX: usize = 64;

/// The commands that were given to servers.
#[derive(Debug)]
pub(crate) struct Commands {
    n: usize,
    offers: Vec<Offer>,
    /// For each offer and server when the server can first have known of it; `u64::MAX` if never.
    known: Vec<u64>,
    /// The offers in each memory, in order.
    by_memory: Vec<Vec<usize>>,
    /// For each server, by memory: how many of its offers the server can know.
    cursors: Vec<Vec<usize>>,
    /// What was given, each content once.
    contents: Vec<Content>,
    places: BTreeMap<Arc<[u8]>, usize>,
    /// Commands that were drawn at random, and not given to a server yet.
    drawn: BTreeSet<Vec<u8>>,
    /// Those that were given, in the order of the first time.
    given: Vec<Drawn>,
    /// The contents that were applied, by index less one; none for a command that nobody gave.
    applied: Vec<Option<usize>>,
    /// Up to this index each server has applied what it can know. What is applied again after a
    /// restart was saved, so it is not checked again.
    checked: Vec<u64>,
}

/// A command is given to `start` of one server.
#[derive(Debug, Clone, Copy)]
struct Offer {
    server: usize,
    /// The memory of the server.
    memory: usize,
    at: Moment,
}

/// A server has applied the command at an index.
#[derive(Debug, Clone, Copy)]
struct Applied {
    server: usize,
    index: u64,
    at: Moment,
}

#[derive(Debug)]
struct Content {
    command: Arc<[u8]>,
    offers: Vec<usize>,
    /// Its place among those that were drawn at random.
    drawn: Option<usize>,
}

#[derive(Debug)]
struct Drawn {
    /// The server to which it was first given, and when.
    offered: (usize, Moment),
    bytes_min: u64,
    /// The bytes that each server had received when it was first given to anybody.
    received: Vec<u64>,
    /// How many bytes each server must have received since then, for all drawn commands that it has
    /// applied and that were given since then elsewhere.
    needs: Vec<u64>,
    /// The servers that have applied it.
    applied: Vec<bool>,
}

impl Commands {
    pub(crate) fn new(servers: usize) -> Commands {
        Commands {
            n: servers,
            offers: Vec::new(),
            known: Vec::new(),
            by_memory: Vec::new(),
            cursors: vec![Vec::new(); servers],
            contents: Vec::new(),
            places: BTreeMap::new(),
            drawn: BTreeSet::new(),
            given: Vec::new(),
            applied: Vec::new(),
            checked: vec![0; servers],
        }
    }

    /// The test has drawn a command of letters and digits at random.
    pub(crate) fn draw(&mut self, command: &[u8]) {
        self.drawn.insert(command.to_vec());
    }

    /// A server starts again, from an empty disk.
    pub(crate) fn forget(&mut self, server: usize, clocks: &Clocks) {
        self.checked[server] = 0;
        for drawn in &mut self.given {
            drawn.received[server] = clocks.received(server);
            (drawn.needs[server], drawn.applied[server]) = (0, false);
        }
    }

    /// A command is about to be given to a server.
    pub(crate) fn offer(&mut self, server: usize, command: &[u8], at: Moment, clocks: &Clocks) {
        let (offer, memory) = (self.offers.len(), clocks.memory(server));
        self.offers.push(Offer { server, memory, at });
        self.known.resize(self.known.len() + self.n, u64::MAX);
        self.by_memory.resize(clocks.memories(), Vec::new());
        self.by_memory[memory].push(offer);
        match self.places.get(command) {
            Some(place) => self.contents[*place].offers.push(offer),
            None => {
                let (drawn, command) =
                    (self.add_drawn(command, (server, at), clocks), Arc::from(command));
                self.places.insert(Arc::clone(&command), self.contents.len());
                self.contents.push(Content { command, offers: vec![offer], drawn });
            }
        }
        self.learn(server, at, clocks);
    }

    fn add_drawn(
        &mut self,
        command: &[u8],
        offered: (usize, Moment),
        clocks: &Clocks,
    ) -> Option<usize> {
        if !self.drawn.remove(command) {
            return None;
        }
        self.given.push(Drawn {
            offered,
            bytes_min: command.len() as u64 * ENTROPY_PERCENT / 100,
            received: (0..self.n).map(|server| clocks.received(server)).collect(),
            needs: vec![0; self.n],
            applied: vec![false; self.n],
        });
        Some(self.given.len() - 1)
    }

    /// A server may have learned of more offers.
    pub(crate) fn learn(&mut self, server: usize, at: Moment, clocks: &Clocks) {
        let cursors = &mut self.cursors[server];
        cursors.resize(self.by_memory.len(), 0);
        for (memory, offers) in self.by_memory.iter().enumerate() {
            let heard = clocks.heard_of_memory(server, memory);
            let cursor = &mut cursors[memory];
            while let Some(offer) = offers.get(*cursor)
                && self.offers[*offer].at.event <= heard
            {
                // Not if it has forgotten it meanwhile: it once had it.
                let known = &mut self.known[offer * self.n + server];
                *known = (*known).min(at.event);
                *cursor += 1;
            }
        }
    }

    /// A server has applied a command.
    pub(crate) fn apply(
        &mut self,
        server: usize,
        index: u64,
        command: &[u8],
        at: Moment,
        clocks: &Clocks,
    ) -> Result<(), Violation> {
        let place = place(index);
        if self.applied.len() <= place {
            self.applied.resize(place + 1, None);
        }
        if self.applied[place].is_none() {
            self.applied[place] = self.places.get(command).copied();
        }
        self.install(server, index, at, clocks)
    }

    /// A server has applied everything up to an index. The lab made a snapshot of it where it had
    /// been applied one by one.
    pub(crate) fn install(
        &mut self,
        server: usize,
        index: u64,
        at: Moment,
        clocks: &Clocks,
    ) -> Result<(), Violation> {
        for index in self.checked[server] + 1..=index.min(self.applied.len() as u64) {
            self.checked[server] = index;
            if let Some(content) = self.applied[place(index)] {
                let applied = Applied { server, index, at };
                self.check_way(content, applied, clocks)?;
                self.check_bytes(content, applied, clocks)?;
            }
        }
        Ok(())
    }

    fn check_way(&self, content: usize, by: Applied, clocks: &Clocks) -> Result<(), Violation> {
        let content = &self.contents[content];
        let holders = |offer: &usize| self.holders(*offer, by.server, clocks);
        let enough = |offer: &usize| holders(offer).count() > self.n / 2;
        if content.offers.iter().any(enough) {
            return Ok(());
        }
        // Of several ways the one by which the most servers can have had it.
        let most = content.offers.iter().max_by_key(|offer| holders(offer).count());
        let most = most.expect("it was given to a server");
        let Applied { index, at: applied, .. } = by;
        let command = content.command.to_vec();
        let Offer { server, at, .. } = self.offers[*most];
        let (offered, holders) = ((server, at), holders(most).collect::<Vec<usize>>());
        Err(if holders.is_empty() {
            let breach = KnowledgeBreach::AppliedUnheard { index, command, applied, offered };
            Violation::of(by.server, breach)
        } else {
            let breach = CommitmentBreach::HeardOfNoMajority {
                index,
                command,
                applied,
                offered,
                holders,
                servers: self.n,
            };
            Violation::of(by.server, breach)
        })
    }

    /// The servers that can have known of an offer before `server` last heard of them, itself
    /// included; none if `server` cannot know of it.
    fn holders(&self, offer: usize, server: usize, clocks: &Clocks) -> impl Iterator<Item = usize> {
        let Offer { memory, at, .. } = self.offers[offer];
        let knows = clocks.heard_of_memory(server, memory) >= at.event;
        let known = &self.known[offer * self.n..(offer + 1) * self.n];
        let has_it =
            move |other: &usize| *other == server || clocks.heard(server, *other) >= known[*other];
        (0..self.n).filter(move |_| knows).filter(has_it)
    }

    fn check_bytes(
        &mut self,
        content: usize,
        by: Applied,
        clocks: &Clocks,
    ) -> Result<(), Violation> {
        let Content { command, offers, drawn: Some(last) } = &self.contents[content] else {
            return Ok(());
        };
        let memory = clocks.memory(by.server);
        let was_given = offers.iter().any(|offer| self.offers[*offer].memory == memory);
        if std::mem::replace(&mut self.given[*last].applied[by.server], true) || was_given {
            return Ok(());
        }
        let bytes_min = self.given[*last].bytes_min;
        for drawn in &mut self.given[(last + 1).saturating_sub(SUM_MAX)..=*last] {
            drawn.needs[by.server] += bytes_min;
            let received = clocks.received(by.server) - drawn.received[by.server];
            let needs = drawn.needs[by.server];
            if received < needs {
                let breach = KnowledgeBreach::AppliedUntold {
                    index: by.index,
                    command: command.to_vec(),
                    applied: by.at,
                    since: drawn.offered,
                    received,
                    needs,
                };
                return Err(Violation::of(by.server, breach));
            }
        }
        Ok(())
    }
}

/// Indices begin at 1.
fn place(index: u64) -> usize {
    usize::try_from(index.saturating_sub(1)).expect("an index is small")
}

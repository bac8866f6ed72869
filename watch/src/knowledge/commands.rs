//! Checks that a server applies a command only if a message can have brought it, and only after
//! news that a majority has it.
//!
//! **S17 is sound**: a server that applies a command got it from the lab, or has it from its log
//! or a snapshot. It got these in a message from a server that had the command then, and so on back
//! to the server where `start` was called with it. This holds for every way to send entries. It
//! also holds for calls of `start` that refused the command or never returned: the command counts
//! as known there as soon as `start` is called. If a command was given to several servers, one
//! chain from any of them is enough. A command that the test has drawn at random cannot be sent in
//! fewer bytes than its entropy. So at least that many bytes were delivered to the server since the
//! command was first given to any server. Such commands are independent, so several of them need
//! the sum. All bytes of requests and replies count, whatever they contain, even repeated ones.
//!
//! **S11 is sound**: a command is committed only when a majority of the servers has its entry in
//! the log (5.3, 5.4.2), and a server applies it only when it knows that it is committed. Each
//! server of that majority had the command before it acknowledged the entry. By a chain of messages
//! that acknowledgement came before the news of the commitment. So for each of them there is a
//! moment at which it can have known the command, and the server has heard of a later moment of it.
//! It makes no difference which server has counted, whether a later entry committed this one, or
//! whether the news came in a snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use history::Moment;

use crate::breach::{CommitmentBreach, KnowledgeBreach, Violation};
use crate::clocks::Clocks;

/// The entropy of random letters and digits, in percent of their length: each has 5.95 bits. No
/// encoding needs fewer bytes.
const ENTROPY_PERCENT: u64 = 74;
/// The bytes of a random command are added to those of at most this many random commands before it.
const SUM_MAX: usize = 64;

/// The commands that were given to servers.
#[derive(Debug)]
pub(crate) struct Commands {
    n: usize,
    offers: Vec<Offer>,
    /// By offer and server: the first event at which the server can have known of the offer;
    /// `u64::MAX` if never.
    known: Vec<u64>,
    /// By memory: its offers, in order.
    by_memory: Vec<Vec<usize>>,
    /// By server and memory: how many offers of that memory the server can know.
    cursors: Vec<Vec<usize>>,
    /// The commands that were given, each content once.
    contents: Vec<Content>,
    places: BTreeMap<Arc<[u8]>, usize>,
    /// Commands that were drawn at random, and not given to a server yet.
    drawn: BTreeSet<Vec<u8>>,
    /// Random commands that were given, in the order of their first offer.
    given: Vec<Drawn>,
    /// The applied contents, by index minus one; none for a command that was never given.
    applied: Vec<Option<usize>>,
    /// By server: the highest index that was checked. Entries that are applied again after a
    /// restart were saved, so they are not checked again.
    checked: Vec<u64>,
}

/// A call of `start` with a command at one server.
#[derive(Debug, Clone, Copy)]
struct Offer {
    server: usize,
    /// The memory of the server.
    memory: usize,
    at: Moment,
}

/// The application of a command at an index by a server.
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
    /// Its place among the random commands.
    drawn: Option<usize>,
}

#[derive(Debug)]
struct Drawn {
    /// The server that it was first given to, and when.
    offered: (usize, Moment),
    bytes_min: u64,
    /// By server: the bytes that it had received when the command was first given to any server.
    received: Vec<u64>,
    /// By server: how many bytes it must have received since then, for all random commands that
    /// were given to other servers since then and that it has applied.
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

    /// Records that the test has drawn a random command of letters and digits.
    pub(crate) fn draw(&mut self, command: &[u8]) {
        self.drawn.insert(command.to_vec());
    }

    /// Records that a server restarts from an empty disk.
    pub(crate) fn forget(&mut self, server: usize, clocks: &Clocks) {
        self.checked[server] = 0;
        for drawn in &mut self.given {
            drawn.received[server] = clocks.received(server);
            (drawn.needs[server], drawn.applied[server]) = (0, false);
        }
    }

    /// Records that a command is about to be given to a server.
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

    /// Updates the offers that a server can know of.
    pub(crate) fn learn(&mut self, server: usize, at: Moment, clocks: &Clocks) {
        let cursors = &mut self.cursors[server];
        cursors.resize(self.by_memory.len(), 0);
        for (memory, offers) in self.by_memory.iter().enumerate() {
            let heard = clocks.heard_of_memory(server, memory);
            let cursor = &mut cursors[memory];
            while let Some(offer) = offers.get(*cursor)
                && self.offers[*offer].at.event <= heard
            {
                // Kept if the server has forgotten it since then: it once had it.
                let known = &mut self.known[offer * self.n + server];
                *known = (*known).min(at.event);
                *cursor += 1;
            }
        }
    }

    /// Checks and records that a server has applied a command.
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

    /// Records that a server has applied everything up to an index by a snapshot. The lab made that
    /// snapshot at a server that had applied the entries one by one.
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
        // If there are several offers, the one that the most servers can have known of.
        let most = content.offers.iter().max_by_key(|offer| holders(offer).count());
        let most = most.expect("it was given to a server");
        let Applied { index, at: applied, .. } = by;
        let command = content.command.to_vec();
        let Offer { server, at, .. } = self.offers[*most];
        let (offered, holders) = ((server, at), holders(most).collect::<Vec<usize>>());
        Err(if holders.is_empty() {
            let breach = KnowledgeBreach::AppliedWithoutChain { index, command, applied, offered };
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

    /// The servers that can have known of an offer before `server` last heard of them, including
    /// itself. Empty if `server` cannot know of the offer.
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
                let breach = KnowledgeBreach::AppliedWithTooFewBytes {
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

/// The place of an index in a list. Indices begin with 1.
fn place(index: u64) -> usize {
    usize::try_from(index.saturating_sub(1)).expect("an index is small")
}

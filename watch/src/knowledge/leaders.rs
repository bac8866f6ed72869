//! Checks that a server that says that it leads a term has news from a majority.
//!
//! **It is sound**: the votes of a term are given after its candidate has entered it (5.2).
//! Suppose that a server leads term T and was asked earlier when it was in a lower term. Since then
//! it has learned of the votes of a majority, including its own, which were all given after that
//! moment: by replies, or in any other chain of messages. A pre-vote does not count here and need
//! not, because the real votes come after it. The state before a restart counts, since a term in
//! which a server was a candidate survives. It does not matter how long ago the votes came, so
//! leases change nothing. A single server needs no news. An answer may be as old as [`STALE_MAX`],
//! since a server can publish its term and role some time after it has changed them, and can be
//! paused in between.

use std::time::Duration;

use history::Moment;

use crate::breach::{KnowledgeBreach, Violation};
use crate::clocks::Clocks;

/// The maximum age of the state in an answer of `get_state`: a pause lasts at most 10 s.
const STALE_MAX: Duration = Duration::from_secs(15);
const MARK_INTERVAL: Duration = Duration::from_millis(100);

/// The terms and claims of each server.
#[derive(Debug)]
pub(crate) struct Leaders {
    servers: Vec<Server>,
    /// Moments of the run, at least [`MARK_INTERVAL`] apart.
    marks: Vec<Moment>,
}

#[derive(Debug, Clone, Default)]
struct Server {
    /// The terms that it has shown, in the order of the questions, without repetitions. Each has
    /// the moment of the last question that it answered with this term.
    shown: Vec<(u64, Moment)>,
    /// The last term whose claim was checked and found possible.
    leads: Option<u64>,
}

impl Leaders {
    pub(crate) fn new(servers: usize) -> Leaders {
        Leaders { servers: vec![Server::default(); servers], marks: Vec::new() }
    }

    /// Records that time passes.
    pub(crate) fn pass(&mut self, at: Moment) {
        if self.marks.last().is_none_or(|last| at.at >= last.at + MARK_INTERVAL) {
            self.marks.push(at);
        }
    }

    /// Records that a server, asked at a moment, said that it is in a term.
    pub(crate) fn show(&mut self, server: usize, term: u64, asked: Moment) {
        let shown = &mut self.servers[server].shown;
        match shown.last_mut() {
            Some((last, at)) if *last == term => *at = (*at).max(asked),
            _ => shown.push((term, asked)),
        }
    }

    /// Checks a server's claim that it leads a term.
    pub(crate) fn claim(
        &mut self,
        server: usize,
        term: u64,
        at: Moment,
        clocks: &Clocks,
    ) -> Result<(), Violation> {
        if self.servers[server].leads == Some(term) {
            return Ok(());
        }
        let below = self.servers[server].shown.iter().rev().find(|(shown, _)| *shown < term);
        let below = below.copied();
        let since = below.map_or(0, |(_, asked)| self.before(asked));
        let is_news = |other: &usize| *other != server && clocks.heard(server, *other) > since;
        let heard: Vec<usize> = (0..clocks.n()).filter(is_news).collect();
        if heard.len() + 1 > clocks.n() / 2 {
            self.servers[server].leads = Some(term);
            return Ok(());
        }
        let servers = clocks.n();
        let breach = KnowledgeBreach::LeadsWithoutNews { term, said: at, below, heard, servers };
        Err(Violation::of(server, breach))
    }

    /// The number of an event that is older than any state that an answer can show; 0 if there is
    /// none.
    fn before(&self, asked: Moment) -> u64 {
        let is_older = |mark: &Moment| mark.at + STALE_MAX <= asked.at;
        self.marks[..self.marks.partition_point(is_older)].last().map_or(0, |mark| mark.event)
    }
}

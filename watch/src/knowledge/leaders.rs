//! A server that says that it leads a term has news from a majority.
//!
//! **It is sound**: the votes of a term are given after its candidate has entered it (5.2). So a
//! server that leads term T, and was in a lower one when it was asked at a moment, has since
//! learned of the votes of a majority, itself included, that were given after that moment: by
//! replies, or in any other chain of messages. A pre-vote counts for nothing here, and need not:
//! the real votes come after it. What the server was before a restart counts, since a term that it
//! has stood in survives. How long ago the votes came does not matter, so leases change nothing. A
//! server alone needs no news. An answer may be as old as [`STALE_MAX`], since a server may
//! publish its term and role some time after it has changed them, and may be paused in between.

use std::time::Duration;

use history::Moment;

use crate::breach::{KnowledgeBreach, Violation};
use crate::clocks::Clocks;

/// No answer of `get_state` is older than this: a pause lasts at most 10 s.
const STALE_MAX: Duration = Duration::from_secs(15);
const MARK_INTERVAL: Duration = Duration::from_millis(100);

/// The terms that each server has shown.
#[derive(Debug)]
pub(crate) struct Leaders {
    servers: Vec<Server>,
    /// Moments of the run, at least [`MARK_INTERVAL`] apart.
    marks: Vec<Moment>,
}

#[derive(Debug, Clone, Default)]
struct Server {
    /// Terms, each with the last moment at which it was asked and then said that it is in it; in
    /// the order of the questions, a term only once in a row.
    shown: Vec<(u64, Moment)>,
    /// The last claim that was found true.
    leads: Option<u64>,
}

impl Leaders {
    pub(crate) fn new(servers: usize) -> Leaders {
        Leaders { servers: vec![Server::default(); servers], marks: Vec::new() }
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, at: Moment) {
        if self.marks.last().is_none_or(|last| at.at >= last.at + MARK_INTERVAL) {
            self.marks.push(at);
        }
    }

    /// A server was asked, and said that it is in a term.
    pub(crate) fn show(&mut self, server: usize, term: u64, asked: Moment) {
        let shown = &mut self.servers[server].shown;
        match shown.last_mut() {
            Some((last, at)) if *last == term => *at = (*at).max(asked),
            _ => shown.push((term, asked)),
        }
    }

    /// A server says that it leads a term.
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
        let breach = KnowledgeBreach::LeadsUnheard { term, said: at, below, heard, servers };
        Err(Violation::of(server, breach))
    }

    /// The number of an event that is older than everything that an answer can rest on; 0 if there
    /// is none.
    fn before(&self, asked: Moment) -> u64 {
        let is_older = |mark: &Moment| mark.at + STALE_MAX <= asked.at;
        self.marks[..self.marks.partition_point(is_older)].last().map_or(0, |mark| mark.event)
    }
}

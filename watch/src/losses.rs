//! Records the entries that disappear from logs, to name the server that lost an entry, and how.
//!
//! A leader that lacks a committed entry is often the last link of a chain. This is no rule,
//! because most entries that disappear are removed correctly. It only explains a violation of S7.
//! If an entry of a higher term replaced the lost one, most likely a later leader replaced it
//! correctly before it was committed. Such a loss is evidence if there is no other, and is not
//! called the cause.

use std::collections::VecDeque;
use std::sync::Arc;

use history::Moment;
use raftapi::Inspect;

use crate::breach::{Breach, CommitmentBreach, Loss, Violation, Way};
use crate::sample::{Sample, Transition};

/// The number of losses that are kept. Older ones are forgotten.
const LOSSES_MAX: usize = 64;

/// The latest losses of a cluster.
#[derive(Debug)]
pub(crate) struct Losses {
    latest: VecDeque<Lost>,
    /// By server: its last sample before its last crash.
    crashed: Vec<Option<Sample>>,
}

/// The end of a log that has disappeared.
#[derive(Debug)]
struct Lost {
    server: usize,
    old: Arc<Inspect>,
    /// The first index that has disappeared.
    from: u64,
    seen: [Moment; 2],
    way: Way,
    /// Whether an entry of a higher term replaced the first one.
    overwritten: bool,
}

impl Losses {
    pub(crate) fn new(servers: usize) -> Losses {
        Losses { latest: VecDeque::new(), crashed: vec![None; servers] }
    }

    /// Records that a server crashes; `last` is its last sample.
    pub(crate) fn crash(&mut self, server: usize, last: Option<&Sample>) {
        if let Some(last) = last {
            self.crashed[server] = Some(last.clone());
        }
    }

    /// Reads what a server has restored.
    pub(crate) fn restore(&mut self, now: &Sample) {
        if let Some(before) = self.crashed[now.server].take() {
            self.note(&Transition::new(Some(&before), now), Way::Crash);
        }
    }

    /// Reads a sample and the one before it.
    pub(crate) fn see(&mut self, seen: &Transition<'_>) {
        let Some(before) = seen.before else { return };
        let has_installed = seen.now.state.last_included_index > before.state.last_included_index;
        self.note(seen, if has_installed { Way::Snapshot } else { Way::Running });
    }

    fn note(&mut self, seen: &Transition<'_>, way: Way) {
        let Some(before) = seen.before else { return };
        let new = &seen.now.state;
        let from = seen.differs_at.unwrap_or(new.last_index() + 1);
        if from > before.state.last_index() {
            return;
        }
        if self.latest.len() == LOSSES_MAX {
            self.latest.pop_front();
        }
        let old = Arc::clone(&before.state);
        let seen_at = [before.at, seen.now.at];
        let (server, overwritten) = (seen.now.server, new.term_at(from) > old.term_at(from));
        self.latest.push_back(Lost { server, old, from, seen: seen_at, way, overwritten });
    }

    /// Adds the server that lost the entry to a violation of S7. `last` has the last sample of each
    /// server.
    pub(crate) fn explain(&self, mut violation: Violation, last: &[Option<Sample>]) -> Violation {
        if let Breach::Commitment(CommitmentBreach::LeaderLacksEntry { entry, lost, .. }) =
            &mut *violation.breach
        {
            let (index, term) = *entry;
            let lacks = |server: usize| {
                last[server].as_ref().is_none_or(|now| {
                    now.state.last_included_index < index && now.state.term_at(index) != Some(term)
                })
            };
            let fits = |it: &&Lost| {
                it.from <= index && it.old.term_at(index) == Some(term) && lacks(it.server)
            };
            let latest = || self.latest.iter().rev().filter(fits);
            let found = latest().find(|it| !it.overwritten).or_else(|| latest().next());
            *lost = found.map(|it| Loss {
                server: it.server,
                seen: it.seen,
                way: if it.overwritten { Way::Overwritten } else { it.way },
            });
        }
        violation
    }
}

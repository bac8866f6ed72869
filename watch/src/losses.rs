//! What servers no longer have of their logs: to name the server that lost an entry, and how.
//!
//! A leader that lacks a committed entry is often the last link of a chain. This is no rule: most of
//! what goes from a log goes rightly. It only explains a violation of S7.

use std::collections::VecDeque;
use std::sync::Arc;

use history::Moment;
use raftapi::Inspect;

use crate::breach::{Breach, CommitmentBreach, Loss, Violation, Way};
use crate::sample::{Sample, Transition};

/// Older losses are forgotten.
const LOSSES_MAX: usize = 64;

/// The latest losses of a cluster.
#[derive(Debug)]
pub(crate) struct Losses {
    latest: VecDeque<Lost>,
    /// By server: the last sample before its last crash.
    crashed: Vec<Option<Sample>>,
}

/// The end of a log that is gone.
#[derive(Debug)]
struct Lost {
    server: usize,
    old: Arc<Inspect>,
    /// The first index that is gone.
    from: u64,
    seen: [Moment; 2],
    way: Way,
}

impl Losses {
    pub(crate) fn new(servers: usize) -> Losses {
        Losses { latest: VecDeque::new(), crashed: vec![None; servers] }
    }

    /// A server crashes, having shown `last`.
    pub(crate) fn crash(&mut self, server: usize, last: Option<&Sample>) {
        if let Some(last) = last {
            self.crashed[server] = Some(last.clone());
        }
    }

    /// Takes in what a server has restored.
    pub(crate) fn restore(&mut self, now: &Sample) {
        if let Some(before) = self.crashed[now.server].take() {
            self.note(&Transition::new(Some(&before), now), Way::Crash);
        }
    }

    /// Takes in what a server shows.
    pub(crate) fn see(&mut self, seen: &Transition<'_>) {
        let Some(before) = seen.before else { return };
        let has_installed = seen.now.state.last_included_index > before.state.last_included_index;
        self.note(seen, if has_installed { Way::Snapshot } else { Way::Running });
    }

    fn note(&mut self, seen: &Transition<'_>, way: Way) {
        let Some(before) = seen.before else { return };
        let from = seen.differs_at.unwrap_or(seen.now.state.last_index() + 1);
        if from > before.state.last_index() {
            return;
        }
        if self.latest.len() == LOSSES_MAX {
            self.latest.pop_front();
        }
        let old = Arc::clone(&before.state);
        let seen_at = [before.at, seen.now.at];
        self.latest.push_back(Lost { server: seen.now.server, old, from, seen: seen_at, way });
    }

    /// Adds to a violation of S7 which server lost the entry. `last` are the last samples.
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
            let mut latest = self.latest.iter().rev();
            *lost = latest
                .find(|it| {
                    it.from <= index && it.old.term_at(index) == Some(term) && lacks(it.server)
                })
                .map(|it| Loss { server: it.server, seen: it.seen, way: it.way });
        }
        violation
    }
}

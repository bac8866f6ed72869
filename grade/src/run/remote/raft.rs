//! Raft over processes: a [`RaftPeer`] that calls a peer's process by method names and bytes.
//!
//! Between the lab and an implementation, only this module and `peer::raft`, which answers, know
//! Raft.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::peer::raft::{GET_STATE, InspectChange, SNAPSHOT, START, ShownDetails};
use labrpc::{Service, codec};
use raftapi::{Details, Inspect, PeerContext, RaftPeer, Started};
use serde_bytes::Bytes;

use crate::run::remote::clock::PeerClock;
use crate::run::remote::launcher::{Launcher, Parts};
use crate::run::remote::nonsense::Nonsense;
use crate::run::remote::peer::RemotePeer;
use crate::run::remote::view::{State, View};

struct RemoteRaft {
    peer: Arc<RemotePeer>,
    view: Arc<View<ShownState>>,
    /// The highest term that a method has returned.
    term: AtomicU64,
}

#[derive(Clone, Default)]
struct ShownState {
    inspect: Inspect,
    /// Empty, unless the run is recorded.
    details: Details,
    /// The highest term of all states so far.
    highest_term: u64,
}

/// A constructor of peers that run `make` in a process of their own.
pub(super) fn make(
    launcher: Launcher,
) -> impl Fn(PeerContext) -> Arc<dyn RaftPeer> + Send + Sync + 'static {
    move |context| {
        let PeerContext { ends, me, persister, apply } = context;
        let view = Arc::new(View::new());
        let parts = Parts { me, ends, persister, messages: apply };
        let peer = launcher.launch(parts, view.clone());
        Arc::new(RemoteRaft { peer, view, term: AtomicU64::new(0) })
    }
}

impl RaftPeer for RemoteRaft {
    fn service(self: Arc<Self>) -> Service {
        self.peer.handlers().into_iter().next().unwrap_or_else(|| Service::new("Raft"))
    }

    fn start(&self, command: Vec<u8>) -> Option<Started> {
        let started: Started = self.peer.ask::<Option<Started>>(START, Bytes::new(&command))??;
        self.term.fetch_max(started.term, Ordering::Relaxed);
        Some(started)
    }

    fn get_state(&self) -> (u64, bool) {
        if let Some((term, leads)) = self.peer.ask(GET_STATE, &()) {
            self.term.fetch_max(term, Ordering::Relaxed);
            return (term, leads);
        }
        // It was killed in the meantime. It must not reveal anything new.
        let shown = self.view.last(|state| state.highest_term);
        (shown.max(self.term.load(Ordering::Relaxed)), false)
    }

    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        self.peer.ask::<()>(SNAPSHOT, &(index, Bytes::new(&snapshot)));
    }

    fn inspect(&self) -> Option<Inspect> {
        self.view.wait().map(|state| state.inspect)
    }

    fn inspect_with_details(&self) -> Option<(Inspect, Details)> {
        self.view.wait().map(|state| (state.inspect, state.details))
    }

    fn kill(&self) {
        self.peer.kill();
    }
}

impl State for ShownState {
    fn change(&mut self, change: &[u8], described_by: Option<&PeerClock>) -> Result<(), Nonsense> {
        let change = match described_by {
            None => codec::decode::<InspectChange>(change)?,
            Some(clock) => {
                let (change, details): (InspectChange, ShownDetails) = codec::decode(change)?;
                self.details = details.details(|at| clock.instant(at));
                change
            }
        };
        if !change.apply(&mut self.inspect) {
            return Err(Nonsense::Unexpected);
        }
        self.highest_term = self.highest_term.max(self.inspect.current_term);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn change(state: &mut ShownState, new: &Inspect) {
        let change = codec::encode(&InspectChange::between(&state.inspect, new)).unwrap();
        assert!(state.change(&change, None).is_ok());
        assert_eq!(state.inspect, *new);
    }

    #[test]
    fn the_highest_term_is_kept() {
        let mut state = ShownState::default();
        let with_term = |current_term| Inspect { current_term, ..Inspect::default() };
        for (term, highest_term) in [(3, 3), (2, 3), (4, 4)] {
            change(&mut state, &with_term(term));
            assert_eq!(state.highest_term, highest_term);
        }
    }

    #[test]
    fn a_change_that_does_not_fit_the_last_state_is_refused() {
        let longer = Inspect { log_terms: vec![1, 1], ..Inspect::default() };
        let new = Inspect { commit_index: 1, ..longer.clone() };
        let change = codec::encode(&InspectChange::between(&longer, &new)).unwrap();
        let mut state = ShownState::default();
        assert!(matches!(state.change(&change, None), Err(Nonsense::Unexpected)));
        let Err(Nonsense::Undecodable(error)) = state.change(&[200], None) else {
            panic!("it decodes")
        };
        assert!(
            error.to_string().starts_with("a frame is malformed: the bytes are not a peer::raft")
        );
    }
}

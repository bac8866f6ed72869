//! The observer: asks the peers for their state with `inspect`, and records the answers.
//!
//! It has a thread for each server, so that a peer that holds its lock for a long time delays no
//! other peer. The thread asks when something has happened to its server (a call was sent or
//! handled, something was saved, applied or started) and every [`SWEEP_INTERVAL`]. `inspect` may
//! take the peer's lock, so it is never called on a thread that runs the peer's code. The thread
//! that starts a server asks first, before the server is on the network. So the restored state is
//! seen before anything can change it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use cluster::{Calls, Disk, Method};
use history::{Event, History, Incarnation, Moment, RaftEvent, ServerEvent, What};
use labrpc::network::CallStep;
use parking_lot::{Condvar, Mutex};
use raftapi::{ApplyMsg, Details, Inspect, RaftPeer, Storage};
use verdict::Life;
use verdict::label::{self, Label};

use crate::applied;

/// The interval between questions to a peer to which nothing happens.
const SWEEP_INTERVAL: Duration = Duration::from_millis(10);
/// Has no time limit: a peer may be busy, and other checks find a peer that makes no progress.
const INSPECT: Method = Method::new("inspect").without_limit();

/// Observes the servers of one cluster.
pub(crate) struct Observer {
    shared: Arc<Shared>,
}

struct Shared {
    wakeups: Vec<Wakeup>,
    calls: Calls,
    history: History,
    made_at: Instant,
}

/// Wakes the thread of one server.
#[derive(Default)]
struct Wakeup {
    /// The number of the incarnation that runs; 0 if none runs.
    running: AtomicU32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_due: bool,
    closed: bool,
    /// The peer to ask. None if no peer runs, or if it does not show its state.
    peer: Option<Watched>,
}

#[derive(Clone)]
struct Watched {
    of: Incarnation,
    life: Life,
    peer: Weak<dyn RaftPeer>,
}

impl Observer {
    /// Starts a thread for each server. The threads end after [`Observer::close`].
    pub(crate) fn new(servers: usize, history: &History, calls: Calls) -> Observer {
        let shared = Arc::new(Shared {
            wakeups: (0..servers).map(|_| Wakeup::default()).collect(),
            calls,
            history: history.clone(),
            made_at: Instant::now(),
        });
        for server in 0..servers {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("observer {server}"))
                .spawn(move || shared.watch(server))
                .expect("failed to start an observer");
        }
        let listening = Arc::clone(&shared);
        history.listen(move |event| listening.hear(event));
        Observer { shared }
    }

    /// Takes the first sample of a server, after it was made and before it is on the network.
    pub(crate) fn look_first(
        &self,
        of: Incarnation,
        life: Life,
        peer: &Arc<dyn RaftPeer>,
        disk: &Disk,
    ) {
        let has_read = disk.was_read();
        let Some((asked, state)) = self.shared.inspect(of, life, Arc::clone(peer)) else { return };
        let Some(state) = state else {
            self.shared.record(of, RaftEvent::Sampled { asked, state: None });
            return;
        };
        let wakeup = &self.shared.wakeups[of.server];
        wakeup.state.lock().peer = Some(Watched { of, life, peer: Arc::downgrade(peer) });
        // Read after the state. A later snapshot can only cover more.
        let covers = applied::covers(&disk.load().snapshot).unwrap_or(0);
        self.shared.read_clock();
        self.shared.record(of, RaftEvent::Restored { asked, state, has_read, covers });
        wakeup.wake();
    }

    /// Ends the threads.
    pub(crate) fn close(&self) {
        for wakeup in &self.shared.wakeups {
            let mut state = wakeup.state.lock();
            (state.closed, state.peer) = (true, None);
            wakeup.changed.notify_all();
        }
    }
}

impl Shared {
    fn record(&self, of: Incarnation, what: RaftEvent<'_>) -> Moment {
        self.history.record(What::Raft(of, what))
    }

    /// Reading the clock is a step of a simulation. Without these reads the run of every seed would
    /// change.
    fn read_clock(&self) {
        let _ = self.made_at.elapsed();
    }

    /// The observer's thread for one server.
    fn watch(&self, server: usize) {
        let _label = label::enter(Label::Kit, "the observer");
        while let Some(Watched { of, life, peer }) = self.wakeups[server].wait() {
            let Some(peer) = peer.upgrade() else { continue };
            let Some((asked, state)) = self.inspect(of, life, peer) else { continue };
            if state.is_some() {
                self.read_clock();
            }
            self.record(of, RaftEvent::Sampled { asked, state });
        }
    }

    /// Asks a peer, if it is the incarnation that runs. None after a panic, which is then already
    /// reported.
    fn inspect(
        &self,
        of: Incarnation,
        life: Life,
        peer: Arc<dyn RaftPeer>,
    ) -> Option<(Moment, Option<Arc<Inspect>>)> {
        if self.wakeups[of.server].running.load(Ordering::Relaxed) != of.number {
            return None;
        }
        let asked = self.record(of, RaftEvent::Asked);
        self.read_clock();
        // The call owns the peer, so that a panic while it is dropped is caught too.
        let answer = self.calls.ask(life, INSPECT, move || peer.inspect_with_details());
        self.read_clock();
        let Some((state, details)) = answer.ok()? else { return Some((asked, None)) };
        self.record_details(of, &details);
        Some((asked, Some(Arc::new(state))))
    }

    /// Records what a server shows beside its state, if a reader wants it. It must not change the
    /// run, so it wakes nobody and reads no clock.
    fn record_details(&self, of: Incarnation, details: &Details) {
        if !self.history.wants_values() || *details == Details::default() {
            return;
        }
        let time_of = |instant| Label::Server(of.server).time_of(instant);
        let election_deadline = details.election_deadline.map(time_of);
        let what = RaftEvent::Details { details, election_deadline };
        self.history.record_for_folds(What::Raft(of, what));
    }

    fn hear(&self, event: &Event<'_>) {
        let changed = match &event.what {
            What::Call(call) => match &call.step {
                CallStep::Sent { .. } => call.from,
                CallStep::Handled { .. } => call.to,
                _ => None,
            },
            What::Server(of, what) => {
                self.hear_of_server(*of, what);
                matches!(what, ServerEvent::Saved { .. }).then_some(of.server)
            }
            What::Raft(
                of,
                RaftEvent::Started { .. } | RaftEvent::Applied(ApplyMsg::Command { .. }),
            ) => self.wakeups[of.server].runs(*of).then_some(of.server),
            What::Raft(..) | What::Link { .. } | What::Drawn(_) | What::Waiting(_) => None,
        };
        if let Some(wakeup) = changed.and_then(|server| self.wakeups.get(server)) {
            wakeup.wake();
        }
    }

    fn hear_of_server(&self, of: Incarnation, what: &ServerEvent<'_>) {
        let wakeup = &self.wakeups[of.server];
        match what {
            ServerEvent::Starting(_) => wakeup.running.store(of.number, Ordering::Relaxed),
            ServerEvent::Crashed => {
                wakeup.running.store(0, Ordering::Relaxed);
                wakeup.state.lock().peer = None;
            }
            _ => {}
        }
    }
}

impl Wakeup {
    fn runs(&self, of: Incarnation) -> bool {
        self.running.load(Ordering::Relaxed) == of.number
    }

    fn wake(&self) {
        let mut state = self.state.lock();
        if !state.is_due {
            state.is_due = true;
            self.changed.notify_one();
        }
    }

    /// Waits until something has happened, or for the next sweep. None when the observer is closed.
    fn wait(&self) -> Option<Watched> {
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return None;
            }
            let is_due = if state.is_due {
                true
            } else if state.peer.is_some() {
                self.changed.wait_for(&mut state, SWEEP_INTERVAL).timed_out()
            } else {
                self.changed.wait(&mut state);
                false
            };
            if is_due || state.is_due {
                state.is_due = false;
                if let Some(watched) = &state.peer
                    && !state.closed
                {
                    return Some(watched.clone());
                }
            }
        }
    }
}

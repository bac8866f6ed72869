//! The one log of what happened on a network. Counters, checks and reports all read it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::event::{CallStep, Ending, Event};

/// A reader of the log.
pub(crate) type Subscriber = Arc<dyn Fn(&Event) + Send + Sync>;

/// The log: a list that only grows.
pub(crate) struct Log {
    start: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    tally: Tally,
    /// Behind one pointer, so that an event costs one count and no copy of the list.
    subscribers: Arc<[Subscriber]>,
}

/// The counters of the whole network: a fold over its events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    /// Every accepted request counts with its bytes, even if it is lost later. A reply counts only
    /// when it reaches its caller.
    fn add(&mut self, step: &CallStep) {
        match step {
            CallStep::Sent { bytes } => {
                self.calls += 1;
                self.bytes += *bytes as u64;
            }
            CallStep::Ended(Ending::Answered { bytes }) => self.bytes += *bytes as u64,
            _ => {}
        }
    }
}

impl Log {
    pub(crate) fn new() -> Log {
        Log { start: sim::now(), state: Mutex::default() }
    }

    /// The time by the run's own clock, since the clock of a server can run at another rate. It is
    /// read under locks, where a thread must not stop: this is no scheduling point.
    pub(crate) fn now(&self) -> Duration {
        sim::now().saturating_sub(self.start)
    }

    /// Subscribers run on the appending thread, after the event is in the log, with no lock held.
    pub(crate) fn append(&self, event: Event) {
        let subscribers = {
            let mut state = self.state.lock();
            state.tally.add(&event.step);
            if state.subscribers.is_empty() {
                state.events.push(event);
                return;
            }
            state.events.push(event.clone());
            Arc::clone(&state.subscribers)
        };
        for subscriber in &*subscribers {
            subscriber(&event);
        }
    }

    pub(crate) fn subscribe(&self, subscriber: Subscriber) {
        let mut state = self.state.lock();
        state.subscribers = state.subscribers.iter().cloned().chain([subscriber]).collect();
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.state.lock().events.clone()
    }

    pub(crate) fn tally(&self) -> Tally {
        self.state.lock().tally
    }
}

//! Records the history of a run as the events of a run file.
//!
//! A [`Recorder`] is one more reader of the [`History`]. It draws no random number, wakes no thread
//! and makes no call that the simulator takes over, so a recorded run is the same run, step by
//! step. In particular it has no hash map: a new one draws a random number.

mod changes;
mod details;
mod time;
mod values;
mod convert;

use std::sync::Arc;
use std::time::Duration;

use history::{Event, History};
use parking_lot::Mutex;

use crate::convert::Converter;
use crate::time::micros;

/// Records the histories of one run. Clones are the same recorder.
#[derive(Clone, Default)]
pub struct Recorder {
    shared: Arc<Mutex<Recording>>,
}

/// What a recorder has recorded.
#[derive(Debug, Default)]
pub struct Recording {
    /// All events, in order.
    pub events: Vec<runfile::Event>,
    /// The largest number of servers of a cluster.
    pub servers: usize,
    /// Event numbers of the last cluster's history begin after this number.
    pub last_history_n: u64,
    /// The last cluster's history begins this much later than the run.
    pub last_history_at: Duration,
}

impl Recorder {
    /// A recorder that has recorded nothing.
    pub fn new() -> Recorder {
        Recorder::default()
    }

    /// Records everything that happens to a cluster of `servers` servers, from now on. A run may
    /// make several clusters, one after another.
    pub fn read(&self, servers: usize, history: &History) {
        history.want_values();
        self.shared.lock().begin(servers);
        let (shared, mut converter) = (Arc::clone(&self.shared), Converter::new(servers));
        history.fold(move |event| {
            let kinds = converter.convert(event);
            shared.lock().add(event, kinds);
        });
    }

    /// Takes what was recorded until now.
    pub fn take(&self) -> Recording {
        std::mem::take(&mut self.shared.lock())
    }
}

impl Recording {
    fn begin(&mut self, servers: usize) {
        self.servers = self.servers.max(servers);
        self.last_history_n = self.events.last().map_or(0, |event| event.n) + 1;
        self.last_history_at = sim::now();
        let (n, t) = (self.last_history_n, micros(self.last_history_at));
        self.events.push(runfile::Event { n, t, kind: runfile::Kind::Cluster { servers } });
    }

    fn add(&mut self, event: &Event<'_>, kinds: impl IntoIterator<Item = runfile::Kind>) {
        let n = self.last_history_n + event.moment.event;
        let t = micros(self.last_history_at + event.moment.at);
        self.events.extend(kinds.into_iter().map(|kind| runfile::Event { n, t, kind }));
    }
}

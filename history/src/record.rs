//! The history: how an event is recorded, and the two kinds of readers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use crate::event::{Event, Moment, What};

/// The history of one run. Clones are the same history.
#[derive(Clone)]
pub struct History {
    shared: Arc<Shared>,
}

struct Shared {
    began: Duration,
    is_read: AtomicBool,
    wants_values: AtomicBool,
    /// Guards the order: all folds have read an event before the next event gets its number.
    folds: Mutex<Folds>,
    listeners: RwLock<Listeners>,
}

#[derive(Default)]
struct Folds {
    events: u64,
    all: Vec<Fold>,
}

type Fold = Box<dyn FnMut(&Event<'_>) + Send>;
type Listener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;
/// Replaced as a whole, so that no lock is held while a listener runs.
type Listeners = Arc<[Listener]>;

impl History {
    /// An empty history that begins now.
    pub fn new() -> History {
        History {
            shared: Arc::new(Shared {
                began: sim::now(),
                is_read: AtomicBool::new(false),
                wants_values: AtomicBool::new(false),
                folds: Mutex::default(),
                listeners: RwLock::new(Arc::new([])),
            }),
        }
    }

    /// Calls `fold` with every later event, in order, on the thread that records. The history is
    /// locked during the call: `fold` must not block, record or wake a thread.
    pub fn fold(&self, fold: impl FnMut(&Event<'_>) + Send + 'static) {
        self.shared.folds.lock().all.push(Box::new(fold));
        self.shared.is_read.store(true, Ordering::Relaxed);
    }

    /// Calls `listener` with every later event after all folds have read it, on the thread that
    /// records. The history is not locked, so if two threads record at the same time, the listener
    /// can get their events out of order.
    pub fn listen(&self, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) {
        let mut listeners = self.shared.listeners.write();
        let new: Listener = Arc::new(listener);
        *listeners = listeners.iter().cloned().chain([new]).collect();
        drop(listeners);
        self.shared.is_read.store(true, Ordering::Relaxed);
    }

    /// Also asks for the values of RPCs, and for what servers show beside their state. A cluster
    /// that is made later records them.
    pub fn want_values(&self) {
        self.shared.wants_values.store(true, Ordering::Relaxed);
    }

    /// Whether a reader wants those.
    pub fn wants_values(&self) -> bool {
        self.shared.wants_values.load(Ordering::Relaxed)
    }

    /// Records an event and returns its moment. Without a reader, does nothing and returns the
    /// default moment.
    pub fn record(&self, what: What<'_>) -> Moment {
        if !self.shared.is_read.load(Ordering::Relaxed) {
            return Moment::default();
        }
        let event = self.record_for_folds(what);
        let listeners = Arc::clone(&self.shared.listeners.read());
        for listener in listeners.iter() {
            listener(&event);
        }
        event.moment
    }

    /// Records an event for folds only. A listener can act on an event, which would change the run.
    /// An event that exists only in a recorded run must not change it.
    pub fn record_for_folds<'a>(&self, what: What<'a>) -> Event<'a> {
        let mut folds = self.shared.folds.lock();
        folds.events += 1;
        // Read with the lock held, so that a later event never has an earlier time.
        let at = sim::now().saturating_sub(self.shared.began);
        let event = Event { moment: Moment { event: folds.events, at }, what };
        folds.all.iter_mut().for_each(|fold| fold(&event));
        event
    }

    /// Drops all readers. Nothing is recorded from now on.
    pub fn close(&self) {
        self.shared.is_read.store(false, Ordering::Relaxed);
        let folds = std::mem::take(&mut self.shared.folds.lock().all);
        let none: Listeners = Arc::new([]);
        let listeners = std::mem::replace(&mut *self.shared.listeners.write(), none);
        drop((folds, listeners));
    }
}

impl Default for History {
    fn default() -> History {
        History::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_come_before_listeners_and_see_one_order() {
        let history = History::new();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (folded, heard) = (Arc::clone(&seen), Arc::clone(&seen));
        history.listen(move |event| heard.lock().push(("heard", event.moment.event)));
        history.fold(move |event| folded.lock().push(("folded", event.moment.event)));
        let moments = [history.record(What::Waiting("a")), history.record(What::Waiting("b"))];
        assert!(moments[0] < moments[1]);
        assert_eq!(*seen.lock(), [("folded", 1), ("heard", 1), ("folded", 2), ("heard", 2)]);
    }

    #[test]
    fn without_a_reader_nothing_is_recorded() {
        let history = History::new();
        assert_eq!(history.record(What::Waiting("a leader")), Moment::default());
        history.fold(|_| ());
        assert_eq!(history.record(What::Waiting("a leader")).event, 1);
        history.close();
        assert_eq!(history.record(What::Waiting("a leader")), Moment::default());
    }
}

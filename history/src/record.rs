//! The history: recording an event, and the two kinds of readers.

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
    /// Guards the order: all folds have taken in an event before the next one gets its number.
    folds: Mutex<Folds>,
    listeners: RwLock<Vec<Listener>>,
}

#[derive(Default)]
struct Folds {
    events: u64,
    all: Vec<Fold>,
}

type Fold = Box<dyn FnMut(&Event<'_>) + Send>;
type Listener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

impl History {
    /// An empty history that begins now.
    pub fn new() -> History {
        History {
            shared: Arc::new(Shared {
                began: sim::now(),
                is_read: AtomicBool::new(false),
                folds: Mutex::default(),
                listeners: RwLock::default(),
            }),
        }
    }

    /// Calls `fold` with every later event, in order, on the thread that records. The history is
    /// locked meanwhile: `fold` must not block, record or wake a thread.
    pub fn fold(&self, fold: impl FnMut(&Event<'_>) + Send + 'static) {
        self.shared.folds.lock().all.push(Box::new(fold));
        self.shared.is_read.store(true, Ordering::Relaxed);
    }

    /// Calls `listener` with every later event after all folds have taken it in, on the thread that
    /// records. The history is not locked, so if two threads record at once, the listener may get
    /// their events out of order.
    pub fn listen(&self, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) {
        self.shared.listeners.write().push(Arc::new(listener));
        self.shared.is_read.store(true, Ordering::Relaxed);
    }

    /// Records an event and returns its moment. Without a reader it does nothing and returns the
    /// default moment.
    pub fn record(&self, what: What<'_>) -> Moment {
        if !self.shared.is_read.load(Ordering::Relaxed) {
            return Moment::default();
        }
        let at = sim::now().saturating_sub(self.shared.began);
        let event = {
            let mut folds = self.shared.folds.lock();
            folds.events += 1;
            let event = Event { moment: Moment { event: folds.events, at }, what };
            folds.all.iter_mut().for_each(|fold| fold(&event));
            event
        };
        for listener in self.shared.listeners.read().iter() {
            listener(&event);
        }
        event.moment
    }

    /// Drops all readers, so that nothing is recorded from now on.
    pub fn close(&self) {
        self.shared.is_read.store(false, Ordering::Relaxed);
        let folds = std::mem::take(&mut self.shared.folds.lock().all);
        let listeners = std::mem::take(&mut *self.shared.listeners.write());
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

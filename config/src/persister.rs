//! What survives a crash: one server's Raft state and its snapshot.
//!
//! 6.824's Persister of 2023 and later: [`Persister::save`] is the only writer, so the two are
//! always saved together. It never touches a disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use parking_lot::Mutex;

use crate::fuse::Fuse;

/// The saved bytes of one server.
#[derive(Default)]
pub struct Persister {
    saved: Mutex<Arc<Saved>>,
    was_read: AtomicBool,
    watcher: Option<Watcher>,
    /// Crashes the server at a save that a test has chosen.
    pub(crate) fuse: Fuse,
}

/// Is called after each save with what was saved before and now, on the thread that saves.
type Watcher = Arc<dyn Fn(&Saved, &Saved) + Send + Sync>;

/// What one server has saved: two strings of bytes, always saved together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// Figure 2's persistent state; empty if nothing was saved.
    pub raft_state: Vec<u8>,
    /// The snapshot; empty if there is none.
    pub snapshot: Vec<u8>,
}

impl Persister {
    /// A persister in which nothing was saved yet.
    pub fn new() -> Persister {
        Persister::default()
    }

    /// A persister with what was saved before; `on_save` is called after each later save, on the
    /// thread that saves.
    pub fn restored(saved: Saved, on_save: impl Fn() + Send + Sync + 'static) -> Persister {
        let persister = Persister { saved: Mutex::new(Arc::new(saved)), ..Persister::default() };
        persister.watched_by(move |_, _| on_save())
    }

    /// All that is saved, for somebody who hands it on: that does not count as reading.
    pub fn peek(&self) -> Arc<Saved> {
        Arc::clone(&self.saved.lock())
    }

    /// Whoever it was handed on to has read the Raft state.
    pub fn note_read(&self) {
        self.was_read.store(true, Ordering::Relaxed);
    }

    /// Another persister with the same content; later saves to one leave the other alone.
    pub fn copy(&self) -> Persister {
        Persister { saved: Mutex::new(Arc::clone(&self.saved.lock())), ..Persister::default() }
    }

    /// The same, with somebody who is told of each save.
    pub(crate) fn watched_by(
        self,
        watcher: impl Fn(&Saved, &Saved) + Send + Sync + 'static,
    ) -> Persister {
        Persister { watcher: Some(Arc::new(watcher)), ..self }
    }

    /// Replaces both, at once. An empty `snapshot` erases the one that was saved.
    ///
    /// As with a disk, other threads may run meanwhile; they wait if they want a lock that the
    /// caller holds.
    pub fn save(&self, raft_state: Vec<u8>, snapshot: Vec<u8>) {
        thread::yield_now();
        let new = Arc::new(Saved { raft_state, snapshot });
        let Some(watcher) = &self.watcher else {
            self.fuse.burn(|| *self.saved.lock() = new);
            return;
        };
        let mut old = None;
        self.fuse.burn(|| old = Some(std::mem::replace(&mut *self.saved.lock(), Arc::clone(&new))));
        if let Some(old) = old {
            watcher(&old, &new);
        }
    }

    /// The Raft state that was saved last; empty if none was.
    pub fn read_raft_state(&self) -> Vec<u8> {
        self.was_read.store(true, Ordering::Relaxed);
        self.saved.lock().raft_state.clone()
    }

    /// Whether anybody has read the Raft state.
    pub fn was_read(&self) -> bool {
        self.was_read.load(Ordering::Relaxed)
    }

    /// The size of the Raft state in bytes.
    pub fn raft_state_size(&self) -> usize {
        self.saved.lock().raft_state.len()
    }

    /// The snapshot that was saved last; empty if none was.
    pub fn read_snapshot(&self) -> Vec<u8> {
        self.saved.lock().snapshot.clone()
    }

    /// The size of the snapshot in bytes.
    pub fn snapshot_size(&self) -> usize {
        self.saved.lock().snapshot.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_what_was_saved_and_ignores_later_saves() {
        let old = Persister::new();
        old.save(vec![1, 2], vec![3]);
        let new = old.copy();
        old.save(vec![9], vec![]);
        assert_eq!((new.read_raft_state(), new.read_snapshot()), (vec![1, 2], vec![3]));
        assert_eq!((new.raft_state_size(), new.snapshot_size()), (2, 1));
    }

    #[test]
    fn what_is_handed_on_is_read_when_it_is_said_to_be() {
        let (told, saves) = std::sync::mpsc::channel();
        let saved = Saved { raft_state: vec![1], snapshot: vec![2] };
        let persister = Persister::restored(saved.clone(), move || told.send(()).unwrap());
        assert_eq!((&*persister.peek(), persister.was_read()), (&saved, false));
        persister.note_read();
        assert!(persister.was_read());
        persister.save(vec![3], vec![4]);
        assert_eq!(saves.try_iter().count(), 1);
    }

    #[test]
    fn an_empty_snapshot_erases_the_saved_one() {
        let persister = Persister::new();
        persister.save(vec![1], vec![2]);
        persister.save(vec![1], vec![]);
        assert_eq!(persister.snapshot_size(), 0);
    }
}

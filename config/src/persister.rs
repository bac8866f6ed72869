//! What survives a crash: one server's Raft state and its snapshot.
//!
//! 6.824's Persister of 2023 and later: [`Persister::save`] is the only writer, so the two are
//! always saved together. It never touches a disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use parking_lot::Mutex;

use crate::failure::{Class, Failure};
use crate::fuse::Fuse;
use crate::referee::Referee;

/// What one server may have saved, its Raft state and its snapshot together, in bytes; a larger
/// save does not happen and fails the test as [`Class::Limit`].
///
/// The reference saves at most 3.2 MB (all tests, 3 seeds), which is the largest commands of part
/// 3E as they are. A Raft may so keep all that it was given, in an encoding that takes ten times
/// as many bytes.
pub const SAVED_BYTES_MAX: usize = 32 << 20;

/// The saved bytes of one server.
#[derive(Default)]
pub struct Persister {
    saved: Mutex<Arc<Saved>>,
    was_read: AtomicBool,
    watcher: Option<Watcher>,
    /// Whose it is, and who is told when it saves too much.
    bound: Option<(usize, Referee)>,
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

    /// The same, with a bound on what that server saves.
    pub(crate) fn bounded_for(self, server: usize, referee: Referee) -> Persister {
        Persister { bound: Some((server, referee)), ..self }
    }

    fn is_too_much(&self, bytes: usize) -> bool {
        let Some((server, referee)) = &self.bound else { return false };
        if bytes <= SAVED_BYTES_MAX {
            return false;
        }
        let most = SAVED_BYTES_MAX >> 20;
        let sentence = format!("server {server} saved more than {most} MiB: {bytes} bytes");
        referee.fail(Failure::of(*server, Class::Limit, sentence));
        true
    }

    /// Replaces both, at once. An empty `snapshot` erases the one that was saved.
    ///
    /// As with a disk, other threads may run meanwhile; they wait if they want a lock that the
    /// caller holds.
    pub fn save(&self, raft_state: Vec<u8>, snapshot: Vec<u8>) {
        thread::yield_now();
        if self.is_too_much(raft_state.len().saturating_add(snapshot.len())) {
            return;
        }
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
    fn a_save_that_is_too_large_fails_the_test_and_does_not_happen() {
        let referee = Referee::new();
        let persister = Persister::new().bounded_for(2, referee.clone());
        persister.save(vec![1; SAVED_BYTES_MAX - 1], vec![2]);
        assert_eq!(referee.verdict(), None);
        persister.save(vec![1; SAVED_BYTES_MAX], vec![2]);
        let failure = referee.verdict().and_then(Result::err).unwrap();
        assert_eq!(failure.to_string(), "limit: server 2 saved more than 32 MiB: 33554433 bytes");
        assert_eq!(persister.raft_state_size(), SAVED_BYTES_MAX - 1);
    }

    #[test]
    fn an_empty_snapshot_erases_the_saved_one() {
        let persister = Persister::new();
        persister.save(vec![1], vec![2]);
        persister.save(vec![1], vec![]);
        assert_eq!(persister.snapshot_size(), 0);
    }
}

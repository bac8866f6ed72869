//! What survives a crash: one server's Raft state and its snapshot.

use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;

/// Keeps what must survive a crash: 6.824's `Persister`, in its form of 2023 and later.
///
/// [`Persister::save`] is the only writer, so state and snapshot are always saved together. In the
/// lab nothing is written to a disk. A server that restarts after a crash gets what was saved last.
pub struct Persister {
    storage: Box<dyn Storage>,
}

/// What one server has saved: two byte strings, always saved together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// Figure 2's persistent state, in an encoding of the implementation's choice; empty if nothing
    /// was saved.
    pub raft_state: Vec<u8>,
    /// The snapshot, byte for byte as [`RaftPeer::snapshot`](crate::RaftPeer::snapshot) got it on
    /// some server; empty if there is none.
    pub snapshot: Vec<u8>,
}

/// Where a [`Persister`] keeps its bytes. For a harness; a Raft never needs it.
pub trait Storage: Send + Sync {
    /// Replaces what was saved before.
    fn save(&self, saved: Saved);

    /// What was saved last.
    fn load(&self) -> Arc<Saved>;

    /// The Raft has read its state: it is going to restore from it.
    fn note_read(&self) {}
}

impl Persister {
    /// An empty persister, in memory: for an implementation's own tests.
    pub fn new() -> Persister {
        Persister::with_storage(Memory::default())
    }

    /// A persister that keeps its bytes in `storage`.
    pub fn with_storage(storage: impl Storage + 'static) -> Persister {
        Persister { storage: Box::new(storage) }
    }

    /// Where the bytes are kept. A load from there does not count as a read by the Raft.
    pub fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Saves Raft state and snapshot together, and replaces what was saved before: 6.824's `Save`.
    /// An empty `snapshot` erases the saved one. Save before a reply or a request can reveal a
    /// change of Figure 2's persistent state, and always pass the current snapshot. You may hold a
    /// lock during the save.
    ///
    /// `snapshot` is exactly what [`RaftPeer::snapshot`](crate::RaftPeer::snapshot) got, on this
    /// server or on the one that sent it: the lab restores the service from it at a restart. Other
    /// facts about it, such as its last index and term, belong in `raft_state`.
    ///
    /// The limit for state and snapshot together is 32 MiB. A larger save is not done, and fails
    /// the test.
    ///
    /// Other threads may run during the save, as they would during a write to a disk. A thread that
    /// needs a lock of the caller has to wait.
    pub fn save(&self, raft_state: Vec<u8>, snapshot: Vec<u8>) {
        thread::yield_now();
        self.storage.save(Saved { raft_state, snapshot });
    }

    /// The Raft state that was saved last; empty if none was. 6.824's `ReadRaftState`.
    pub fn read_raft_state(&self) -> Vec<u8> {
        self.storage.note_read();
        self.storage.load().raft_state.clone()
    }

    /// The size of the saved Raft state in bytes: 6.824's `RaftStateSize`.
    pub fn raft_state_size(&self) -> usize {
        self.storage.load().raft_state.len()
    }

    /// The snapshot that was saved last; empty if there is none. 6.824's `ReadSnapshot`.
    pub fn read_snapshot(&self) -> Vec<u8> {
        self.storage.load().snapshot.clone()
    }

    /// The size of the saved snapshot in bytes: 6.824's `SnapshotSize`.
    pub fn snapshot_size(&self) -> usize {
        self.storage.load().snapshot.len()
    }
}

impl Default for Persister {
    fn default() -> Persister {
        Persister::new()
    }
}

/// The storage of [`Persister::new`].
#[derive(Default)]
struct Memory {
    saved: Mutex<Arc<Saved>>,
}

impl Storage for Memory {
    fn save(&self, saved: Saved) {
        *self.saved.lock() = Arc::new(saved);
    }

    fn load(&self) -> Arc<Saved> {
        Arc::clone(&self.saved.lock())
    }
}

impl<S: Storage> Storage for Arc<S> {
    fn save(&self, saved: Saved) {
        (**self).save(saved);
    }

    fn load(&self) -> Arc<Saved> {
        (**self).load()
    }

    fn note_read(&self) {
        (**self).note_read();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_and_snapshot_are_saved_together() {
        let persister = Persister::new();
        assert_eq!((persister.read_raft_state(), persister.read_snapshot()), (vec![], vec![]));
        persister.save(vec![1, 2], vec![3]);
        assert_eq!((persister.read_raft_state(), persister.read_snapshot()), (vec![1, 2], vec![3]));
        assert_eq!((persister.raft_state_size(), persister.snapshot_size()), (2, 1));
        persister.save(vec![1], vec![]);
        assert_eq!((persister.raft_state_size(), persister.snapshot_size()), (1, 0));
    }
}

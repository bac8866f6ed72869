//! What a server has saved. It is kept outside the server, so that it survives crashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use raftapi::{Saved, Storage};
use verdict::{Class, Failure};

use crate::fuse::Fuse;
use crate::sharing::Sharing;

/// The limit of a save in bytes: the Raft state and the snapshot together. A larger save is not
/// done and fails the test as [`Class::Limit`].
///
/// The reference saves at most 3.2 MB (all tests, 3 seeds), nearly all of it the largest commands
/// of part 3E. So an encoding that needs ten times as many bytes still fits.
pub const SAVED_BYTES_MAX: usize = 32 << 20;

/// The disk of one incarnation of a server.
#[derive(Default)]
pub struct Disk {
    saved: Mutex<Arc<Saved>>,
    was_read: AtomicBool,
    watcher: Option<Watcher>,
    /// The server that saves here, and the check of which threads save for it.
    owner: Option<(usize, Sharing)>,
    /// Crashes the server at a save that a test has chosen.
    pub(crate) fuse: Fuse,
}

/// Called after each save, on the thread that saves, with the old and the new content.
type Watcher = Arc<dyn Fn(&Saved, &Saved) + Send + Sync>;

impl Disk {
    /// Another disk with the same content. Later saves to one disk do not change the other.
    pub(crate) fn copy(&self) -> Disk {
        Disk { saved: Mutex::new(self.load()), ..Disk::default() }
    }

    /// The same disk with a watcher of its saves.
    pub(crate) fn watched_by(
        self,
        watcher: impl Fn(&Saved, &Saved) + Send + Sync + 'static,
    ) -> Disk {
        Disk { watcher: Some(Arc::new(watcher)), ..self }
    }

    /// The same disk as the disk of this server: its saves have a limit.
    pub(crate) fn owned_by(self, server: usize, sharing: Sharing) -> Disk {
        Disk { owner: Some((server, sharing)), ..self }
    }

    /// Whether the server has read its Raft state.
    pub fn was_read(&self) -> bool {
        self.was_read.load(Ordering::Relaxed)
    }

    /// Whether the server has crashed at a save that a test has chosen.
    pub(crate) fn has_crashed(&self) -> bool {
        self.fuse.is_blown()
    }

    fn is_too_much(&self, bytes: usize) -> bool {
        let Some((server, sharing)) = &self.owner else { return false };
        if bytes <= SAVED_BYTES_MAX {
            return false;
        }
        let most = SAVED_BYTES_MAX >> 20;
        let sentence = format!("server {server} saved more than {most} MiB: {bytes} bytes");
        sharing.fail(Failure::of(*server, Class::Limit, sentence));
        true
    }
}

impl Storage for Disk {
    fn save(&self, saved: Saved) {
        if let Some((server, sharing)) = &self.owner {
            sharing.note_save(*server);
        }
        if self.is_too_much(saved.raft_state.len().saturating_add(saved.snapshot.len())) {
            return;
        }
        let new = Arc::new(saved);
        let mut old = None;
        self.fuse.burn(|| old = Some(std::mem::replace(&mut *self.saved.lock(), Arc::clone(&new))));
        if let (Some(old), Some(watcher)) = (old, &self.watcher) {
            watcher(&old, &new);
        }
    }

    fn load(&self) -> Arc<Saved> {
        Arc::clone(&self.saved.lock())
    }

    fn note_read(&self) {
        self.was_read.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use verdict::Referee;

    use super::*;

    fn save(disk: &Disk, raft_state: Vec<u8>, snapshot: Vec<u8>) {
        disk.save(Saved { raft_state, snapshot });
    }

    #[test]
    fn a_copy_keeps_what_was_saved_and_ignores_later_saves() {
        let old = Disk::default();
        save(&old, vec![1, 2], vec![3]);
        let new = old.copy();
        save(&old, vec![9], vec![]);
        assert_eq!(*new.load(), Saved { raft_state: vec![1, 2], snapshot: vec![3] });
    }

    #[test]
    fn a_save_that_is_too_large_is_not_done_and_fails_the_test() {
        let referee = Referee::new();
        let disk = Disk::default().owned_by(2, Sharing::new(3, referee.clone()));
        save(&disk, vec![1; SAVED_BYTES_MAX - 1], vec![2]);
        assert_eq!(referee.verdict(), None);
        save(&disk, vec![1; SAVED_BYTES_MAX], vec![2]);
        let failure = referee.verdict().and_then(Result::err).unwrap();
        assert_eq!(failure.to_string(), "limit: server 2 saved more than 32 MiB: 33554433 bytes");
        assert_eq!(disk.load().raft_state.len(), SAVED_BYTES_MAX - 1);
    }
}

//! A crash at a chosen save. Whatever the server does after it is ignored.
//!
//! 6.824's tester crashes a server only between two steps of a test. So it never tests a crash
//! between a save and the answer that depends on it.

use parking_lot::Mutex;

type Crash = Box<dyn FnOnce() + Send>;

/// Crashes a server at one of its next saves.
#[derive(Default)]
pub(crate) struct Fuse {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lit: Option<Lit>,
    blown: bool,
}

struct Lit {
    /// The crash comes at this save, counted from now.
    saves: u64,
    /// Whether that save is still done.
    is_kept: bool,
    crash: Crash,
}

impl Fuse {
    /// Sets a crash at the `saves`-th save from now, which is kept or lost.
    pub(crate) fn light(&self, saves: u64, is_kept: bool, crash: impl FnOnce() + Send + 'static) {
        let lit = Lit { saves: saves.max(1), is_kept, crash: Box::new(crash) };
        self.state.lock().lit = Some(lit);
    }

    pub(crate) fn put_out(&self) {
        self.state.lock().lit = None;
    }

    /// Whether the crash has happened.
    pub(crate) fn is_blown(&self) -> bool {
        self.state.lock().blown
    }

    /// Does a save, unless the server has crashed. The chosen save crashes the server on this
    /// thread before it returns, with no lock of the kit held.
    pub(crate) fn burn(&self, save: impl FnOnce()) {
        let crash = {
            let mut state = self.state.lock();
            if state.blown {
                return;
            }
            let crash = state.count_down();
            if crash.as_ref().is_none_or(|lit| lit.is_kept) {
                save();
            }
            crash
        };
        if let Some(lit) = crash {
            (lit.crash)();
        }
    }
}

impl State {
    /// The crash, if it is due at this save.
    fn count_down(&mut self) -> Option<Lit> {
        let lit = self.lit.as_mut()?;
        lit.saves -= 1;
        if lit.saves > 0 {
            return None;
        }
        self.blown = true;
        self.lit.take()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn the_chosen_save_is_the_last_and_crashes_once() {
        let (fuse, crashes) = (Fuse::default(), Arc::new(AtomicU64::new(0)));
        let counts = Arc::clone(&crashes);
        let mut saved = Vec::new();
        fuse.burn(|| saved.push(0));
        fuse.light(2, true, move || {
            counts.fetch_add(1, Ordering::Relaxed);
        });
        for n in 1..=4 {
            fuse.burn(|| saved.push(n));
            assert_eq!(
                (fuse.is_blown(), crashes.load(Ordering::Relaxed)),
                (n > 1, u64::from(n > 1))
            );
        }
        assert_eq!(saved, [0, 1, 2]);
    }

    #[test]
    fn the_chosen_save_may_be_lost() {
        let fuse = Fuse::default();
        fuse.light(2, false, || ());
        let mut saved = Vec::new();
        (1..=3).for_each(|n| fuse.burn(|| saved.push(n)));
        assert_eq!((fuse.is_blown(), saved), (true, vec![1]));
    }

    #[test]
    fn a_fuse_that_was_put_out_crashes_nothing() {
        let fuse = Fuse::default();
        fuse.light(1, true, || panic!("it was put out"));
        fuse.put_out();
        fuse.burn(|| ());
        assert!(!fuse.is_blown());
    }
}

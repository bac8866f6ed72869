//! The observer: asks the peers for their state, and tells the board what it sees.
//!
//! It has a thread for each server, so that a peer that holds its lock for long hides no other. A
//! thread asks when something has happened to its server (a call was sent or handled, something was
//! saved, applied or started) and every [`SWEEP_INTERVAL`]. `inspect` may take the peer's lock, so
//! it is never called from a thread on which the peer itself is at work. The first time, the thread
//! that starts the server asks, before the server is on the network: what a crash has left is seen
//! before anything can change it.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use labrpc::{Name, Network, Step};
use parking_lot::{Condvar, Mutex};

use crate::applied;
use crate::calls::Calls;
use crate::disk::Disk;
use crate::failure::Failure;
use crate::hygiene::Habit;
use crate::invariants::board::{Board, Question};
use crate::invariants::broken;
use crate::invariants::rule::Rule;
use crate::label::{self, Label};
use crate::lives::Life;
use crate::referee::Referee;
use raftapi::{Inspect, RaftPeer, Started};
use raftapi::{Saved, Storage};

/// A peer to which nothing happens is asked this often.
const SWEEP_INTERVAL: Duration = Duration::from_millis(10);
/// An answer that takes longer is worth a word: nothing that needs the peer's lock gets on.
const PATIENCE: Duration = Duration::from_secs(1);
/// So many saves of what was saved already are worth a word, if they are half of all.
const VAIN_SAVES_MAX: u64 = 50;
/// How the finding begins of a run in which some server did not show its state.
pub const NOT_INSPECTED: &str = "without `inspect` these rules are not watched";
/// What cannot be watched without `inspect`.
const WHITE_BOX: &str = "S2, S3, S4, S7, S10, S11, S13 and S14, and S5, S6 and S12 in part";

/// Watches one cluster, or nothing at all. Clones are the same.
#[derive(Clone)]
pub(crate) struct Observer {
    shared: Option<Arc<Shared>>,
}

struct Shared {
    board: Mutex<Board>,
    bells: Vec<Bell>,
    habits: Mutex<Vec<Habits>>,
    calls: Calls,
    referee: Referee,
    made_at: Instant,
}

/// Wakes the thread of one server.
#[derive(Default)]
struct Bell {
    state: Mutex<BellState>,
    rings: Condvar,
}

#[derive(Default)]
struct BellState {
    rung: bool,
    closed: bool,
    /// Whom to ask; none if nobody runs, or has an answer.
    peer: Option<Watched>,
    /// Some incarnation has no `inspect`.
    is_blind: bool,
}

#[derive(Clone)]
struct Watched {
    peer: Weak<dyn RaftPeer>,
    incarnation: u32,
    life: Life,
}

/// What is no fault of a server's, but no good habit either.
#[derive(Debug, Clone, Copy, Default)]
struct Habits {
    saves: u64,
    saves_in_vain: u64,
    is_slow: bool,
    /// How often it was paused and resumed: odd while it stands still.
    pauses: u64,
}

impl Habits {
    /// Whether to tell of a long wait that began after so many pauses: once, and only if it was the
    /// server's own fault.
    fn are_slow(&mut self, pauses: u64) -> bool {
        let own_fault = self.pauses == pauses && pauses.is_multiple_of(2);
        own_fault && !std::mem::replace(&mut self.is_slow, true)
    }
}

impl Observer {
    /// Watches nothing.
    pub(crate) fn off() -> Observer {
        Observer { shared: None }
    }

    /// Starts a thread for each server; they end after [`Observer::close`].
    pub(crate) fn new(
        servers: usize,
        network: &Network,
        calls: Calls,
        referee: Referee,
    ) -> Observer {
        let shared = Arc::new(Shared {
            board: Mutex::new(Board::new(servers)),
            bells: (0..servers).map(|_| Bell::default()).collect(),
            habits: Mutex::new(vec![Habits::default(); servers]),
            calls,
            referee,
            made_at: Instant::now(),
        });
        for server in 0..servers {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("observer {server}"))
                .spawn(move || shared.watch(server))
                .expect("failed to start an observer");
        }
        // Weak, since the network lives as long as the last end of it.
        let hearer = Arc::downgrade(&shared);
        network.subscribe(move |event| {
            let Some(shared) = hearer.upgrade() else { return };
            shared.judge(|board| board.hears(event));
            let changed = match &event.step {
                Step::Sent { .. } => &event.from,
                Step::Handled { .. } => &event.to,
                _ => return,
            };
            if let Some(server) = changed.as_ref().and_then(Name::number) {
                shared.ring(server);
            }
        });
        Observer { shared: Some(shared) }
    }

    /// A new incarnation is about to be made.
    pub(crate) fn start(&self, server: usize, incarnation: u32) {
        let Some(shared) = &self.shared else { return };
        shared.board.lock().start(server, incarnation);
    }

    /// It was made, and is not on the network yet.
    pub(crate) fn made(&self, life: Life, incarnation: u32, peer: &Arc<dyn RaftPeer>, disk: &Disk) {
        let Some(shared) = &self.shared else { return };
        let (server, has_read) = (life.server, disk.was_read());
        let Some((question, state)) = shared.inspect(life, incarnation, Arc::clone(peer)) else {
            return;
        };
        let mut bell = shared.bells[server].state.lock();
        let Some(state) = state else {
            bell.is_blind = true;
            return;
        };
        bell.peer = Some(Watched { peer: Arc::downgrade(peer), incarnation, life });
        drop(bell);
        // Read after the state was: what is saved later only goes further.
        let covers = applied::covers(&disk.load().snapshot).unwrap_or(0);
        let at = shared.made_at.elapsed();
        shared.judge(|board| {
            if has_read {
                board.restores(&question, state, at, covers)
            } else {
                board.sees(&question, state, at)
            }
        });
        shared.ring(server);
    }

    /// Nothing that a server does from now on counts.
    pub(crate) fn crash(&self, server: usize) {
        let Some(shared) = &self.shared else { return };
        shared.board.lock().crash(server);
        shared.bells[server].state.lock().peer = None;
    }

    /// A server is paused, or goes on.
    pub(crate) fn pauses_or_resumes(&self, server: usize) {
        let Some(shared) = &self.shared else { return };
        shared.habits.lock()[server].pauses += 1;
    }

    /// A crashed server is cut off from the network.
    pub(crate) fn cut_off(&self, server: usize) {
        let Some(shared) = &self.shared else { return };
        shared.board.lock().cut_off(server);
    }

    /// A peer is about to be asked something.
    pub(crate) fn ask(&self, server: usize) -> Option<Question> {
        self.shared.as_ref()?.board.lock().ask(server)
    }

    /// `get_state` has answered.
    pub(crate) fn says_term(&self, question: Option<Question>, term: u64) -> Result<(), Failure> {
        let (Some(shared), Some(question)) = (&self.shared, question) else { return Ok(()) };
        shared.board.lock().says_term(&question, term)
    }

    /// `get_state` has answered that it leads a term.
    pub(crate) fn leads(&self, question: Option<Question>, term: u64) -> Result<(), Failure> {
        let (Some(shared), Some(question)) = (&self.shared, question) else { return Ok(()) };
        let at = shared.made_at.elapsed();
        let mut board = shared.board.lock();
        if board.is_alive(&question) { board.leads(question.server, term, at) } else { Ok(()) }
    }

    /// `start` has taken a command.
    pub(crate) fn takes(
        &self,
        question: Option<Question>,
        started: Started,
        command: &[u8],
    ) -> Result<(), Failure> {
        let (Some(shared), Some(question)) = (&self.shared, question) else { return Ok(()) };
        let at = shared.made_at.elapsed();
        shared.board.lock().takes(&question, started, command, at)?;
        shared.ring(question.server);
        Ok(())
    }

    /// A command was applied.
    pub(crate) fn applies(
        &self,
        server: usize,
        incarnation: u32,
        index: u64,
        command: &[u8],
    ) -> Result<(), Failure> {
        let Some(shared) = &self.shared else { return Ok(()) };
        shared.board.lock().applies(server, incarnation, index, command)?;
        shared.ring(server);
        Ok(())
    }

    /// The disk of a new incarnation, whose saves are seen.
    pub(crate) fn watch_saves(&self, server: usize, incarnation: u32, disk: Disk) -> Disk {
        let Some(shared) = &self.shared else { return disk };
        let shared = Arc::downgrade(shared);
        disk.watched_by(move |old, new| {
            if let Some(shared) = shared.upgrade() {
                shared.saved(server, incarnation, old, new);
            }
        })
    }

    /// The end: the threads end, and what was found goes to the referee.
    pub(crate) fn close(&self) {
        let Some(shared) = &self.shared else { return };
        let mut is_blind = false;
        for bell in &shared.bells {
            let mut state = bell.state.lock();
            is_blind |= state.is_blind;
            (state.closed, state.peer) = (true, None);
            bell.rings.notify_all();
        }
        if is_blind {
            shared.referee.find(format!("{NOT_INSPECTED}: {WHITE_BOX}"));
        }
        for (server, habits) in shared.habits.lock().iter().enumerate() {
            if habits.saves_in_vain > VAIN_SAVES_MAX && 2 * habits.saves_in_vain > habits.saves {
                let sentence = format!(
                    "server {server} saved {} times, {} of them exactly what was saved already",
                    habits.saves, habits.saves_in_vain
                );
                shared.referee.note(Habit::NeedlessSaves, sentence);
            }
        }
    }
}

impl Shared {
    /// The observer's thread for one server.
    fn watch(&self, server: usize) {
        let _label = label::enter(Label::Kit, "the observer");
        while let Some(watched) = self.bells[server].wait() {
            let Some(peer) = watched.peer.upgrade() else { continue };
            let Watched { incarnation, life, .. } = watched;
            let Some((question, state)) = self.inspect(life, incarnation, peer) else { continue };
            let Some(state) = state else {
                // It showed itself at first.
                self.bells[server].state.lock().is_blind = true;
                continue;
            };
            let at = self.made_at.elapsed();
            self.judge(|board| board.sees(&question, state, at));
        }
    }

    /// Asks a peer, if it is the incarnation that runs. After a panic, which the referee knows of,
    /// there is no answer.
    fn inspect(
        &self,
        life: Life,
        incarnation: u32,
        peer: Arc<dyn RaftPeer>,
    ) -> Option<(Question, Option<Inspect>)> {
        let server = life.server;
        let question = self.board.lock().ask(server)?;
        if question.incarnation != incarnation {
            return None;
        }
        let since = self.made_at.elapsed();
        let pauses = self.habits.lock()[server].pauses;
        // With the peer itself: it may do something when it is dropped.
        let state = self.calls.ask(life, "inspect", move || peer.inspect());
        let waited = self.made_at.elapsed().saturating_sub(since);
        if waited > PATIENCE && self.habits.lock()[server].are_slow(pauses) {
            let sentence = format!(
                "server {server} kept `inspect` waiting for {:.1} s: is a lock held across a call?",
                waited.as_secs_f64()
            );
            self.referee.note(Habit::HeldLock, sentence);
        }
        Some((question, state.ok()?))
    }

    fn judge(&self, judge: impl FnOnce(&mut Board) -> Result<(), Failure>) {
        let verdict = judge(&mut self.board.lock());
        if let Err(failure) = verdict {
            self.referee.fail(failure);
        }
    }

    fn ring(&self, server: usize) {
        if let Some(bell) = self.bells.get(server) {
            bell.ring();
        }
    }

    /// On the thread of the peer that saves, and maybe under its lock: nothing here waits for it.
    fn saved(&self, server: usize, incarnation: u32, old: &Saved, new: &Saved) {
        // What threads of a killed incarnation still save is no habit of the server's.
        let runs = self.board.lock().runs(server, incarnation);
        if runs {
            let habits = &mut self.habits.lock()[server];
            habits.saves += 1;
            habits.saves_in_vain += u64::from(old == new);
        }
        if old.snapshot != new.snapshot {
            let covers = |saved: &Saved| match &saved.snapshot[..] {
                [] => Some(0),
                snapshot => applied::covers(snapshot),
            };
            if let (Some(before), Some(now)) = (covers(old), covers(new))
                && now < before
                && runs
            {
                let sentence = format!(
                    "server {server} saved a snapshot up to index {now} over one up to index \
                     {before}"
                );
                self.referee.fail(broken(Rule::S14, server, sentence));
            }
        }
        self.ring(server);
    }
}

impl Bell {
    fn ring(&self) {
        let mut state = self.state.lock();
        if !state.rung {
            state.rung = true;
            self.rings.notify_one();
        }
    }

    /// Waits for a ring or for the next sweep, and says whom to ask; none at the end.
    fn wait(&self) -> Option<Watched> {
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return None;
            }
            let is_due = if state.rung {
                true
            } else if state.peer.is_some() {
                self.rings.wait_for(&mut state, SWEEP_INTERVAL).timed_out()
            } else {
                self.rings.wait(&mut state);
                false
            };
            if is_due || state.rung {
                state.rung = false;
                if let Some(watched) = &state.peer
                    && !state.closed
                {
                    return Some(watched.clone());
                }
            }
        }
    }
}

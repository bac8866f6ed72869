//! The reader that reports findings about a server's Raft: locks that are held, needless saves.

use std::sync::Arc;
use std::time::Duration;

use history::{Event, History, Incarnation, Moment, RaftEvent, ServerEvent, What};
use parking_lot::Mutex;
use verdict::{FindingKind, Referee};

/// A slower answer of `inspect` is reported. During such a wait nothing that needs the peer's lock
/// makes progress.
const INSPECT_TIME_MAX: Duration = Duration::from_secs(1);
/// Report redundant saves above this count, if they are at least half of all saves.
const NEEDLESS_SAVES_MAX: u64 = 50;
/// The beginning of the finding that some server did not show its state.
pub const NOT_INSPECTED: &str = "without `inspect` these rules are not checked";
/// The rules that cannot be checked without `inspect`.
const WHITE_BOX: &str = "S2, S3, S4, S7, S10, S11, S13 and S14, and S5, S6 and S12 in part";

/// Collects the findings of one run.
pub(crate) struct Findings {
    state: Arc<Mutex<State>>,
    referee: Referee,
}

struct State {
    servers: Vec<Server>,
    /// Some incarnation has no `inspect`.
    is_blind: bool,
    /// Findings to report when the listeners get their events.
    held_locks: Vec<(Moment, String)>,
}

/// What is known of one server.
#[derive(Debug, Clone, Copy, Default)]
struct Server {
    incarnation: u32,
    saves: u64,
    needless_saves: u64,
    has_held_lock: bool,
    is_paused: bool,
    /// When it was last paused or resumed.
    paused_or_resumed: Moment,
}

impl Findings {
    /// Starts to read the history of a cluster.
    pub(crate) fn new(servers: usize, history: &History, referee: &Referee) -> Findings {
        let servers = vec![Server::default(); servers];
        let state = State { servers, is_blind: false, held_locks: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let (folding, reporting) = (Arc::clone(&state), Arc::clone(&state));
        history.fold(move |event| folding.lock().read(event));
        let told = referee.clone();
        history.listen(move |event| {
            let held: Vec<_> =
                reporting.lock().held_locks.extract_if(.., |(at, _)| *at == event.moment).collect();
            for (_, sentence) in held {
                told.note(FindingKind::HeldLock, sentence);
            }
        });
        Findings { state, referee: referee.clone() }
    }

    /// Reports the findings that are known only at the end of the run.
    pub(crate) fn close(&self) {
        let state = self.state.lock();
        if state.is_blind {
            self.referee.find(format!("{NOT_INSPECTED}: {WHITE_BOX}"));
        }
        for (server, known) in state.servers.iter().enumerate() {
            let Server { saves, needless_saves, .. } = *known;
            if needless_saves > NEEDLESS_SAVES_MAX && 2 * needless_saves > saves {
                let sentence = format!(
                    "server {server} saved {saves} times; {needless_saves} saves changed nothing"
                );
                self.referee.note(FindingKind::NeedlessSaves, sentence);
            }
        }
    }
}

impl State {
    fn read(&mut self, event: &Event<'_>) {
        match &event.what {
            What::Server(of, what) => self.hear_of_server(*of, what, event.moment),
            What::Raft(of, RaftEvent::Sampled { asked, state }) => {
                self.is_blind |= state.is_none();
                self.time(of.server, *asked, event.moment);
            }
            What::Raft(of, RaftEvent::Restored { asked, .. }) => {
                self.time(of.server, *asked, event.moment);
            }
            _ => {}
        }
    }

    fn hear_of_server(&mut self, of: Incarnation, what: &ServerEvent<'_>, at: Moment) {
        let known = &mut self.servers[of.server];
        match what {
            ServerEvent::Starting(_) => known.incarnation = of.number,
            ServerEvent::Crashed => known.incarnation = 0,
            ServerEvent::Paused | ServerEvent::Resumed => {
                known.is_paused = matches!(what, ServerEvent::Paused);
                known.paused_or_resumed = at;
            }
            // Saves by threads of a killed incarnation say nothing about the server.
            ServerEvent::Saved { old, new } if known.incarnation == of.number => {
                known.saves += 1;
                known.needless_saves += u64::from(old == new);
            }
            ServerEvent::Saved { .. } | ServerEvent::Fault(_) | ServerEvent::Silenced => {}
        }
    }

    /// Checks how long `inspect` took. A long wait is reported once for each server, and only if
    /// the server was not paused during it.
    fn time(&mut self, server: usize, asked: Moment, answered: Moment) {
        let known = &mut self.servers[server];
        let waited = answered.at.saturating_sub(asked.at);
        let own_fault = !known.is_paused && known.paused_or_resumed < asked;
        if waited > INSPECT_TIME_MAX
            && own_fault
            && !std::mem::replace(&mut known.has_held_lock, true)
        {
            let sentence = format!(
                "server {server} kept `inspect` waiting for {:.1} s: is a lock held across a call?",
                waited.as_secs_f64()
            );
            self.held_locks.push((answered, sentence));
        }
    }
}

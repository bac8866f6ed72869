//! The cluster under test, after 6.824's config.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use choice::{Choices, Stream};
use cluster::{Calls, Cluster, Method, TEST_LIMIT, Waiting, took_too_long};
use history::{History, Incarnation, Moment, RaftEvent, What};
use labrpc::network::Network;
use parking_lot::Mutex;
use raftapi::{Make, Started};
use rand::Rng;
use rand::distr::{Alphanumeric, SampleString};
use verdict::{Class, Failure, Figures, KitCode, Referee};
use watch::{Checker, Knowledge};

use crate::applied::{self, Applied};
use crate::applier::{ApplyDelays, SNAPSHOT};
use crate::findings::Findings;
use crate::judge::{Judge, Rules};
use crate::observer::Observer;
use crate::progress;
use crate::raft::Raft;

/// The longest reasonable election timeout, as in 6.824. Tests wait for multiples of it.
pub const RAFT_ELECTION_TIMEOUT: Duration = Duration::from_millis(1000);
/// The limit of a term. No correct run has nearly this many elections.
const TERM_MAX: u64 = 1 << 32;

/// The kind of cluster that a test wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// The number of servers.
    pub servers: usize,
    /// Whether the network loses and delays requests and replies.
    pub unreliable: bool,
    /// Whether the lab makes snapshots (part D).
    pub snapshots: bool,
    /// Whether the rules of Raft are checked at every event.
    pub invariants: bool,
}

impl Setup {
    /// `servers` servers on a reliable network, without snapshots.
    pub fn reliable(servers: usize) -> Setup {
        Setup { servers, unreliable: false, snapshots: false, invariants: true }
    }

    /// `servers` servers on a network that loses and delays messages, without snapshots.
    pub fn unreliable(servers: usize) -> Setup {
        Setup { unreliable: true, ..Setup::reliable(servers) }
    }

    /// The same setup with snapshots.
    #[must_use]
    pub fn with_snapshots(self) -> Setup {
        Setup { snapshots: true, ..self }
    }

    /// The same setup without checks of the rules of Raft, to measure their cost.
    #[must_use]
    pub fn without_invariants(self) -> Setup {
        Setup { invariants: false, ..self }
    }
}

/// A cluster under test: a [`Cluster`] of Rafts, to which it derefs, with the lab's checks.
///
/// A check returns what the test needs next. When a check fails, the failure is reported to the
/// referee, and the calling thread is unwound. So the code of a test needs no error handling.
/// Dropping a `Config` kills every server.
pub struct Config {
    cluster: Cluster<Raft>,
    pub(crate) rng: Mutex<Stream>,
    applied: Arc<Applied>,
    judge: Judge,
    watched: Option<Findings>,
    made_at: Instant,
    begun: Mutex<Begun>,
}

/// The counters when the test began.
struct Begun {
    at: Instant,
    rpcs: u64,
    bytes: u64,
    index_max: u64,
}

impl Deref for Config {
    type Target = Cluster<Raft>;

    /// As 6.5840's `Test` embeds the tester's `Config`.
    fn deref(&self) -> &Cluster<Raft> {
        &self.cluster
    }
}

impl Config {
    /// Makes a cluster and starts and connects every server: 6.824's make_config.
    ///
    /// All random numbers of the lab come from `seed`.
    pub fn new(make: &Make, setup: Setup, seed: u64, referee: &Referee) -> Config {
        Config::choosing(make, setup, seed, referee, &History::new(), &Choices::drawn())
    }

    /// Like [`Config::new`], with the choices of the run, and with a history that already has
    /// readers, so that they also see its first event.
    pub fn choosing(
        make: &Make,
        setup: Setup,
        seed: u64,
        referee: &Referee,
        history: &History,
        choices: &Choices,
    ) -> Config {
        referee.add_kit_code([
            KitCode { crate_name: "config", folder: "/config/src/" },
            KitCode { crate_name: "watch", folder: "/watch/src/" },
        ]);
        let network = Network::choosing(seed, choices.clone());
        network.reliable(!setup.unreliable);
        network.long_delays(true);
        let (servers, made_at) = (setup.servers, Instant::now());
        let calls = Calls::new(referee.clone(), network.clone());
        let applied = Arc::new(Applied::new(servers));
        let rules = setup.invariants.then(|| Rules {
            checker: Checker::new(servers, applied::covers),
            knowledge: Knowledge::new(servers),
        });
        let judge = Judge::new(history, referee, &applied, rules);
        progress::explain(servers, history, referee);
        let watched = setup.invariants.then(|| Findings::new(servers, history, referee));
        let observer = setup.invariants.then(|| Observer::new(servers, history, calls.clone()));
        let raft = Raft {
            make: Arc::clone(make),
            snapshots: setup.snapshots,
            calls: calls.clone(),
            history: history.clone(),
            applied: Arc::clone(&applied),
            observer,
            apply_delays: Arc::new(ApplyDelays::none(servers)),
        };
        let config = Config {
            cluster: Cluster::new(servers, network, history, calls, referee, raft),
            rng: Mutex::new(choices.stream(seed, 0)),
            applied,
            judge,
            watched,
            made_at,
            begun: Mutex::new(Begun { at: made_at, rpcs: 0, bytes: 0, index_max: 0 }),
        };
        for server in 0..servers {
            config.start_server(server);
        }
        for server in 0..servers {
            config.connect(server);
        }
        config
    }

    /// Calls `start` of one server, connected or not. None if the server does not lead, does not
    /// run, or crashes during the call; also if the command is left out of this run.
    pub fn start(&self, server: usize, command: Vec<u8>) -> Option<Started> {
        if !self.choices().command(server) {
            return None;
        }
        self.start_for_check(server, command)
    }

    /// The same for a check, whose command is never left out.
    pub fn start_for_check(&self, server: usize, command: Vec<u8>) -> Option<Started> {
        let taken = command.clone();
        let (asked, started) = self.call(
            server,
            Method::new("start"),
            |of, alive| {
                // Recorded even if the server is crashing: its messages with the command can still
                // reach others.
                self.record(of, RaftEvent::Offered { command: &taken });
                self.note_question(of, alive)
            },
            move |peer| peer.start(command),
        )?;
        let Some(started) = started else {
            if let Some((of, asked)) = asked {
                self.record(of, RaftEvent::Refused { asked });
            }
            return None;
        };
        let Started { index, term } = started;
        let limit = match started {
            _ if term > TERM_MAX => {
                Some(format!("the highest term that the lab accepts is {TERM_MAX}"))
            }
            Started { index: 0, .. } | Started { term: 0, .. } => {
                Some("the first index and the first term are 1".to_owned())
            }
            Started { .. } => None,
        };
        if let Some(limit) = limit {
            self.contract(
                server,
                format!("server {server} took a command as index {index} of term {term}; {limit}"),
                "start; it returns the index and the term of the entry that it has appended",
            );
        }
        if let Some((of, asked)) = asked {
            self.read_clock();
            self.judge(of, RaftEvent::Started { asked, started, command: &taken });
        }
        Some(started)
    }

    /// A random command of `len` letters and digits. No message can carry it in fewer bytes than
    /// its entropy, which rule S17 counts.
    pub fn draw_letters(&self, rng: &mut impl Rng, len: usize) -> Vec<u8> {
        let command = Alphanumeric.sample_string(rng, len).into_bytes();
        self.history().record(What::Drawn(&command));
        command
    }

    /// A server's term, and whether it believes that it is the leader: 6.824's GetState. None if
    /// the server does not run or crashes during the call.
    pub fn get_state(&self, server: usize) -> Option<(u64, bool)> {
        let (of, state) = self.ask_state(server)?;
        self.note_leader(of, state);
        Some(state)
    }

    /// Like [`Config::get_state`], but does not record that the server leads. Also returns the
    /// incarnation that has answered; none if it was crashing when it was asked.
    pub(crate) fn ask_state(&self, server: usize) -> Option<(Option<Incarnation>, (u64, bool))> {
        let (asked, (term, leads)) = self.call(
            server,
            Method::new("get_state"),
            |of, alive| self.note_question(of, alive),
            |peer| peer.get_state(),
        )?;
        if let Some((of, asked)) = asked {
            self.judge(of, RaftEvent::State { asked, term });
        }
        if term > TERM_MAX {
            self.contract(
                server,
                format!(
                    "server {server} is in term {term}; the highest term that the lab accepts is \
                     {TERM_MAX}"
                ),
                "every line that sets current_term; a candidate raises it by one, and a message \
                 by no more than its sender did (section 5.2)",
            );
        }
        if leads && term == 0 {
            self.contract(
                server,
                format!("server {server} says that it leads term 0; the first term to lead is 1"),
                "get_state, and the role at the start; a server begins as a follower in term 0 \
                 and raises its term before it asks for votes (section 5.2, Figure 2)",
            );
        }
        Some((asked.map(|(of, _)| of), (term, leads)))
    }

    /// Records that a server says that it leads, if `leads` is true.
    pub(crate) fn note_leader(&self, of: Option<Incarnation>, (term, leads): (u64, bool)) {
        if let Some(of) = of.filter(|_| leads) {
            self.read_clock();
            self.judge(of, RaftEvent::Leads { term });
        }
    }

    /// Records that a thread of the test waits for `what`, until the guard is dropped.
    pub(crate) fn wait_for(&self, what: String) -> Waiting {
        self.history().record(What::Waiting(&what));
        self.calls().wait_for(what)
    }

    /// Records that a server is asked a question, unless it is crashing.
    fn note_question(&self, of: Incarnation, alive: bool) -> Option<(Incarnation, Moment)> {
        alive.then(|| (of, self.record(of, RaftEvent::Asked)))
    }

    fn record(&self, of: Incarnation, what: RaftEvent<'_>) -> Moment {
        self.history().record(What::Raft(of, what))
    }

    fn judge(&self, of: Incarnation, what: RaftEvent<'_>) {
        self.judge.stop_if_broken(self.record(of, what));
    }

    /// Reading the clock is a step of a simulation. Without these reads the run of every seed would
    /// change.
    fn read_clock(&self) {
        if self.watched.is_some() {
            let _ = self.made_at.elapsed();
        }
    }

    fn contract(&self, server: usize, sentence: String, look: &str) -> ! {
        self.referee().stop(Failure::of(server, Class::Contract, sentence).with_look(look));
    }

    /// The number of servers that have ever applied an entry at `index`, including crashed ones,
    /// and the command: 6.824's nCommitted.
    pub fn n_committed(&self, index: u64) -> (usize, Option<Vec<u8>>) {
        self.referee().stop_if_failed();
        self.applied.n_committed(index)
    }

    /// The number of snapshots with new entries that a server has ever applied.
    pub fn snapshots_applied(&self, server: usize) -> u64 {
        self.applied.snapshots(server)
    }

    /// Makes a snapshot now, of everything that a server has applied. The lab's appliers make
    /// theirs at fixed indices. Does nothing if the server does not run or has applied nothing.
    pub fn make_snapshot(&self, server: usize) {
        let Some(index) = self.applied.last_applied(server) else { return };
        let snapshot = self.applied.snapshot(server, index);
        self.call(server, SNAPSHOT, |_, _| (), move |peer| peer.snapshot(index, snapshot));
    }

    /// Makes the lab slow: it takes `time` for every message that a server applies, even after a
    /// restart.
    pub fn delay_applies(&self, server: usize, time: Duration) {
        if !self.choices().fault("delay_applies", &[server]) {
            return;
        }
        self.service().apply_delays.set(server, time);
        self.record_fault(server, "delay_applies");
    }

    /// Ends [`Config::delay_applies`].
    pub fn apply_at_once(&self, server: usize) {
        self.service().apply_delays.set(server, Duration::ZERO);
        self.record_fault(server, "apply_at_once");
    }

    /// Ends every fault of one server that is not a fault of the network: a pause, a wrong clock,
    /// slow applies, a planned crash, a past crash, a disconnection.
    pub fn relieve(&self, server: usize) {
        let faults = self.faults();
        faults.resume(server);
        faults.steady_clock(server);
        self.apply_at_once(server);
        faults.spare(server);
        if !self.is_running(server) {
            self.restart(server);
        }
        if !self.is_connected(server) {
            self.connect(server);
        }
    }

    /// Begins the test: RPCs, bytes and commands are counted from now on. 6.824's begin.
    pub fn begin(&self) {
        *self.begun.lock() = Begun {
            at: Instant::now(),
            rpcs: self.rpc_total(),
            bytes: self.bytes_total(),
            index_max: self.applied.index_max(),
        };
    }

    /// Ends the test: the referee gets the numbers of its closing line. 6.824's end.
    pub fn end(&self) {
        if self.made_at.elapsed() > TEST_LIMIT {
            self.referee().stop(took_too_long());
        }
        let begun = self.begun.lock();
        self.referee().record(Figures {
            time: begun.at.elapsed(),
            peers: self.n(),
            rpcs: self.rpc_total() - begun.rpcs,
            bytes: self.bytes_total() - begun.bytes,
            commands: self.applied.index_max() - begun.index_max,
        });
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        self.cluster.shut_down();
        if let Some(observer) = &self.service().observer {
            observer.close();
        }
        if let Some(findings) = &self.watched {
            findings.close();
        }
        self.cluster.calls().close();
        self.cluster.history().close();
        self.judge.close(self.referee());
    }
}

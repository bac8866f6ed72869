//! The cluster under test: 6.824's config, from the making of its servers to their end.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use labrpc::{Name, Network, Server, Step, UNDER_WAY_BYTES_MAX};
use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::applied::Applied;
use crate::applier::{Applier, Pace};
use crate::calls::{self, Calls, KILL, Panicked};
use crate::disk::Disk;
use crate::failure::{Class, Failure};
use crate::invariants::board::Question;
use crate::invariants::observer::Observer;
use crate::label;
use crate::lives::{Death, Life};
use crate::referee::{Figures, Referee, Stopped};
use raftapi::{Make, PeerContext, Persister, RaftPeer, Saved, Started, Storage};

/// What the tests take as the longest sensible election timeout, and wait in multiples of.
pub const RAFT_ELECTION_TIMEOUT: Duration = Duration::from_millis(1000);
/// A test that takes longer has failed.
pub const TEST_LIMIT: Duration = Duration::from_secs(120);
/// No honest run comes near this many elections; a larger term is nonsense.
const TERM_MAX: u64 = 1 << 32;

/// What kind of cluster a test wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// The number of servers.
    pub servers: usize,
    /// Requests and replies are lost and delayed.
    pub unreliable: bool,
    /// The lab makes snapshots (part D).
    pub snapshots: bool,
    /// The rules of Raft are watched at every step.
    pub invariants: bool,
}

impl Setup {
    /// So many servers on a reliable network, without snapshots.
    pub fn reliable(servers: usize) -> Setup {
        Setup { servers, unreliable: false, snapshots: false, invariants: true }
    }

    /// So many servers on a network that loses and delays, without snapshots.
    pub fn unreliable(servers: usize) -> Setup {
        Setup { unreliable: true, ..Setup::reliable(servers) }
    }

    /// The same with snapshots.
    #[must_use]
    pub fn with_snapshots(self) -> Setup {
        Setup { snapshots: true, ..self }
    }

    /// The same without a watch on the rules of Raft, to see what that costs.
    #[must_use]
    pub fn without_invariants(self) -> Setup {
        Setup { invariants: false, ..self }
    }
}

/// A cluster under test.
///
/// Its checks return what a test goes on with; when one fails, the referee is told and the calling
/// thread is unwound, so a test reads as if nothing could fail. Dropping it kills every server.
pub struct Config {
    pub(crate) network: Network,
    pub(crate) referee: Referee,
    pub(crate) applied: Arc<Applied>,
    pub(crate) servers: Arc<Mutex<Vec<Slot>>>,
    pub(crate) rng: Mutex<ChaCha8Rng>,
    pub(crate) calls: Calls,
    pub(crate) observer: Observer,
    pub(crate) pace: Arc<Pace>,
    /// Held while a server is cut off or its next incarnation begins, so that a crash at a save
    /// never hits the incarnation behind the one that it is for.
    pub(crate) cutting: Arc<Mutex<()>>,
    make: Make,
    snapshots: bool,
    made_at: Instant,
    begun: Mutex<Begun>,
}

/// What the cluster knows of one server.
#[derive(Default)]
pub(crate) struct Slot {
    pub(crate) peer: Option<Arc<dyn RaftPeer>>,
    pub(crate) connected: bool,
    deaf: bool,
    pub(crate) incarnation: u32,
    pub(crate) life: Life,
    /// Its threads stand still.
    pub(crate) paused: bool,
    /// A peer that crashed at a save: nothing from it counts, but it was not killed yet.
    pub(crate) crashed_peer: Option<Arc<dyn RaftPeer>>,
    ends: Vec<Name>,
    pub(crate) disk: Arc<Disk>,
}

impl Slot {
    /// The peer, if it can be asked anything now.
    fn answering(&self) -> Option<Arc<dyn RaftPeer>> {
        if self.paused { None } else { self.peer.clone() }
    }
}

/// The counters when the test began.
struct Begun {
    at: Instant,
    rpcs: u64,
    bytes: u64,
    index_max: u64,
}

impl Config {
    /// Makes a cluster and starts and connects every server: 6.824's make_config.
    ///
    /// Everything that the lab draws at random comes from `seed`.
    pub fn new(make: &Make, setup: Setup, seed: u64, referee: &Referee) -> Config {
        let network = Network::new(seed);
        network.reliable(!setup.unreliable);
        network.long_delays(true);
        report_misuse(&network, referee);
        let now = Instant::now();
        let calls = Calls::new(referee.clone(), network.clone());
        let observer = if setup.invariants {
            Observer::new(setup.servers, &network, calls.clone(), referee.clone())
        } else {
            Observer::off()
        };
        let config = Config {
            calls,
            observer,
            network,
            referee: referee.clone(),
            applied: Arc::new(Applied::new(setup.servers)),
            servers: Arc::new(Mutex::new((0..setup.servers).map(|_| Slot::default()).collect())),
            rng: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
            pace: Arc::new(Pace::new(setup.servers)),
            cutting: Arc::default(),
            make: Arc::clone(make),
            snapshots: setup.snapshots,
            made_at: now,
            begun: Mutex::new(Begun { at: now, rpcs: 0, bytes: 0, index_max: 0 }),
        };
        for server in 0..setup.servers {
            config.start_server(server);
        }
        for server in 0..setup.servers {
            config.connect(server);
        }
        config
    }

    /// The number of servers.
    pub fn n(&self) -> usize {
        self.servers.lock().len()
    }

    /// The network between the servers, for tests that change it. A server's name there is its
    /// number.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Starts a server, or crashes and restarts it: 6.824's start1. It comes back with what it had
    /// saved, and is not connected.
    pub fn start_server(&self, server: usize) {
        self.crash(server);
        let (incarnation, life, disk) = {
            let _cutting = self.cutting.lock();
            let mut servers = self.servers.lock();
            let slot = &mut servers[server];
            slot.incarnation += 1;
            slot.life = self.referee.begin_life(server);
            // The old incarnation keeps the old object: what it still saves is lost.
            let copy = slot.disk.copy();
            let copy = copy.bounded_for(server, self.referee.clone());
            let copy = self.observer.watch_saves(server, slot.incarnation, copy);
            slot.disk = Arc::new(copy);
            (slot.incarnation, slot.life, Arc::clone(&slot.disk))
        };
        self.observer.start(server, incarnation);
        // Fresh ends, so that the old incarnation can no longer send.
        let names: Vec<Name> =
            (0..self.n()).map(|to| format!("{server}.{incarnation}-{to}").into()).collect();
        let ends = names.iter().map(|name| self.network.make_end_of(server, name)).collect();
        for (to, name) in names.iter().enumerate() {
            self.network.connect(name, to);
        }
        self.servers.lock()[server].ends = names;

        if let Err(failure) = self.applied.start(server, incarnation, &disk.load().snapshot) {
            self.referee.stop(failure);
        }
        let (apply, messages) = bounded(0);
        let persister = Arc::new(Persister::with_storage(Arc::clone(&disk)));
        let context = PeerContext { ends, me: server, persister, apply };
        let Some(peer) = self.make_peer(life, context) else { return };
        Applier {
            server,
            incarnation,
            life,
            peer: Arc::downgrade(&peer),
            snapshots: self.snapshots,
            applied: Arc::clone(&self.applied),
            calls: self.calls.clone(),
            observer: self.observer.clone(),
            referee: self.referee.clone(),
            pace: Arc::clone(&self.pace),
        }
        .start(messages);
        self.observer.made(life, incarnation, &peer, &disk);
        let service = || Server::from(Arc::clone(&peer).service());
        let Some(rpc_server) = self.ask(life, "service", service) else { return };
        self.servers.lock()[server].peer = Some(peer);
        self.network.add_server(server, rpc_server);
    }

    /// On a thread of its own, so that the threads which the peer starts are known by its name.
    fn make_peer(&self, life: Life, context: PeerContext) -> Option<Arc<dyn RaftPeer>> {
        let make = Arc::clone(&self.make);
        let work = move || {
            let _label = label::enter_life(life, "make");
            make(context)
        };
        self.ask(life, "make", || {
            let maker = thread::Builder::new()
                .name(label::thread_name(life.server))
                .spawn(work)
                .expect("failed to start a thread for `make`");
            maker.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
        })
    }

    /// Crashes a server, if it runs: 6.824's crash1. It keeps only what it had saved.
    pub fn crash(&self, server: usize) {
        if let Some((life, peer)) = self.cut_off(server) {
            self.referee.end_life(life, Death::UnderWay);
            // With the peer itself: it may do something when it is dropped.
            self.ask(life, KILL, move || peer.kill());
            self.referee.end_life(life, Death::Killed);
        }
    }

    /// Takes from a server all by which it could still be heard; what is left is to kill it.
    fn cut_off(&self, server: usize) -> Option<(Life, Arc<dyn RaftPeer>)> {
        self.resume(server);
        let _cutting = self.cutting.lock();
        cut_off(&self.network, &self.applied, &self.observer, &self.servers, server);
        let slot = &mut self.servers.lock()[server];
        Some((slot.life, slot.crashed_peer.take()?))
    }

    /// Starts a server, or crashes and restarts it, and connects it.
    pub fn restart(&self, server: usize) {
        self.start_server(server);
        self.connect(server);
    }

    /// Crashes every server, and only then restarts them.
    pub fn restart_all(&self) {
        for server in 0..self.n() {
            self.crash(server);
        }
        for server in 0..self.n() {
            self.restart(server);
        }
    }

    /// Connects a server with every server that is connected.
    pub fn connect(&self, server: usize) {
        self.change(server, |slot| slot.connected = true);
    }

    /// Cuts a server off. It goes on running, and the lab can still talk to it.
    pub fn disconnect(&self, server: usize) {
        self.change(server, |slot| slot.connected = false);
    }

    /// Keeps calls from reaching a server, also through a restart. Its own calls go out, and the
    /// answers come in.
    pub fn deafen(&self, server: usize) {
        self.change(server, |slot| slot.deaf = true);
    }

    /// Ends [`Config::deafen`].
    pub fn hear(&self, server: usize) {
        self.change(server, |slot| slot.deaf = false);
    }

    /// Changes what is said of a server, and then sets every end from it and to it accordingly.
    fn change(&self, server: usize, change: impl FnOnce(&mut Slot)) {
        change_slot(&self.network, &mut self.servers.lock(), server, change);
    }

    /// Whether a server is connected.
    pub fn is_connected(&self, server: usize) -> bool {
        self.servers.lock()[server].connected
    }

    /// Whether a server runs.
    pub fn is_running(&self, server: usize) -> bool {
        self.servers.lock()[server].peer.is_some()
    }

    /// Asks one server for agreement on a command, connected or not; none if it does not lead, does
    /// not run, or crashes meanwhile.
    pub fn start(&self, server: usize, command: Vec<u8>) -> Option<Started> {
        let (life, peer, disk) = {
            let slot = &self.servers.lock()[server];
            (slot.life, slot.answering()?, Arc::clone(&slot.disk))
        };
        let question = self.observer.ask(server);
        let taken = command.clone();
        let started = self.ask(life, "start", move || peer.start(command))??;
        if disk.fuse.is_blown() {
            return None;
        }
        let Started { index, term } = started;
        if index == 0 || term == 0 || term > TERM_MAX {
            self.contract(
                server,
                format!(
                    "server {server} took a command as index {index} of term {term}; \
                     the first index and the first term are 1"
                ),
            );
        }
        self.judge(self.observer.takes(question, started, &taken));
        Some(started)
    }

    /// A server's term, and whether it believes that it leads it; none if it does not run, or
    /// crashes meanwhile.
    pub fn get_state(&self, server: usize) -> Option<(u64, bool)> {
        let (state, question) = self.look(server)?;
        self.note_leader(question, state);
        Some(state)
    }

    /// [`Config::get_state`], and the question that it answers; who leads is not judged yet.
    pub(crate) fn look(&self, server: usize) -> Option<((u64, bool), Option<Question>)> {
        let (life, peer, disk) = {
            let slot = &self.servers.lock()[server];
            (slot.life, slot.answering()?, Arc::clone(&slot.disk))
        };
        let question = self.observer.ask(server);
        let (term, leads) = self.ask(life, "get_state", move || peer.get_state())?;
        if disk.fuse.is_blown() {
            return None;
        }
        self.judge(self.observer.says_term(question, term));
        if term > TERM_MAX {
            self.contract(
                server,
                format!("server {server} is in term {term}, which no run of elections can reach"),
            );
        }
        if leads && term == 0 {
            self.contract(
                server,
                format!("server {server} says that it leads term 0; the first term to lead is 1"),
            );
        }
        Some(((term, leads), question))
    }

    /// Holds what a server said of itself against all that was seen of all.
    pub(crate) fn note_leader(&self, question: Option<Question>, (term, leads): (u64, bool)) {
        if leads {
            self.judge(self.observer.leads(question, term));
        }
    }

    fn judge(&self, verdict: Result<(), Failure>) {
        if let Err(failure) = verdict {
            self.referee.stop(failure);
        }
    }

    fn contract(&self, server: usize, sentence: String) -> ! {
        self.referee.stop(Failure::of(server, Class::Contract, sentence));
    }

    /// None if the peer panicked after it was killed by another thread of the test.
    fn ask<T>(&self, life: Life, what: &'static str, call: impl FnOnce() -> T) -> Option<T> {
        match self.calls.ask(life, what, call) {
            Ok(answer) => Some(answer),
            Err(Panicked::Late) => None,
            Err(Panicked::InLife) => std::panic::resume_unwind(Box::new(Stopped)),
        }
    }

    /// Sleeps, but not on when some thread has found a failure.
    pub fn sleep(&self, time: Duration) {
        self.referee.sleep(time);
    }

    /// The number of calls that reached a server since it was started.
    pub fn rpc_count(&self, server: usize) -> u64 {
        self.network.get_count(server).unwrap_or(0)
    }

    /// The number of calls that the network took.
    pub fn rpc_total(&self) -> u64 {
        self.network.get_total_count()
    }

    /// The bytes of all requests, and of all replies that arrived.
    pub fn bytes_total(&self) -> u64 {
        self.network.get_total_bytes()
    }

    /// The largest saved Raft state of any server, in bytes.
    pub fn log_size(&self) -> usize {
        self.max_size(|saved| saved.raft_state.len())
    }

    /// The largest saved snapshot of any server, in bytes.
    pub fn snapshot_size(&self) -> usize {
        self.max_size(|saved| saved.snapshot.len())
    }

    /// How many snapshots that brought it anything new a server has ever applied.
    pub fn snapshots_applied(&self, server: usize) -> u64 {
        self.applied.snapshots(server)
    }

    fn max_size(&self, size: impl Fn(&Saved) -> usize) -> usize {
        let servers = self.servers.lock();
        servers.iter().map(|slot| size(&slot.disk.load())).max().unwrap_or(0)
    }

    /// The test begins here: what it uses is counted from now on.
    pub fn begin(&self) {
        *self.begun.lock() = Begun {
            at: Instant::now(),
            rpcs: self.rpc_total(),
            bytes: self.bytes_total(),
            index_max: self.applied.index_max(),
        };
    }

    /// The test has come to its end: the referee gets the numbers of its closing line.
    pub fn end(&self) {
        if self.made_at.elapsed() > TEST_LIMIT {
            self.referee.stop(calls::took_too_long());
        }
        let begun = self.begun.lock();
        self.referee.record(Figures {
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
        for server in 0..self.n() {
            if let Some((life, peer)) = self.cut_off(server) {
                self.referee.end_life(life, Death::UnderWay);
                // A panic there is with the referee; the others are to be killed all the same.
                let _ = self.calls.ask(life, KILL, move || peer.kill());
                self.referee.end_life(life, Death::Killed);
            }
        }
        self.network.cleanup();
        self.observer.close();
        self.calls.close();
    }
}

/// Takes from a server all by which it could still be heard. Its peer is kept, to be killed.
///
/// Apart from `Config`, since it also happens on the server's own thread, in the midst of a save.
pub(crate) fn cut_off(
    network: &Network,
    applied: &Applied,
    observer: &Observer,
    servers: &Mutex<Vec<Slot>>,
    of: usize,
) {
    observer.crash(of);
    change_slot(network, &mut servers.lock(), of, |slot| slot.connected = false);
    // First the network, then the disk: nobody may be told of what a restart forgets.
    network.delete_server(of);
    applied.crash(of);
    observer.cut_off(of);
    let mut servers = servers.lock();
    let slot = &mut servers[of];
    // A thread that heeds no kill may go on calling: it is not to wait as a live caller would.
    for end in slot.ends.drain(..) {
        network.delete_end(end);
    }
    slot.disk = Arc::new(slot.disk.copy());
    if let Some(peer) = slot.peer.take() {
        slot.crashed_peer = Some(peer);
    }
}

/// Changes what is said of a server, and then sets every end from it and to it accordingly.
fn change_slot(
    network: &Network,
    servers: &mut [Slot],
    server: usize,
    change: impl FnOnce(&mut Slot),
) {
    change(&mut servers[server]);
    for other in 0..servers.len() {
        for (from, to) in [(server, other), (other, server)] {
            let (caller, called) = (&servers[from], &servers[to]);
            let deaf = called.deaf && from != to;
            let enabled = caller.connected && called.connected && !deaf;
            if let Some(name) = caller.ends.get(to) {
                network.enable(name, enabled);
            }
        }
    }
}

/// An RPC that breaks the rules of the network is a verdict: its caller may well ignore the error.
fn report_misuse(network: &Network, referee: &Referee) {
    let referee = referee.clone();
    network.subscribe(move |event| {
        let number = |name: &Option<Name>| name.as_ref().and_then(Name::number);
        let (from, to) = (number(&event.from), number(&event.to));
        referee.fail(match (&event.step, from, to) {
            (Step::Misused(what), Some(caller), Some(called)) => misuse(caller, called, what),
            (Step::Misused(what), server, _) => {
                Failure { server, ..Failure::new(Class::Contract, what) }
            }
            (Step::Overloaded { by_reply }, from, to) => {
                overload(if *by_reply { to } else { from })
            }
            _ => return,
        });
    });
}

fn overload(server: Option<usize>) -> Failure {
    let who = server.map_or_else(|| "a server".into(), |server| format!("server {server}"));
    let mib = UNDER_WAY_BYTES_MAX >> 20;
    let sentence = format!("{who} had more than {mib} MiB of messages under way at once");
    Failure { server, ..Failure::new(Class::Limit, sentence) }
}

/// The verdict on an RPC that breaks the rules of the network.
pub fn misuse(caller: usize, called: usize, what: impl std::fmt::Display) -> Failure {
    Failure::of(caller, Class::Contract, format!("server {caller} called server {called}: {what}"))
}

//! The cluster: how its servers are started, crashed, connected and called.

use std::sync::Arc;
use std::time::Duration;

use choice::Choices;
use history::{History, Incarnation, ServerEvent};
use labrpc::network::{CallStep, Name, Network, Server};
use raftapi::{Persister, Saved, Storage};
use verdict::{Death, KitCode, Life, Referee};

use crate::calls::Calls;
use crate::faults::Faults;
use crate::limits::Method;
use crate::misuse;
use crate::servers::Servers;
use crate::service::{Service, Start};
use crate::sharing::Sharing;

/// A cluster of servers of one service.
///
/// When a server fails, the failure is reported to the referee, and the calling thread of the test
/// is unwound. So the code of a test needs no error handling.
pub struct Cluster<S: Service> {
    servers: Arc<Servers<S::Server>>,
    calls: Calls,
    service: S,
}

impl<S: Service> Cluster<S> {
    /// A cluster of `servers` servers that have not started yet. From now on it records the
    /// network's events in `history`.
    pub fn new(
        servers: usize,
        network: Network,
        history: &History,
        calls: Calls,
        referee: &Referee,
        service: S,
    ) -> Cluster<S> {
        referee.add_kit_code([KitCode { crate_name: "cluster", folder: "/cluster/src/" }]);
        let sharing = Sharing::new(servers, referee.clone());
        if history.wants_values() {
            network.describe_values();
        }
        {
            let (referee, history, sharing) = (referee.clone(), history.clone(), sharing.clone());
            network.subscribe(move |event| {
                if let CallStep::Described { .. } = event.step {
                    history.record_for_folds(history::What::Call(event));
                    return;
                }
                sharing.read(event);
                if let Some(failure) = misuse::failure_of(event) {
                    referee.fail(failure);
                }
                history.record(history::What::Call(event));
            });
        }
        let (history, referee) = (history.clone(), referee.clone());
        let servers = Servers::new(servers, network, history, referee, sharing);
        Cluster { servers: Arc::new(servers), calls, service }
    }

    /// The number of servers.
    pub fn n(&self) -> usize {
        self.servers.lock().len()
    }

    /// The network between the servers, for tests that change it. The name of a server there is its
    /// number.
    pub fn network(&self) -> &Network {
        &self.servers.network
    }

    /// The keeper of the verdict.
    pub fn referee(&self) -> &Referee {
        &self.servers.referee
    }

    /// Everything that happens in the run.
    pub fn history(&self) -> &History {
        &self.servers.history
    }

    /// The calls into the servers that have not returned.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The service that the servers offer.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// The faults of links and of servers that a test can inject.
    pub fn faults(&self) -> Faults<S::Server> {
        Faults::new(Arc::clone(&self.servers))
    }

    /// Starts a server from its saved state: 6.824's start1. A running server is crashed first. The
    /// new one is not connected.
    pub fn start_server(&self, server: usize) {
        let choices = self.choices();
        // If the crash before was left out, the server still runs.
        let happens = !self.is_running(server) || choices.fault("restart", &[server]);
        if !happens || !choices.server(server) {
            return;
        }
        self.crash_now(server);
        let (of, life, disk) = self.servers.begin(server);
        self.servers.record(of, ServerEvent::Starting(&disk.load()));
        self.servers.referee.stop_if_failed();
        // New ends, so that the old incarnation can no longer send.
        let network = &self.servers.network;
        let names: Vec<Name> =
            (0..self.n()).map(|to| format!("{server}.{}-{to}", of.number).into()).collect();
        let ends = names.iter().map(|name| network.make_end_of(server, name)).collect();
        for (to, name) in names.iter().enumerate() {
            network.connect(name, to);
        }
        self.servers.lock()[server].ends = names;
        let persister = Arc::new(Persister::with_storage(Arc::clone(&disk)));
        let start = Start { of, life, ends, persister, disk };
        let Some(made) = self.service.start(start) else { return };
        let handlers = || Server::from(S::handlers(Arc::clone(&made)));
        let Some(rpc_server) = self.calls.ask_or_stop(life, Method::new("service"), handlers)
        else {
            return;
        };
        self.servers.lock()[server].server = Some(made);
        network.add_server(server, rpc_server);
    }

    /// Crashes a server, if it runs: 6.824's crash1. Only its saved state survives.
    pub fn crash(&self, server: usize) {
        if !self.is_running(server) || self.choices().fault("crash", &[server]) {
            self.crash_now(server);
        }
    }

    fn crash_now(&self, server: usize) {
        if let Some((life, server)) = self.cut_off(server) {
            let referee = &self.servers.referee;
            referee.end_life(life, Death::UnderWay);
            // The call owns the server, so that a panic while it is dropped is caught too.
            self.calls.ask_or_stop(life, Method::KILL, move || S::kill(&server));
            referee.end_life(life, Death::Killed);
        }
    }

    fn cut_off(&self, server: usize) -> Option<(Life, Arc<S::Server>)> {
        self.faults().resume(server);
        self.servers.cut_off(server)
    }

    /// Starts a server like [`Cluster::start_server`], and connects it.
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

    /// Connects a server with all connected servers: 6.824's connect.
    pub fn connect(&self, server: usize) {
        self.servers.change(server, |slot| slot.connected = true);
        self.servers.record_fault(server, "connect");
    }

    /// Disconnects a server: 6.824's disconnect. The server runs on, and the lab can still call it.
    pub fn disconnect(&self, server: usize) {
        if !self.choices().fault("disconnect", &[server]) {
            return;
        }
        self.servers.change(server, |slot| slot.connected = false);
        self.servers.record_fault(server, "disconnect");
    }

    /// Whether a server is connected.
    pub fn is_connected(&self, server: usize) -> bool {
        self.servers.lock()[server].connected
    }

    /// Whether a server runs.
    pub fn is_running(&self, server: usize) -> bool {
        self.servers.lock()[server].server.is_some()
    }

    /// Whether a server is paused.
    pub fn is_paused(&self, server: usize) -> bool {
        self.servers.lock()[server].paused
    }

    /// Calls a method of a server. None if the server does not run, is paused, or crashes during
    /// the call. `about_to` is called just before, with the incarnation and whether it is alive; it
    /// is not alive if the server is crashing at this moment. The result of `about_to` comes first.
    pub fn call<A, T>(
        &self,
        server: usize,
        method: Method,
        about_to: impl FnOnce(Incarnation, bool) -> A,
        call: impl FnOnce(Arc<S::Server>) -> T,
    ) -> Option<(A, T)> {
        let (of, alive, life, running, disk) = {
            let slot = &self.servers.lock()[server];
            let running = slot.server.clone().filter(|_| !slot.paused)?;
            let of = Incarnation { server, number: slot.incarnation };
            (of, slot.alive, slot.life, running, Arc::clone(&slot.disk))
        };
        let asked = about_to(of, alive);
        let answer = self.calls.ask_or_stop(life, method, move || call(running))?;
        (!disk.has_crashed()).then_some((asked, answer))
    }

    /// Records that a fault began or ended that only the service knows.
    pub fn record_fault(&self, server: usize, verb: &'static str) {
        self.servers.record_fault(server, verb);
    }

    /// Lets time pass. If some thread finds a failure, the calling thread is unwound.
    pub fn sleep(&self, time: Duration) {
        self.servers.referee.sleep(self.choices().wait(time));
    }

    /// Sleeps between two looks at the servers. Unlike [`Cluster::sleep`] this is part of a check:
    /// it is no choice of the run, which can be left out.
    pub fn look_again_after(&self, interval: Duration) {
        self.servers.referee.sleep(interval);
    }

    /// The choices of the run.
    pub fn choices(&self) -> &Choices {
        &self.servers.choices
    }

    /// The number of calls that reached a server since its last start.
    pub fn rpc_count(&self, server: usize) -> u64 {
        self.servers.network.get_count(server).unwrap_or(0)
    }

    /// The number of calls that the network took.
    pub fn rpc_total(&self) -> u64 {
        self.servers.network.get_total_count()
    }

    /// The bytes of all requests, and of all replies that arrived.
    pub fn bytes_total(&self) -> u64 {
        self.servers.network.get_total_bytes()
    }

    /// The largest saved state of any server, in bytes, without its snapshot.
    pub fn log_size(&self) -> usize {
        self.servers.max_saved(|saved: &Saved| saved.raft_state.len())
    }

    /// The largest saved snapshot of any server, in bytes.
    pub fn snapshot_size(&self) -> usize {
        self.servers.max_saved(|saved: &Saved| saved.snapshot.len())
    }

    /// Kills every server and ends the network. Calls are watched until [`Calls::close`].
    pub fn shut_down(&self) {
        // All servers are resumed first: a paused thread can keep another one from ending.
        for server in (0..self.n()).filter(|server| self.is_paused(*server)) {
            self.faults().resume(server);
        }
        for server in 0..self.n() {
            if let Some((life, server)) = self.cut_off(server) {
                let referee = &self.servers.referee;
                referee.end_life(life, Death::UnderWay);
                // A panic there is reported already, and must not stop the kill of the other
                // servers.
                let _ = self.calls.ask(life, Method::KILL, move || S::kill(&server));
                referee.end_life(life, Death::Killed);
            }
        }
        self.servers.network.cleanup();
    }
}

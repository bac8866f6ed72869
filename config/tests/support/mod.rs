//! Scripted peers for the tests of the cluster, and a time limit for each test.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use config::Stopped;
use config::{Class, Config, Failure, Referee, Setup};
use labrpc::Service;
use parking_lot::Mutex;
use raftapi::Started;
use raftapi::{Inspect, Make, PeerContext, RaftPeer};

/// After this time no failure comes any more. The limits of the tests are shorter.
const FAILURE_LIMIT: Duration = Duration::from_secs(120);

/// Runs `test` in virtual time, and fails if it takes longer than `limit`, so that no test can
/// hang. Threads that hang are abandoned. Returns how long it took.
#[track_caller]
pub(crate) fn bounded(limit: Duration, test: impl FnOnce() + Send + 'static) -> Duration {
    let report = sim::run(sim::Options::new().seed(1).time_limit(limit), test);
    assert_eq!(report.halt, sim::Halt::Finished, "{report}");
    report.elapsed
}

/// One incarnation of a peer that does only what a test says.
pub(crate) struct Fake {
    /// What it was made from. It never drops its ends or its side of the apply channel.
    pub(crate) context: PeerContext,
    pub(crate) script: Mutex<Script>,
    act: Act,
}

/// The answers of a fake, and its counters.
#[derive(Default)]
pub(crate) struct Script {
    /// The answers of `get_state`, in order. The last one is repeated. Without any, term 0.
    pub(crate) states: VecDeque<(u64, bool)>,
    /// The answer of `start`.
    pub(crate) started: Option<Started>,
    /// The answer of `inspect`.
    pub(crate) shown: Option<Inspect>,
    /// The number of calls of `kill`.
    pub(crate) kills: usize,
}

/// Runs when a fake is called, with the name of the method, before the fake answers by its script.
/// `make` and the RPC handler `Echo` count as methods.
type Act = Arc<dyn Fn(&Fake, &'static str) + Send + Sync>;

impl RaftPeer for Fake {
    /// `Raft.Echo` returns the text that it got.
    fn service(self: Arc<Self>) -> Service {
        (self.act)(&self, "service");
        Service::new("Raft").method("Echo", move |text: String| {
            (self.act)(&self, "Echo");
            text
        })
    }

    fn start(&self, _: Vec<u8>) -> Option<Started> {
        (self.act)(self, "start");
        self.script.lock().started
    }

    fn get_state(&self) -> (u64, bool) {
        (self.act)(self, "get_state");
        let states = &mut self.script.lock().states;
        if states.len() > 1 { states.pop_front() } else { states.front().copied() }
            .unwrap_or_default()
    }

    fn inspect(&self) -> Option<Inspect> {
        (self.act)(self, "inspect");
        self.script.lock().shown.clone()
    }

    /// Saves the snapshot, as a Raft does.
    fn snapshot(&self, _: u64, snapshot: Vec<u8>) {
        (self.act)(self, "snapshot");
        let persister = &self.context.persister;
        persister.save(persister.read_raft_state(), snapshot);
    }

    fn kill(&self) {
        (self.act)(self, "kill");
        self.script.lock().kills += 1;
    }
}

/// All fakes of one cluster, and its referee. Clones share the same state.
#[derive(Clone)]
pub(crate) struct Fakes {
    pub(crate) referee: Referee,
    make: Make,
    made: Arc<Mutex<Vec<Arc<Fake>>>>,
}

impl Fakes {
    /// Fakes that do `act` whenever one of them is called.
    pub(crate) fn new(act: impl Fn(&Fake, &'static str) + Send + Sync + 'static) -> Fakes {
        let act: Act = Arc::new(act);
        let made = Arc::new(Mutex::new(Vec::new()));
        let makes = Arc::clone(&made);
        let make: Make = Arc::new(move |context| {
            let act = Arc::clone(&act);
            let fake = Arc::new(Fake { context, script: Mutex::default(), act });
            makes.lock().push(Arc::clone(&fake));
            (fake.act)(&fake, "make");
            fake
        });
        Fakes { referee: Referee::new(), make, made }
    }

    /// Makes a cluster of these fakes.
    pub(crate) fn cluster(&self, setup: Setup) -> Config {
        Config::new(&self.make, setup, 1, &self.referee)
    }

    /// The latest incarnation of a server.
    #[track_caller]
    pub(crate) fn of(&self, server: usize) -> Arc<Fake> {
        let made = self.made.lock();
        let latest = made.iter().rev().find(|fake| fake.context.me == server);
        Arc::clone(latest.expect("a server was never made"))
    }

    /// The failure that the referee gets while `body` runs, on a new thread, with a new cluster. A
    /// body that hangs is abandoned.
    #[track_caller]
    pub(crate) fn failure(
        &self,
        setup: Setup,
        body: impl FnOnce(&Config, &Fakes) + Send + 'static,
    ) -> Failure {
        let fakes = self.clone();
        thread::spawn(move || {
            let run = AssertUnwindSafe(|| body(&fakes.cluster(setup), &fakes));
            match panic::catch_unwind(run) {
                Ok(()) => fakes.referee.pass(),
                Err(payload) if payload.is::<Stopped>() => {}
                Err(_) => fakes.referee.fail(Failure::new(Class::Infra, "the test panicked")),
            }
        });
        match self.referee.wait(FAILURE_LIMIT) {
            Some(Err(failure)) => without_places(failure),
            Some(Ok(())) => panic!("nothing failed"),
            None => panic!("nothing happened"),
        }
    }
}

/// Removes what most tests do not check: the places in the source at the end of notes, the evidence
/// with its numbers of events, the hint where to look, and the note that explains a failure of
/// liveness.
fn without_places(mut failure: Failure) -> Failure {
    failure.evidence.clear();
    failure.look = None;
    failure.notes.retain(|note| !note.starts_with("at the end: "));
    for note in &mut failure.notes {
        if let Some(end) = note.find(", in ") {
            note.truncate(end);
        }
    }
    failure
}

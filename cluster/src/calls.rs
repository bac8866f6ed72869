//! The lab's calls into a server. Each call is labelled with the server, guarded against panics,
//! and watched: a server that never returns would otherwise stop the whole test. The duration of
//! the test is watched too; the original checks it only at the end of a test.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use labrpc::network::{Network, Pending};
use parking_lot::{Condvar, Mutex};
use verdict::{Class, Death, Failure, Life, Referee, Stopped, label, panics, threads};

use crate::limits::{Method, TEST_LIMIT};

/// When something hangs, an RPC that is older than this is reported.
const OLD_RPC: Duration = Duration::from_secs(1);
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// The open calls of one cluster, and what its test waits for. Clones share the same state.
#[derive(Clone)]
pub struct Calls {
    shared: Arc<Shared>,
}

struct Shared {
    referee: Referee,
    network: Network,
    made_at: Instant,
    open: Mutex<Open>,
    closed: Condvar,
}

#[derive(Default)]
struct Open {
    made: u64,
    calls: BTreeMap<u64, Call>,
    waits: BTreeMap<u64, Wait>,
    closed: bool,
}

struct Call {
    life: Life,
    method: Method,
    since: Instant,
}

struct Wait {
    what: String,
    since: Instant,
}

/// Why a call into a server has no result. The panic is already reported to the referee.
#[derive(Debug, PartialEq, Eq)]
pub enum Panicked {
    /// The server was alive, so the test has failed.
    InLife,
    /// The server was killed during the call, so the call counts as one into a stopped server.
    Late,
}

/// The guard of [`Calls::wait_for`]: the wait ends when it is dropped.
#[must_use]
pub struct Waiting {
    shared: Arc<Shared>,
    number: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.open.lock().waits.remove(&self.number);
    }
}

impl Calls {
    /// Starts the thread that watches the calls. It ends after [`Calls::close`].
    pub fn new(referee: Referee, network: Network) -> Calls {
        let calls = Calls { shared: Arc::new(Shared::new(referee, network)) };
        let watched = Arc::clone(&calls.shared);
        thread::Builder::new()
            .name("watch".into())
            .spawn(move || watched.watch())
            .expect("failed to start the thread that watches calls");
        calls
    }

    /// Calls into a server. A panic, or a call that exceeds the limit of its method, is reported to
    /// the referee.
    ///
    /// # Errors
    /// If the call panicked.
    pub fn ask<T>(
        &self,
        life: Life,
        method: Method,
        call: impl FnOnce() -> T,
    ) -> Result<T, Panicked> {
        let number = self.enter(Call { life, method, since: Instant::now() });
        let _label = label::enter_life(life, method.name);
        // The server is not used again after a panic, so its broken invariants do not matter.
        let result = panic::catch_unwind(AssertUnwindSafe(call));
        self.shared.open.lock().calls.remove(&number);
        result.map_err(|payload| {
            if payload.is::<Stopped>() {
                return Panicked::InLife;
            }
            let (server, text) = (life.server, panics::message(&*payload));
            let referee = &self.shared.referee;
            let death = referee.death(life).filter(|_| !method.is_kill());
            let late = death.map_or_else(String::new, |death| format!(" {death}"));
            let sentence = format!("server {server} panicked in `{}`{late}: {text}", method.name);
            if death.is_some_and(Death::is_over) {
                referee.panicked_late(life, sentence);
                return Panicked::Late;
            }
            referee.fail(Failure::of(server, Class::Panic, sentence));
            Panicked::InLife
        })
    }

    /// Like [`Calls::ask`], but unwinds the calling thread of the test after a failure. None if the
    /// server panicked after another thread of the test had killed it.
    pub fn ask_or_stop<T>(
        &self,
        life: Life,
        method: Method,
        call: impl FnOnce() -> T,
    ) -> Option<T> {
        match self.ask(life, method, call) {
            Ok(answer) => Some(answer),
            Err(Panicked::Late) => None,
            Err(Panicked::InLife) => panic::resume_unwind(Box::new(Stopped)),
        }
    }

    fn enter(&self, call: Call) -> u64 {
        let mut open = self.shared.open.lock();
        open.made += 1;
        let number = open.made;
        open.calls.insert(number, call);
        number
    }

    /// Records that a thread of the test waits for `what` until the guard is dropped. If the test
    /// takes too long, the failure names `what`.
    pub fn wait_for(&self, what: String) -> Waiting {
        let mut open = self.shared.open.lock();
        open.made += 1;
        let number = open.made;
        open.waits.insert(number, Wait { what, since: Instant::now() });
        Waiting { shared: Arc::clone(&self.shared), number }
    }

    /// Ends the thread that watches.
    pub fn close(&self) {
        self.shared.open.lock().closed = true;
        self.shared.closed.notify_all();
    }
}

impl Shared {
    fn new(referee: Referee, network: Network) -> Shared {
        let (made_at, open, closed) = (Instant::now(), Mutex::default(), Condvar::new());
        Shared { referee, network, made_at, open, closed }
    }

    fn watch(&self) {
        let mut open = self.open.lock();
        while !open.closed {
            let overdue = open.calls.values().find(|call| self.is_overdue(call));
            let failure = match overdue {
                Some(call) => Some(self.diagnose(call)),
                None if self.made_at.elapsed() > TEST_LIMIT => Some(self.too_long(&open)),
                None => None,
            };
            if let Some(failure) = failure {
                drop(open);
                self.referee.fail(failure);
                return;
            }
            self.closed.wait_for(&mut open, WATCH_INTERVAL);
        }
    }

    /// Once a server was killed, no thread of the test waits for its calls that end with the
    /// server. Every other call keeps a thread waiting.
    fn is_overdue(&self, call: &Call) -> bool {
        let is_waited_for = || {
            let death = self.referee.death(call.life);
            !call.method.ends_with_server || !death.is_some_and(Death::is_over)
        };
        call.since.elapsed() > call.method.limit() && is_waited_for()
    }

    /// The failure of a test that has used up its time: what it waits for, and which servers have
    /// not answered.
    fn too_long(&self, open: &Open) -> Failure {
        let waits = open.waits.values().map(|Wait { what, since }| {
            format!("the test has waited {:.1} s for {what}", since.elapsed().as_secs_f64())
        });
        let calls = open.calls.values().map(|Call { life: Life { server, .. }, method, since }| {
            let (name, seconds) = (method.name, since.elapsed().as_secs_f64());
            format!("server {server} has not returned from `{name}` for {seconds:.1} s")
        });
        let notes = waits.chain(calls).chain(hung_handlers(&self.network));
        took_too_long().with_notes(notes)
    }

    fn diagnose(&self, call: &Call) -> Failure {
        let Call { life, method, .. } = *call;
        let server = life.server;
        let death = self.referee.death(life).filter(|_| !method.is_kill());
        let late = death.map_or_else(String::new, |death| format!(", {death}"));
        let (name, seconds) = (method.name, method.limit().as_secs());
        let hangs = format!("server {server} has not returned from `{name}` for {seconds} s{late}");
        let now = self.network.now();
        let pending = self.network.pending();
        let own = pending.iter().find(|rpc| {
            rpc.in_handler && is_old(rpc, now) && rpc.from == Some(server) && rpc.from == rpc.to
        });
        match own {
            Some(rpc) => Failure::of(
                server,
                Class::Deadlock,
                format!(
                    "{hangs}: it calls {} of itself and its handler never returns; \
                     is a lock held across the call?",
                    rpc.method
                ),
            ),
            None => {
                Failure::of(server, Class::Timeout, hangs).with_notes(hung_handlers(&self.network))
            }
        }
        .with_notes(threads::waiting_of(life, &self.referee))
    }
}

/// The failure of a test that has used up its time.
pub fn took_too_long() -> Failure {
    let sentence = format!("the test took longer than {} s", TEST_LIMIT.as_secs());
    Failure::new(Class::Timeout, sentence)
}

/// A sentence for each RPC handler that has been running longer than a second.
pub fn hung_handlers(network: &Network) -> Vec<String> {
    let now = network.now();
    let pending = network.pending();
    let hung = pending.iter().filter(|rpc| rpc.in_handler && is_old(rpc, now));
    hung.map(|rpc| {
        let name = |server: Option<usize>| match server {
            Some(server) => format!("server {server}"),
            None => "an unknown server".into(),
        };
        format!(
            "{} has not answered the {} of {} for {:.1} s",
            name(rpc.to),
            rpc.method,
            if rpc.from == rpc.to { "itself".into() } else { name(rpc.from) },
            (now - rpc.sent_at).as_secs_f64(),
        )
    })
    .collect()
}

fn is_old(rpc: &Pending, now: Duration) -> bool {
    now.saturating_sub(rpc.sent_at) > OLD_RPC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_takes_too_long_names_its_waits_and_the_open_calls() {
        let shared = Arc::new(Shared::new(Referee::new(), Network::new(1)));
        let calls = Calls { shared: Arc::clone(&shared) };
        let over = calls.wait_for("a leader".into());
        let waits = calls.wait_for("\"101\" to be agreed on by 3 servers".into());
        drop(over);
        let life = Life { server: 2, number: 1 };
        let failure =
            calls.ask(life, Method::new("start"), || shared.too_long(&shared.open.lock()));
        assert_eq!(
            failure.ok().map(|failure| failure.to_string()).unwrap_or_default(),
            "timeout: the test took longer than 120 s\n  \
             the test has waited 0.0 s for \"101\" to be agreed on by 3 servers\n  \
             server 2 has not returned from `start` for 0.0 s"
        );
        drop(waits);
        assert!(shared.open.lock().waits.is_empty());
    }
}

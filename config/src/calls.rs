//! The lab's calls into a peer: labelled by server, guarded against panics, and watched, since a
//! peer that never returns would otherwise take the whole test with it.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use labrpc::{Network, Pending};
use parking_lot::{Condvar, Mutex};

use crate::failure::{Class, Failure};
use crate::label::{self, Label};
use crate::panics;
use crate::referee::{Referee, Stopped};

/// `make` must have returned by then.
pub const MAKE_LIMIT: Duration = Duration::from_secs(5);
/// Every other method of a peer must have returned by then; none has reason to wait at all.
pub const CALL_LIMIT: Duration = Duration::from_secs(10);
/// An RPC that is older than this is worth a note when something hangs.
const OLD_RPC: Duration = Duration::from_secs(1);
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// The open calls of one cluster. Clones are the same.
#[derive(Clone)]
pub(crate) struct Calls {
    shared: Arc<Shared>,
}

struct Shared {
    referee: Referee,
    network: Network,
    open: Mutex<Open>,
    closed: Condvar,
}

#[derive(Default)]
struct Open {
    made: u64,
    calls: BTreeMap<u64, Call>,
    closed: bool,
}

struct Call {
    server: usize,
    what: &'static str,
    since: Instant,
    limit: Duration,
}

impl Calls {
    /// Starts the thread that watches; it ends after [`Calls::close`].
    pub(crate) fn new(referee: Referee, network: Network) -> Calls {
        let shared = Shared { referee, network, open: Mutex::default(), closed: Condvar::new() };
        let calls = Calls { shared: Arc::new(shared) };
        let watched = Arc::clone(&calls.shared);
        thread::Builder::new()
            .name("watch".into())
            .spawn(move || watched.watch())
            .expect("failed to start the thread that watches calls");
        calls
    }

    /// Calls into `server`. If that panics, or has not returned when the limit for `what` is over,
    /// the referee knows; after a panic there is no result.
    pub(crate) fn ask<T>(
        &self,
        server: usize,
        what: &'static str,
        call: impl FnOnce() -> T,
    ) -> Result<T, Stopped> {
        let limit = if what == "make" { MAKE_LIMIT } else { CALL_LIMIT };
        let number = self.enter(Call { server, what, since: Instant::now(), limit });
        let _label = label::enter(Label::Server(server), what);
        // The peer is given up after a panic, so no broken invariant of it is ever seen.
        let result = panic::catch_unwind(AssertUnwindSafe(call));
        self.shared.open.lock().calls.remove(&number);
        result.map_err(|payload| {
            if !payload.is::<Stopped>() {
                let text = panics::message(&*payload);
                let sentence = format!("server {server} panicked in `{what}`: {text}");
                self.shared.referee.fail(Failure::of(server, Class::Panic, sentence));
            }
            Stopped
        })
    }

    fn enter(&self, call: Call) -> u64 {
        let mut open = self.shared.open.lock();
        open.made += 1;
        let number = open.made;
        open.calls.insert(number, call);
        number
    }

    pub(crate) fn close(&self) {
        self.shared.open.lock().closed = true;
        self.shared.closed.notify_all();
    }
}

impl Shared {
    fn watch(&self) {
        let mut open = self.open.lock();
        while !open.closed {
            let overdue = open.calls.values().find(|call| call.since.elapsed() > call.limit);
            if let Some(call) = overdue {
                let failure = self.diagnose(call);
                drop(open);
                self.referee.fail(failure);
                return;
            }
            self.closed.wait_for(&mut open, WATCH_INTERVAL);
        }
    }

    fn diagnose(&self, call: &Call) -> Failure {
        let Call { server, what, limit, .. } = *call;
        let hangs =
            format!("server {server} has not returned from `{what}` for {} s", limit.as_secs());
        let now = self.network.now();
        let pending = self.network.pending();
        let own = pending.iter().find(|rpc| {
            is_old(rpc, now) && number(rpc.from.as_ref()) == Some(server) && rpc.from == rpc.to
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
    }
}

/// A sentence for each RPC handler that has been running for long.
pub(crate) fn hung_handlers(network: &Network) -> Vec<String> {
    let now = network.now();
    let pending = network.pending();
    let hung = pending.iter().filter(|rpc| rpc.in_handler && is_old(rpc, now));
    hung.map(|rpc| {
        let name = |name: Option<&labrpc::Name>| match name {
            Some(name) => format!("server {name}"),
            None => "nobody".into(),
        };
        format!(
            "{} has not answered the {} of {} for {:.1} s",
            name(rpc.to.as_ref()),
            rpc.method,
            if rpc.from == rpc.to { "itself".into() } else { name(rpc.from.as_ref()) },
            (now - rpc.sent_at).as_secs_f64(),
        )
    })
    .collect()
}

fn is_old(rpc: &Pending, now: Duration) -> bool {
    now.saturating_sub(rpc.sent_at) > OLD_RPC
}

fn number(name: Option<&labrpc::Name>) -> Option<usize> {
    name.and_then(labrpc::Name::number)
}

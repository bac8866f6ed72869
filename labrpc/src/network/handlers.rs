//! Runs handlers on the threads of their servers.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::error::CallError;

use super::event::CallStep;
use super::request::Request;
use super::server::Server;
use super::state::Shared;

/// Where a handler's thread leaves the result that the caller waits for.
#[derive(Default)]
pub(crate) struct Outcome {
    slot: Mutex<Option<Handled>>,
    filled: Condvar,
}

/// How a handler ended.
pub(crate) enum Handled {
    Replied(Vec<u8>),
    Refused(CallError),
    Panicked,
}

impl Outcome {
    /// Waits up to `time` for the handler to return.
    pub(crate) fn wait(&self, time: Duration) -> Option<Handled> {
        let mut slot = self.slot.lock();
        if slot.is_none() {
            self.filled.wait_for(&mut slot, time);
        }
        slot.take()
    }
}

impl Handled {
    fn bytes(&self) -> Option<usize> {
        match self {
            Handled::Replied(reply) => Some(reply.len()),
            Handled::Refused(_) | Handled::Panicked => None,
        }
    }
}

/// Runs the handler of a request on a thread of its own.
pub(crate) fn dispatch(
    network: &Arc<Shared>,
    request: &Request,
    server: &Server,
    args: Arc<[u8]>,
) -> Arc<Outcome> {
    start(network, request, server, args, Duration::ZERO, 0)
}

/// Runs the handler once more, after some time. Its reply is lost.
pub(crate) fn dispatch_copy(
    network: &Arc<Shared>,
    request: &Request,
    server: &Server,
    args: Arc<[u8]>,
    after: Duration,
) {
    start(network, request, server, args, after, network.next_copy());
}

fn start(
    network: &Arc<Shared>,
    request: &Request,
    server: &Server,
    args: Arc<[u8]>,
    after: Duration,
    copy: u32,
) -> Arc<Outcome> {
    let outcome = Arc::new(Outcome::default());
    let job = {
        let (network, request) = (Arc::clone(network), request.clone());
        let (server, outcome) = (server.clone(), Arc::clone(&outcome));
        move || {
            sleep(after);
            request.log(&network.log, CallStep::Dispatched { copy });
            let handled = run_handler(&server, &request.method, &args);
            let bytes = handled.bytes();
            request.log(&network.log, CallStep::Handled { bytes, copy });
            *outcome.slot.lock() = Some(handled);
            outcome.filled.notify_one();
        }
    };
    let thread_name = || match &request.to {
        Some(to) => format!("server {} rpc", to.name),
        None => "server ? rpc".into(),
    };
    server.workers().run(thread_name, job);
    outcome
}

fn run_handler(server: &Server, method: &str, args: &[u8]) -> Handled {
    // A handler is foreign code: its panic must not end the worker. The panic hook has reported it
    // by now.
    let result = panic::catch_unwind(AssertUnwindSafe(|| server.dispatch_raw(method, args)));
    match result {
        Ok(Ok(reply)) => Handled::Replied(reply),
        Ok(Err(error)) => Handled::Refused(error),
        Err(_) => Handled::Panicked,
    }
}

/// Sleeps, but not at all for no time: that would still be a system call.
pub(crate) fn sleep(time: Duration) {
    if !time.is_zero() {
        thread::sleep(time);
    }
}

//! Runs handlers on the threads of their servers.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::error::CallError;
use crate::service::Described;

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
    let outcome = Arc::new(Outcome::default());
    let job = {
        let (network, request) = (Arc::clone(network), request.clone());
        let (server, outcome) = (server.clone(), Arc::clone(&outcome));
        move || {
            let handled = handle(&network, &request, &server, &args, 0);
            *outcome.slot.lock() = Some(handled);
            outcome.filled.notify_one();
        }
    };
    run(request, server, job);
    outcome
}

/// Runs the handler once more, after some time. Its reply is lost. By then another server may have
/// the name: see [`Network::outlive`](super::Network::outlive).
pub(crate) fn dispatch_copy(
    network: &Arc<Shared>,
    request: &Request,
    server: &Server,
    args: Arc<[u8]>,
    after: Duration,
) {
    let copy = network.next_copy();
    let (network, of) = (Arc::clone(network), request.clone());
    let sent_to = server.clone();
    run(request, server, move || {
        sleep(after);
        let Some(server) = network.receiver(&of, sent_to.clone()) else { return };
        if server.is(&sent_to) {
            handle(&network, &of, &server, &args, copy);
            return;
        }
        let (request, there) = (of.clone(), server.clone());
        run(&request, &there, move || drop(handle(&network, &of, &server, &args, copy)));
    });
}

/// Runs a job on a thread of a server.
fn run(request: &Request, server: &Server, job: impl FnOnce() + Send + 'static) {
    let thread_name = || match &request.to {
        Some(to) => format!("server {} rpc", to.name),
        None => "server ? rpc".into(),
    };
    server.workers().run(thread_name, job);
}

/// The request arrives: runs its handler on this thread.
fn handle(network: &Shared, request: &Request, server: &Server, args: &[u8], copy: u32) -> Handled {
    request.log(&network.log, CallStep::Dispatched { copy });
    let mut value = None;
    let described = network.describes.load(Ordering::Relaxed).then_some(&mut value);
    let handled = run_handler(server, &request.method, args, described);
    if let Some(value) = value {
        request.log(&network.log, CallStep::Described { is_reply: true, copy, value });
    }
    request.log(&network.log, CallStep::Handled { bytes: handled.bytes(), copy });
    handled
}

fn run_handler(server: &Server, method: &str, args: &[u8], described: Described<'_>) -> Handled {
    // A handler is foreign code: its panic must not end the worker. The panic hook has reported it
    // by now.
    let result = panic::catch_unwind(AssertUnwindSafe(|| server.dispatch(method, args, described)));
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

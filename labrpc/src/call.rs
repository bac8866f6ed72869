//! The journey of one call, from its arrival at the network to its reply.
//!
//! The order of the decisions is 6.824's: a snapshot on arrival, no second look before the handler
//! starts, and the question whether the server is dead every 100 ms and once more after the handler
//! returned.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::error::CallError;
use crate::fate::{self, Conditions, Fate};
use crate::intercept::{Decision, Leg};
use crate::load::Load;
use crate::log::{Ending, Event, Step};
use crate::name::Name;
use crate::network::{Pending, Shared, State};
use crate::server::Server;

/// While a handler runs, its caller asks so often whether the server is dead.
const DEAD_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Makes one call; the request comes back for what the caller may have to log of it.
pub(crate) fn call(
    network: &Arc<Shared>,
    end: usize,
    method: &str,
    args: Vec<u8>,
) -> (Request, Result<Vec<u8>, CallError>) {
    let request = Request::new(network, end, method);
    let journey = Journey { network, end, request: &request };
    let result = journey.travel(args);
    network.state.lock().pending.remove(&request.call);
    if let Err(End::Misused(error)) = &result {
        request.log(network, Step::Misused(error.to_string()));
    }
    request.log(network, Step::Ended(ending(&result)));
    let result = result.map_err(|end| match end {
        End::NoAnswer(_) => CallError::NoAnswer,
        End::Misused(error) => error,
    });
    (request, result)
}

/// How a journey ends without a reply.
enum End {
    NoAnswer(Ending),
    Misused(CallError),
}

impl From<Ending> for End {
    fn from(ending: Ending) -> End {
        End::NoAnswer(ending)
    }
}

fn ending(result: &Result<Vec<u8>, End>) -> Ending {
    match result {
        Ok(reply) => Ending::Answered { bytes: reply.len() },
        Err(End::NoAnswer(ending)) => *ending,
        Err(End::Misused(_)) => Ending::Refused,
    }
}

/// Who calls whom with what: the part that all events of a call share.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) call: u64,
    pub(crate) from: Option<Name>,
    pub(crate) to: Option<Name>,
    pub(crate) method: Arc<str>,
}

impl Request {
    pub(crate) fn new(network: &Shared, end: usize, method: &str) -> Request {
        let mut guard = network.state.lock();
        let state = &mut *guard;
        state.calls_made += 1;
        let method = match state.methods.get(method) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = method.into();
                state.methods.insert(method.to_owned(), Arc::clone(&new));
                new
            }
        };
        let end = state.end(end);
        let (from, to) = (end.owner.clone(), end.destination.clone());
        Request { call: state.calls_made, from, to, method }
    }

    /// The last part of the method's name.
    pub(crate) fn kind(&self) -> &str {
        self.method.rsplit('.').next().unwrap_or(&self.method)
    }

    pub(crate) fn log(&self, network: &Shared, step: Step) {
        network.log.append(Event {
            at: network.log.now(),
            call: self.call,
            from: self.from.clone(),
            to: self.to.clone(),
            method: Arc::clone(&self.method),
            step,
        });
    }
}

struct Journey<'a> {
    network: &'a Arc<Shared>,
    end: usize,
    request: &'a Request,
}

impl Journey<'_> {
    fn travel(&self, args: Vec<u8>) -> Result<Vec<u8>, End> {
        let (mut server, fate, args) = self.arrive(args)?;
        let _request = self.take_on(args.len(), false)?;
        let Fate::Accepted {
            request_delay,
            request_lost,
            duplicate_after,
            reply_lost,
            reply_delay,
        } = fate
        else {
            unreachable!("a fate without a server was dealt with on arrival");
        };
        sleep(request_delay);
        if request_lost {
            return Err(Ending::RequestLost.into());
        }
        if self.wait_while_held(Leg::Request, &args)? {
            server = registered(self.network, self.request).ok_or(Ending::ServerGone)?;
        }
        let args: Arc<[u8]> = args.into();
        if let Some(after) = duplicate_after {
            self.dispatch_duplicate(&server, Arc::clone(&args), after);
        }
        let reply = self.handle(&server, args)?;
        let _reply = self.take_on(reply.len(), true)?;
        if self.is_dead(&mut self.network.state.lock(), &server) {
            return Err(Ending::ServerGone.into());
        }
        if reply_lost {
            return Err(Ending::ReplyLost.into());
        }
        self.wait_out_a_cut_reply()?;
        sleep(reply_delay);
        self.wait_while_held(Leg::Reply, &reply)?;
        Ok(reply)
    }

    /// A message goes under way, unless its sender has too much there already.
    fn take_on(&self, bytes: usize, by_reply: bool) -> Result<Load<'_>, End> {
        let Request { from, to, .. } = self.request;
        let sender = if by_reply { to } else { from };
        self.network.loads.take_on(sender.as_ref(), bytes).ok_or_else(|| {
            self.request.log(self.network, Step::Overloaded { by_reply });
            Ending::Refused.into()
        })
    }

    /// Takes the snapshot on arrival and draws the fate; an unreachable server ends the call here.
    fn arrive(&self, args: Vec<u8>) -> Result<(Server, Fate, Vec<u8>), End> {
        let found = self.look_up().inspect_err(|_| {
            // Time passes: a thread that calls again and again after the end of its server must
            // not keep the clock from moving.
            sleep(fate::GONE_DELAY);
        })?;
        self.request.log(self.network, Step::Sent { bytes: args.len() });
        match found {
            (Some(server), None, fate @ Fate::Accepted { .. }) => Ok((server, fate, args)),
            (_, Some(obstacle), Fate::Unreachable { after }) => {
                // It goes nowhere, and the wait may be long.
                drop(args);
                sleep(after);
                Err(obstacle.into())
            }
            _ => unreachable!("a server is reached exactly if nothing stands in the way"),
        }
    }

    /// The server, what stands in the way to it, and the fate: one look under one lock. An error if
    /// the network does not take the call at all.
    fn look_up(&self) -> Result<(Option<Server>, Option<Ending>, Fate), Ending> {
        let mut guard = self.network.state.lock();
        let state = &mut *guard;
        if state.closed {
            return Err(Ending::Closed);
        }
        if state.end(self.end).deleted {
            return Err(Ending::Deleted);
        }
        let (from, to) = (self.request.from.as_ref(), self.request.to.as_ref());
        let pending = Pending {
            call: self.request.call,
            sent_at: self.network.log.now(),
            from: from.cloned(),
            to: to.cloned(),
            method: Arc::clone(&self.request.method),
            in_handler: false,
        };
        state.pending.insert(self.request.call, pending);

        let (there, back) = (state.link(from, to), state.link(to, from));
        let server = to.and_then(|to| state.servers.get(to)).cloned();
        let mut conditions = Conditions {
            reachable: false,
            unreliable: state.unreliable,
            long_delays: state.long_delays,
            long_reordering: state.long_reordering,
            request: there.disturbance.on(self.request.kind()),
            reply: back.disturbance.on(self.request.kind()),
        };
        let end = state.end(self.end);
        let obstacle = if !end.enabled || to.is_none() {
            Some(Ending::Disabled)
        } else if server.is_none() {
            Some(Ending::NoServer)
        } else {
            there.cut.then_some(Ending::Cut)
        };
        conditions.reachable = obstacle.is_none();
        let fate = Fate::draw(&mut end.rng, &conditions);
        Ok((server, obstacle, fate))
    }

    /// Runs the handler on a thread of its own and waits for it as long as the server lives.
    fn handle(&self, server: &Server, args: Arc<[u8]>) -> Result<Vec<u8>, End> {
        let outcome = self.dispatch(server, args, Duration::ZERO, false);
        self.note_handler(true);
        let handled = self.wait_for(&outcome, server);
        self.note_handler(false);
        handled
    }

    fn note_handler(&self, runs: bool) {
        if let Some(pending) = self.network.state.lock().pending.get_mut(&self.request.call) {
            pending.in_handler = runs;
        }
    }

    fn wait_for(&self, outcome: &Outcome, server: &Server) -> Result<Vec<u8>, End> {
        let mut slot = outcome.slot.lock();
        loop {
            match slot.take() {
                Some(Handled::Replied(reply)) => return Ok(reply),
                Some(Handled::Refused(CallError::NoAnswer)) => {
                    return Err(Ending::ServerGone.into());
                }
                Some(Handled::Refused(error)) => return Err(End::Misused(error)),
                Some(Handled::Panicked) => return Err(Ending::HandlerPanicked.into()),
                None => {}
            }
            let waited_in_vain =
                outcome.filled.wait_for(&mut slot, DEAD_CHECK_INTERVAL).timed_out();
            if waited_in_vain && slot.is_none() {
                let dead = MutexGuard::unlocked(&mut slot, || {
                    self.is_dead(&mut self.network.state.lock(), server)
                });
                if dead {
                    return Err(Ending::ServerGone.into());
                }
            }
        }
    }

    fn dispatch_duplicate(&self, server: &Server, args: Arc<[u8]>, after: Duration) {
        self.dispatch(server, args, after, true);
    }

    fn dispatch(
        &self,
        server: &Server,
        args: Arc<[u8]>,
        after: Duration,
        duplicate: bool,
    ) -> Arc<Outcome> {
        dispatch(self.network, self.request, server, args, after, duplicate)
    }

    /// Dead: the end was switched off or deleted, or under the server's name is now another one or
    /// none.
    fn is_dead(&self, state: &mut State, server: &Server) -> bool {
        let enabled = state.end(self.end).enabled;
        let registered = self.request.to.as_ref().and_then(|to| state.servers.get(to));
        !enabled || !registered.is_some_and(|registered| registered.is(server))
    }

    /// A reply whose way is cut is lost, and its caller waits for it as for an unreachable server.
    fn wait_out_a_cut_reply(&self) -> Result<(), Ending> {
        let mut guard = self.network.state.lock();
        let state = &mut *guard;
        if !state.link(self.request.to.as_ref(), self.request.from.as_ref()).cut {
            return Ok(());
        }
        let long_delays = state.long_delays;
        let after = fate::vain_wait(&mut state.end(self.end).rng, long_delays);
        drop(guard);
        sleep(after);
        Err(Ending::Cut)
    }

    /// Waits until the link is released, and then for a test that intercepts the message. True if
    /// one did, and delivered it.
    fn wait_while_held(&self, leg: Leg, bytes: &[u8]) -> Result<bool, Ending> {
        let (from, to) = (self.request.from.as_ref(), self.request.to.as_ref());
        let (from, to) = match leg {
            Leg::Request => (from, to),
            Leg::Reply => (to, from),
        };
        let mut state = self.network.state.lock();
        if state.link(from, to).holds(self.request.kind()) {
            // What is held stays so until it is released, whatever passes by it.
            while state.link(from, to).hold.is_some() {
                if state.closed {
                    return Err(Ending::Closed);
                }
                self.network.released.wait(&mut state);
            }
        }
        let Some(catch) = state.interceptions.catch(self.request, leg) else { return Ok(false) };
        drop(state);
        let decision = catch.wait(self.network, bytes);
        self.network.state.lock().interceptions.forget(self.request.call);
        match (decision, leg) {
            (Decision::Deliver, _) => Ok(true),
            (Decision::Lose, Leg::Request) => Err(Ending::RequestLost),
            (Decision::Lose, Leg::Reply) => Err(Ending::ReplyLost),
            (Decision::Close, _) => Err(Ending::Closed),
        }
    }
}

/// Delivers a copy of a request to the server that has the name now; false if there is none.
pub(crate) fn dispatch_copy(network: &Arc<Shared>, request: &Request, args: &Arc<[u8]>) -> bool {
    let Some(server) = registered(network, request) else { return false };
    dispatch(network, request, &server, Arc::clone(args), Duration::ZERO, true);
    true
}

/// The server that has the name now that the request goes to; none once the network is closed.
fn registered(network: &Shared, request: &Request) -> Option<Server> {
    let state = network.state.lock();
    if state.closed {
        return None;
    }
    state.servers.get(request.to.as_ref()?).cloned()
}

/// Runs the handler on a thread of its own.
fn dispatch(
    network: &Arc<Shared>,
    request: &Request,
    server: &Server,
    args: Arc<[u8]>,
    after: Duration,
    duplicate: bool,
) -> Arc<Outcome> {
    let outcome = Arc::new(Outcome::default());
    let job = {
        let (network, request) = (Arc::clone(network), request.clone());
        let (server, outcome) = (server.clone(), Arc::clone(&outcome));
        move || {
            sleep(after);
            request.log(&network, Step::Dispatched { duplicate });
            let handled = run_handler(&server, &request.method, &args);
            let bytes = handled.bytes();
            request.log(&network, Step::Handled { bytes, duplicate });
            *outcome.slot.lock() = Some(handled);
            outcome.filled.notify_one();
        }
    };
    let name = request.to.as_ref().map_or("?", Name::as_str);
    server.workers().run(&format!("server {name} rpc"), job);
    outcome
}

/// Where a handler's thread leaves what its caller waits for.
#[derive(Default)]
struct Outcome {
    slot: Mutex<Option<Handled>>,
    filled: Condvar,
}

enum Handled {
    Replied(Vec<u8>),
    Refused(CallError),
    Panicked,
}

impl Handled {
    fn bytes(&self) -> Option<usize> {
        match self {
            Handled::Replied(reply) => Some(reply.len()),
            Handled::Refused(_) | Handled::Panicked => None,
        }
    }
}

fn run_handler(server: &Server, method: &str, args: &[u8]) -> Handled {
    // A handler is a stranger's code: its panic must not take the worker down with it. The panic
    // hook has told of it by now.
    let result = panic::catch_unwind(AssertUnwindSafe(|| server.dispatch_raw(method, args)));
    match result {
        Ok(Ok(reply)) => Handled::Replied(reply),
        Ok(Err(error)) => Handled::Refused(error),
        Err(_) => Handled::Panicked,
    }
}

fn sleep(time: Duration) {
    // A sleep of nothing would still be a system call.
    if !time.is_zero() {
        thread::sleep(time);
    }
}

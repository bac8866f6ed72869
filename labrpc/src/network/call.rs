//! The journey of one call, from its arrival at the network to its reply.
//!
//! The order of the decisions is 6.824's: one look at the network on arrival, no second look before
//! the handler starts, and a check whether the server is dead every 100 ms and once more after the
//! handler has returned.
//!
//! A call that nothing delays takes the network's lock four times: on arrival, before and after its
//! handler starts, and when it has returned.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use choice::Name;
use parking_lot::MutexGuard;

use crate::end::Carrier;
use crate::error::CallError;
use crate::value::Value;

use super::admission::{Admission, admit};
use super::event::{CallStep, Ending};
use super::fate::{self, Fate};
use super::handlers::{self, Handled, Outcome, sleep};
use super::load::Load;
use super::request::{self, Leg, Request};
use super::server::Server;
use super::state::{self, Shared, State};
use super::traps::Decision;

/// How often a caller checks whether the server is dead while the handler runs.
const DEAD_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// An end of a network in this process.
pub(crate) struct LocalEnd {
    pub(crate) network: Arc<Shared>,
    pub(crate) number: usize,
}

impl Carrier for LocalEnd {
    fn carry(
        &self,
        method: &str,
        args: Vec<u8>,
        value: Option<Value>,
    ) -> (u64, Result<Vec<u8>, CallError>) {
        let network = &self.network;
        let (request, admission) = admit(network, self.number, method, value.as_ref());
        if let Some(value) = value {
            let described = CallStep::Described { is_reply: false, copy: 0, value };
            request.log(&network.log, described);
        }
        let journey = Journey { network, end: self.number, request: &request };
        let result = journey.travel(admission, args);
        if result.is_err() {
            network.state.lock().pending.remove(&request.call);
        }
        if let Err(End::Misused(error)) = &result {
            request.log(&network.log, CallStep::Misused(error.to_string()));
        }
        request.log(&network.log, CallStep::Ended(ending(&result)));
        let result = result.map_err(|end| match end {
            End::NoAnswer(_) => CallError::NoAnswer,
            End::Misused(error) => error,
        });
        (request.call, result)
    }

    fn describes(&self) -> bool {
        self.network.describes.load(Ordering::Relaxed)
    }

    fn misused(&self, call: Option<u64>, method: &str, error: &CallError) {
        let request = {
            let mut state = self.network.state.lock();
            match call {
                Some(call) => state.request_of(call, self.number, method),
                None => state.request(self.number, method),
            }
        };
        request.log(&self.network.log, CallStep::Misused(error.to_string()));
    }
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

struct Journey<'a> {
    network: &'a Arc<Shared>,
    end: usize,
    request: &'a Request,
}

impl Journey<'_> {
    fn travel(&self, admission: Admission, args: Vec<u8>) -> Result<Vec<u8>, End> {
        let (server, fate) = match admission {
            Admission::Denied(ending) => {
                // Time has to pass: a thread can call again and again after its server has ended,
                // and must not stop the clock.
                sleep(fate::GONE_DELAY);
                return Err(ending.into());
            }
            Admission::Unreachable { obstacle, after, _server } => {
                self.log(CallStep::Sent { bytes: args.len() });
                // The arguments go nowhere, and the wait can be long.
                drop(args);
                sleep(after);
                return Err(obstacle.into());
            }
            Admission::Admitted { server, fate } => (server, fate),
        };
        self.log(CallStep::Sent { bytes: args.len() });
        let _load = self.take_on(Leg::Request, args.len()).ok_or_else(|| self.overload(false))?;
        let Fate::Accepted {
            request_delay,
            request_lost,
            duplicate_after,
            reply_lost,
            reply_delay,
        } = fate
        else {
            unreachable!("a call that was admitted was accepted");
        };
        sleep(request_delay);
        if request_lost {
            return Err(Ending::RequestLost.into());
        }
        let server = self.arrive(server, &args)?;
        let args: Arc<[u8]> = args.into();
        if let Some(after) = duplicate_after {
            let args = Arc::clone(&args);
            handlers::dispatch_copy(self.network, self.request, &server, args, after);
        }
        let outcome = handlers::dispatch(self.network, self.request, &server, args);
        self.set_in_handler(true);
        let reply = self.wait_for(&outcome, &server);
        let reply = reply.inspect_err(|_| self.set_in_handler(false))?;
        self.bring_back(&server, reply, reply_lost, reply_delay)
    }

    /// The request arrives, and its handler is about to start. Returns the server that it is for.
    fn arrive(&self, server: Server, args: &[u8]) -> Result<Server, Ending> {
        let mut state = self.network.state.lock();
        let was_intercepted = self.pass(&mut state, Leg::Request, args)?;
        let receiver = if was_intercepted {
            // The request can have outlived the server that was there.
            state.server(self.request.to.as_deref()).cloned()
        } else {
            state.receiver(self.request, server)
        };
        receiver.ok_or(Ending::ServerGone)
    }

    fn set_in_handler(&self, runs: bool) {
        self.network.state.lock().set_in_handler(self.request.call, runs);
    }

    /// Waits for the handler while the server lives.
    fn wait_for(&self, outcome: &Outcome, server: &Server) -> Result<Vec<u8>, End> {
        loop {
            return match outcome.wait(DEAD_CHECK_INTERVAL) {
                Some(Handled::Replied(reply)) => Ok(reply),
                Some(Handled::Refused(CallError::NoAnswer)) => Err(Ending::ServerGone.into()),
                Some(Handled::Refused(error)) => Err(End::Misused(error)),
                Some(Handled::Panicked) => Err(Ending::HandlerPanicked.into()),
                None if self.is_dead(&mut self.network.state.lock(), server) => {
                    Err(Ending::ServerGone.into())
                }
                None => continue,
            };
        }
    }

    /// The handler has returned, and its reply goes to the caller.
    fn bring_back(
        &self,
        server: &Server,
        reply: Vec<u8>,
        lost: bool,
        delay: Duration,
    ) -> Result<Vec<u8>, End> {
        let mut state = self.network.state.lock();
        state.set_in_handler(self.request.call, false);
        state::let_held_in(&mut state);
        let Some(_load) = self.take_on(Leg::Reply, reply.len()) else {
            drop(state);
            return Err(self.overload(true));
        };
        if self.is_dead(&mut state, server) {
            return Err(Ending::ServerGone.into());
        }
        if lost {
            return Err(Ending::ReplyLost.into());
        }
        state::let_held_in(&mut state);
        let link = state.links.get(self.request.endpoints(Leg::Reply));
        if link.is_some_and(|link| link.cut) {
            let long_delays = state.long_delays;
            let after = fate::unreachable_wait(&mut state.end(self.end).rng, long_delays);
            let after = state.choices.cut_reply(|| self.cut_reply(), after);
            drop(state);
            // The caller waits as for a server that cannot be reached.
            sleep(after);
            return Err(Ending::Cut.into());
        }
        if delay.is_zero() {
            state::let_held_in(&mut state);
        } else {
            MutexGuard::unlocked(&mut state, || sleep(delay));
        }
        self.pass(&mut state, Leg::Reply, &reply)?;
        state::let_held_in(&mut state);
        state.pending.remove(&self.request.call);
        Ok(reply)
    }

    /// Waits until the link is released, and then for an interceptor that catches the message. True
    /// if one did, and the test delivered it.
    fn pass(
        &self,
        state: &mut MutexGuard<'_, State>,
        leg: Leg,
        bytes: &[u8],
    ) -> Result<bool, Ending> {
        let endpoints = self.request.endpoints(leg);
        if state.links.get(endpoints).is_some_and(|link| link.holds(self.request.kind())) {
            state.held += 1;
            // It stays held until the link is released, even if others overtake it.
            let is_held =
                |state: &State| state.links.get(endpoints).is_some_and(|link| link.hold.is_some());
            while !state.closed && is_held(state) {
                self.network.released.wait(state);
            }
            state.held -= 1;
            if is_held(state) {
                return Err(Ending::Closed);
            }
        }
        let Some(catch) = state.traps.catch(self.request, leg) else { return Ok(false) };
        let decision = MutexGuard::unlocked(state, || {
            self.log(CallStep::Intercepted { is_reply: leg == Leg::Reply });
            catch.wait(self.request, leg, bytes)
        });
        state.traps.forget(self.request.call);
        match (decision, leg) {
            (Decision::Deliver, _) => Ok(true),
            (Decision::Lose, Leg::Request) => Err(Ending::RequestLost),
            (Decision::Lose, Leg::Reply) => Err(Ending::ReplyLost),
            (Decision::Close, _) => Err(Ending::Closed),
        }
    }

    /// How the wait for a reply that a cut link loses is named.
    fn cut_reply(&self) -> Name {
        let (from, to) = self.request.endpoints(Leg::Request);
        let method = self.request.method.to_string();
        Name::CutReply { method, from: request::number(from), to: request::number(to), nth: 0 }
    }

    /// Whether the server is dead for this call: the end was switched off or deleted, or the
    /// server's name belongs to another server or to none.
    fn is_dead(&self, state: &mut State, server: &Server) -> bool {
        let registered = state.server(self.request.to.as_deref());
        let is_registered = registered.is_some_and(|registered| registered.is(server));
        !is_registered || !state.end(self.end).enabled
    }

    /// Counts a message as under way. None if its sender would have too much under way.
    fn take_on(&self, leg: Leg, bytes: usize) -> Option<Load<'_>> {
        let (sender, _) = self.request.endpoints(leg);
        let under_way = sender.map_or(&self.network.unowned, |sender| &sender.under_way);
        under_way.take_on(bytes)
    }

    fn overload(&self, by_reply: bool) -> End {
        self.log(CallStep::Overloaded { by_reply });
        Ending::Refused.into()
    }

    fn log(&self, step: CallStep) {
        self.request.log(&self.network.log, step);
    }
}

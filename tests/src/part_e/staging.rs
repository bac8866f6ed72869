//! Scenarios staged by message: a test catches messages of one kind on one link and decides when
//! each arrives, and whether it does.
//!
//! Nothing here assumes how fast an implementation is. If a message does not come in time (see
//! [`Arena::poll`]), this implementation works in another way: the scenario does not occur, and
//! that is no failure.

use std::time::Duration;

use config::{Kind, RAFT_ELECTION_TIMEOUT};
use labrpc::network::{Held, Interceptor};

use crate::part_e::arena::Arena;

/// The effects of a broken rule show within this time. In a correct Raft nothing happens meanwhile.
pub(crate) const CONSEQUENCES: Duration = RAFT_ELECTION_TIMEOUT;

/// A message that is delivered has had its effect after this time.
pub(crate) const MOMENT: Duration = Duration::from_millis(20);

/// Both messages of the calls of one kind that one server makes to another.
pub(crate) struct Exchange {
    pub(crate) requests: Interceptor,
    pub(crate) replies: Interceptor,
}

/// The two messages of one call. The request was delivered and can be delivered again; the reply
/// was caught.
pub(crate) struct Answered {
    pub(crate) request: Held,
    pub(crate) reply: Held,
}

impl Arena<'_> {
    /// Catches the requests of a kind that one server sends to another, until it is dropped.
    pub(crate) fn intercept(&self, from: usize, to: usize, kind: Kind) -> Interceptor {
        self.cfg.network().intercept(kind.requests().from(from).to(to))
    }

    /// Catches the replies of a kind that one server sends to another, until it is dropped.
    pub(crate) fn intercept_replies(&self, from: usize, to: usize, kind: Kind) -> Interceptor {
        self.cfg.network().intercept(kind.replies().from(from).to(to))
    }

    /// Catches the calls of a kind from one server to another, until it is dropped.
    pub(crate) fn exchange(&self, from: usize, to: usize, kind: Kind) -> Exchange {
        let (requests, replies) =
            (self.intercept(from, to, kind), self.intercept_replies(to, from, kind));
        Exchange { requests, replies }
    }

    /// The same for calls of any server to one server.
    pub(crate) fn exchange_with(&self, to: usize, kind: Kind) -> Exchange {
        let intercept = |messages| self.cfg.network().intercept(messages);
        Exchange {
            requests: intercept(kind.requests().to(to)),
            replies: intercept(kind.replies().from(to)),
        }
    }

    /// The next message caught that fits. Those before it are delivered. None if none comes.
    pub(crate) fn next_caught(
        &mut self,
        caught: &Interceptor,
        fits: impl Fn(&Arena<'_>, &Held) -> bool,
    ) -> Option<Held> {
        self.poll(|arena| next_of(caught, |held| fits(arena, held)))
    }

    /// Delivers a request that fits and catches its reply; all other messages pass. None if no such
    /// request or no reply comes.
    pub(crate) fn next_answered(
        &mut self,
        exchange: &Exchange,
        fits: impl Fn(&Arena<'_>, &Held) -> bool,
    ) -> Option<Answered> {
        let mut requests: Vec<Held> = Vec::new();
        self.poll(|arena| {
            while let Some(request) = next_of(&exchange.requests, |held| fits(arena, held)) {
                request.deliver();
                requests.push(request);
            }
            let is_answer = |reply: &Held| requests.iter().any(|one| one.call == reply.call);
            let reply = next_of(&exchange.replies, is_answer)?;
            let at = requests.iter().position(|one| one.call == reply.call)?;
            Some(Answered { request: requests.swap_remove(at), reply })
        })
    }

    /// Waits until a follower has a leader's entry: the request that carries it was answered, and
    /// the answer is delivered. False if that did not happen.
    pub(crate) fn bring(&mut self, exchange: &Exchange, command: &[u8]) -> bool {
        let is_heeded = |arena: &Arena<'_>, request: &Held| {
            let term = |server: Option<usize>| server.map(|server| arena.term(server));
            carries(request, command) && term(request.from) >= term(request.to)
        };
        let answered = self.next_answered(exchange, is_heeded);
        answered.is_some_and(|answered| {
            answered.reply.deliver();
            true
        })
    }

    /// Delivers the requests that were caught already, each after the answer to the one before, and
    /// loses those for which `is_meant` is false. None if one is not answered.
    pub(crate) fn bring_in_order(
        &mut self,
        exchange: &Exchange,
        is_meant: impl Fn(&Held) -> bool,
    ) -> Option<()> {
        for request in all_of(&exchange.requests) {
            if is_meant(&request) {
                request.deliver();
                let is_answer = |_: &Arena<'_>, reply: &Held| reply.call == request.call;
                self.next_caught(&exchange.replies, is_answer)?.deliver();
            } else {
                request.lose();
            }
        }
        Some(())
    }

    /// Waits until messages are caught; none if none come.
    pub(crate) fn until_any(&mut self, caught: &[Interceptor]) -> Vec<Held> {
        let held = self.poll(|_| {
            let held: Vec<Held> = caught.iter().flat_map(all_of).collect();
            (!held.is_empty()).then_some(held)
        });
        held.unwrap_or_default()
    }
}

/// Whether a message carries a command. The encoding does not change a command's bytes.
pub(crate) fn carries(message: &Held, command: &[u8]) -> bool {
    message.bytes.windows(command.len()).any(|window| window == command)
}

/// The next message that was caught already and fits. Those before it are delivered.
pub(crate) fn next_of(caught: &Interceptor, fits: impl Fn(&Held) -> bool) -> Option<Held> {
    while let Some(held) = caught.try_next() {
        if fits(&held) {
            return Some(held);
        }
        held.deliver();
    }
    None
}

/// All messages that were caught already, in the order in which they came.
pub(crate) fn all_of(caught: &Interceptor) -> Vec<Held> {
    std::iter::from_fn(|| caught.try_next()).collect()
}

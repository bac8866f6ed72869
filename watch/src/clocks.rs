//! Vector clocks over the delivered messages: how much of each server's past can have reached each
//! other server.

use std::collections::BTreeMap;

use history::Moment;
use labrpc::network::{CallStep, Ending, Event};

/// The clocks of all servers.
///
/// A server that starts from an empty disk knows nothing of its own past. So it gets a new
/// *memory*: what other servers know of the old memory does not come from the new one.
#[derive(Debug)]
pub(crate) struct Clocks {
    servers: Vec<Server>,
    /// The server of each memory.
    memories: Vec<usize>,
    /// By the number of the call, minus one. They are kept to the end, since a copy of a request
    /// can arrive at any time.
    requests: Vec<Option<Message>>,
    /// The clocks of all requests, one after another.
    request_clocks: Vec<u64>,
    /// By the number of the call: the clock of the callee when the handler had returned.
    replies: BTreeMap<u64, Vec<u64>>,
}

/// What a server can know.
#[derive(Debug, Clone)]
struct Server {
    /// Its own memory.
    memory: usize,
    /// By memory: the number of the last event there that this server can know of.
    heard: Vec<u64>,
    /// The number of bytes that were delivered to it in the whole run.
    received: u64,
}

#[derive(Debug, Clone, Copy)]
struct Message {
    /// Whether its call has not ended yet.
    is_open: bool,
    bytes: usize,
    /// The place and the length of its clock in [`Clocks::request_clocks`].
    clock: (usize, usize),
}

impl Clocks {
    pub(crate) fn new(servers: usize) -> Clocks {
        let server = |memory| Server { memory, heard: vec![0; servers], received: 0 };
        Clocks {
            servers: (0..servers).map(server).collect(),
            memories: (0..servers).collect(),
            requests: Vec::new(),
            request_clocks: Vec::new(),
            replies: BTreeMap::new(),
        }
    }

    /// The number of servers.
    pub(crate) fn n(&self) -> usize {
        self.servers.len()
    }

    /// The number of memories. The first ones belong to the servers in their order.
    pub(crate) fn memories(&self) -> usize {
        self.memories.len()
    }

    /// The memory of a server.
    pub(crate) fn memory(&self, server: usize) -> usize {
        self.servers[server].memory
    }

    /// The number of the last event of a memory that `server` can know of; 0 for none.
    pub(crate) fn heard_of_memory(&self, server: usize, memory: usize) -> u64 {
        self.servers[server].heard.get(memory).copied().unwrap_or(0)
    }

    /// The number of the last event at server `of` that `server` can know of; 0 for none.
    pub(crate) fn heard(&self, server: usize, of: usize) -> u64 {
        let all = self.servers[server].heard.iter().zip(&self.memories);
        all.filter(|(_, owner)| **owner == of).map(|(heard, _)| *heard).max().unwrap_or(0)
    }

    /// The number of bytes that were delivered to a server in the whole run.
    pub(crate) fn received(&self, server: usize) -> u64 {
        self.servers[server].received
    }

    /// Records that something happened at a server that others can learn of.
    pub(crate) fn act(&mut self, server: usize, at: Moment) {
        let server = &mut self.servers[server];
        if server.heard.len() <= server.memory {
            server.heard.resize(server.memory + 1, 0);
        }
        server.heard[server.memory] = at.event;
    }

    /// Gives a new memory to a server that restarts from an empty disk.
    pub(crate) fn forget(&mut self, server: usize) {
        let memory = self.memories.len();
        self.memories.push(server);
        self.servers[server].memory = memory;
        self.servers[server].heard.fill(0);
    }

    /// Reads a step of a call. Returns the server that a message was delivered to, if any.
    pub(crate) fn hear(&mut self, event: &Event, at: Moment) -> Option<usize> {
        let known = |server: &usize| *server < self.servers.len();
        let (from, to) = (event.from.filter(known)?, event.to.filter(known)?);
        match &event.step {
            CallStep::Sent { bytes } => self.send(event.call, from, *bytes, at),
            CallStep::Dispatched { .. } => {
                self.bring_request(event.call, to);
                return Some(to);
            }
            // The caller gets the reply to the request itself, never that to a duplicate.
            CallStep::Handled { bytes: Some(_), copy: 0 } if self.is_open(event.call) => {
                self.act(to, at);
                self.replies.insert(event.call, self.servers[to].heard.clone());
            }
            CallStep::Ended(ending) => {
                if let Some(Some(request)) = self.requests.get_mut(place(event.call)) {
                    request.is_open = false;
                }
                let clock = self.replies.remove(&event.call);
                if let (Ending::Answered { bytes }, Some(clock)) = (ending, clock) {
                    self.servers[from].take(&clock, *bytes);
                    return Some(from);
                }
            }
            CallStep::Handled { .. }
            | CallStep::Described { .. }
            | CallStep::Intercepted { .. }
            | CallStep::Misused(_)
            | CallStep::Overloaded { .. } => {}
        }
        None
    }

    fn send(&mut self, call: u64, from: usize, bytes: usize, at: Moment) {
        self.act(from, at);
        let heard = &self.servers[from].heard;
        let message =
            Message { is_open: true, bytes, clock: (self.request_clocks.len(), heard.len()) };
        self.request_clocks.extend_from_slice(heard);
        let place = place(call);
        if self.requests.len() <= place {
            self.requests.resize(place + 1, None);
        }
        self.requests[place] = Some(message);
    }

    fn is_open(&self, call: u64) -> bool {
        matches!(self.requests.get(place(call)), Some(Some(request)) if request.is_open)
    }

    fn bring_request(&mut self, call: u64, to: usize) {
        if let Some(Some(Message { bytes, clock, .. })) = self.requests.get(place(call)).copied() {
            let clock = &self.request_clocks[clock.0..clock.0 + clock.1];
            self.servers[to].take(clock, bytes);
        }
    }
}

impl Server {
    /// Records that a message was delivered to the server.
    fn take(&mut self, clock: &[u64], bytes: usize) {
        self.received += bytes as u64;
        if self.heard.len() < clock.len() {
            self.heard.resize(clock.len(), 0);
        }
        for (mine, theirs) in self.heard.iter_mut().zip(clock) {
            *mine = (*mine).max(*theirs);
        }
    }
}

/// The place of a call in a list. Calls are numbered from 1.
fn place(call: u64) -> usize {
    usize::try_from(call.saturating_sub(1)).expect("the number of a call is small")
}

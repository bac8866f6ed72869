//! S17, a server knows only what messages brought; and the part of S11 that is visible from
//! outside.
//!
//! The network is the only link between servers. So everything that a server knows about the others
//! came in a chain of messages, each sent after the one before was delivered. [`Clocks`] follows
//! these chains through the calls of the history, and three things are checked with them:
//!
//! - an applied command was given to `start` at this server, or a chain leads from a server where
//!   it was given to this one ([`commands`]);
//! - it was applied after news from a majority of servers that had it (S11, [`commands`]);
//! - a server that says that it leads a term has news from a majority, and the news is newer than
//!   its last lower term ([`leaders`]).
//!
//! This needs no `inspect`. It makes every other channel between servers useless: statics, files,
//! pipes, or the time that something takes.
//!
//! **It is sound**, because a chain is never missed. What a server learns is recorded before the
//! server can use it: a command before `start` is called, a request before its handler starts, a
//! reply before the caller has it. What a server passes on is recorded late, so it never counts as
//! less than it was: everything that the server knew when the network took its request, or when its
//! handler had returned. A crash forgets nothing here unless the disk is empty; a server that
//! restarts from an empty disk knows nothing. Commands that no test gave, such as the empty entry
//! of a new leader, are not judged.
//!
//! Terms alone are not judged either. A server that is cut off can raise its term by itself any
//! number of times, and whether it sends anything between depends on its threads. A secretly
//! learned term is useful only to lead, or to follow a leader's entries, and both are judged.

mod commands;
mod leaders;

#[cfg(test)]
mod tests;

use history::{Event, Incarnation, RaftEvent, ServerEvent, What};
use raftapi::ApplyMsg;

use crate::breach::Violation;
use crate::clocks::Clocks;
use commands::Commands;
use leaders::Leaders;

/// Follows what each server can have learned from its messages.
#[derive(Debug)]
pub struct Knowledge {
    servers: Vec<Server>,
    clocks: Clocks,
    commands: Commands,
    leaders: Leaders,
}

#[derive(Debug, Clone, Default)]
struct Server {
    incarnation: u32,
    runs: bool,
}

impl Knowledge {
    /// The knowledge of a cluster of `servers` servers.
    pub fn new(servers: usize) -> Knowledge {
        Knowledge {
            servers: vec![Server::default(); servers],
            clocks: Clocks::new(servers),
            commands: Commands::new(servers),
            leaders: Leaders::new(servers),
        }
    }

    /// Reads the next event.
    ///
    /// # Errors
    /// If the event shows that a rule was broken.
    pub fn read(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        let at = event.moment;
        self.leaders.pass(at);
        match &event.what {
            What::Call(call) => {
                if let Some(server) = self.clocks.hear(call, at) {
                    self.commands.learn(server, at, &self.clocks);
                }
            }
            What::Drawn(command) => self.commands.draw(command),
            What::Server(of, ServerEvent::Starting(saved)) => {
                let is_first = self.servers[of.server].incarnation == 0;
                self.servers[of.server] = Server { incarnation: of.number, runs: true };
                if !is_first && saved.raft_state.is_empty() && saved.snapshot.is_empty() {
                    self.clocks.forget(of.server);
                    self.commands.forget(of.server, &self.clocks);
                }
            }
            What::Server(of, ServerEvent::Crashed) => self.servers[of.server].runs = false,
            What::Raft(of, RaftEvent::Offered { command }) => {
                self.clocks.act(of.server, at);
                self.commands.offer(of.server, command, at, &self.clocks);
            }
            What::Raft(of, what) if self.runs(*of) => return self.hear(of.server, what, event),
            _ => {}
        }
        Ok(())
    }

    fn hear(
        &mut self,
        server: usize,
        what: &RaftEvent<'_>,
        event: &Event<'_>,
    ) -> Result<(), Violation> {
        let at = event.moment;
        match what {
            RaftEvent::State { asked, term } => self.leaders.show(server, *term, *asked),
            RaftEvent::Leads { term } => {
                return self.leaders.claim(server, *term, at, &self.clocks);
            }
            RaftEvent::Started { started, .. } => {
                return self.leaders.claim(server, started.term, at, &self.clocks);
            }
            RaftEvent::Applied(ApplyMsg::Command { index, command }) => {
                return self.commands.apply(server, *index, command, at, &self.clocks);
            }
            RaftEvent::Applied(ApplyMsg::Snapshot { index, .. }) => {
                return self.commands.install(server, *index, at, &self.clocks);
            }
            _ => {}
        }
        Ok(())
    }

    fn runs(&self, of: Incarnation) -> bool {
        let server = &self.servers[of.server];
        server.runs && server.incarnation == of.number
    }
}

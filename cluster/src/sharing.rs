//! Finds out whether servers share threads.
//!
//! A thread belongs to the server whose thread started it. That is wrong for a pool in a static,
//! which the first server starts and all servers use: a pause of the first server would stop all of
//! them. Such a thread is detected when it makes a call or a save for another server. From then on
//! it belongs to no server. No server of this cluster is then paused or gets a clock of its own,
//! since other threads of the pool may not be detected yet. Servers in processes of their own share
//! no threads.

use std::thread;

use labrpc::network::{CallStep, Event};
use verdict::label::{self, Label};
use verdict::{Failure, Referee};

/// Watches the servers of one cluster. Clones share the same state.
#[derive(Clone)]
pub(crate) struct Sharing {
    servers: usize,
    referee: Referee,
}

impl Sharing {
    pub(crate) fn new(servers: usize, referee: Referee) -> Sharing {
        Sharing { servers, referee }
    }

    pub(crate) fn fail(&self, failure: Failure) {
        self.referee.fail(failure);
    }

    /// To be called on the thread on which the event happened.
    pub(crate) fn read(&self, event: &Event) {
        // The other steps happen on threads of the server that is called.
        if let (CallStep::Sent { .. }, Some(caller)) = (&event.step, event.from) {
            self.note_work(caller, "a call");
        }
    }

    /// Records that the calling thread saves for this server.
    pub(crate) fn note_save(&self, server: usize) {
        self.note_work(server, "a save");
    }

    fn note_work(&self, server: usize, what: &str) {
        let Some(other) = label::work_for(server) else { return };
        let thread = thread::current();
        let thread = match thread.name() {
            Some(name) => format!("the thread `{name}`"),
            None => "an unnamed thread".into(),
        };
        let sentence = format!(
            "{thread} of server {other} made {what} of server {server}, so servers share threads. \
             No server is paused alone, and a panic may name no server. When graded, each server \
             has its own process and threads"
        );
        if self.referee.threads_are_shared(sentence) {
            let servers = (0..self.servers).map(Label::Server);
            let groups: Vec<u32> =
                servers.chain([Label::Shared]).map(|label| label.group().group).collect();
            groups.iter().copied().for_each(sim::resume);
            // A shared thread compares times of several servers.
            sim::align_clocks(&groups);
        }
    }
}

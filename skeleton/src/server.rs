//! One server of the cluster: its threads, and the methods that the lab calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::Sender;
use labrpc::{ClientEnd, Service};
use parking_lot::Mutex;
use raftapi::{ApplyMsg, PeerContext, Persister, RaftPeer, Started};
use rand::RngExt;

use crate::rules::messages::{
    AppendEntriesArgs, AppendEntriesReply, RequestVoteArgs, RequestVoteReply,
};
use crate::rules::state::State;

/// One server. The lab's threads and yours all share it.
pub struct Raft {
    /// Which server this is: an index into `ends`.
    pub me: usize,
    /// One end for each server, by number. Do not use the end to this server itself.
    pub ends: Vec<ClientEnd>,
    /// Keeps what must survive a crash.
    pub persister: Arc<Persister>,
    /// Takes committed entries, in order. A send waits until the lab has taken the message, so hold
    /// no lock across it.
    pub apply: Sender<ApplyMsg>,
    /// All mutable state, guarded by one mutex.
    pub state: Mutex<State>,
    killed: AtomicBool,
}

/// Makes one server. It has to return soon: long work belongs in threads.
pub fn make(context: PeerContext) -> Arc<dyn RaftPeer> {
    // Before any thread starts: the state that was saved before a crash.
    let state = State::restored_from(&context.persister);
    let raft = Arc::new(Raft {
        me: context.me,
        ends: context.ends,
        persister: context.persister,
        apply: context.apply,
        state: Mutex::new(state),
        killed: AtomicBool::new(false),
    });

    let ticking = Arc::clone(&raft);
    thread::spawn(move || ticking.tick());
    raft
}

impl RaftPeer for Raft {
    /// Says which calls this server answers. The lab runs each on a thread of its own.
    fn service(self: Arc<Self>) -> Service {
        let (voter, follower) = (Arc::clone(&self), self);
        Service::new("Raft")
            .method("RequestVote", move |args| voter.with_state(|state| state.request_vote(&args)))
            .method("AppendEntries", move |args| {
                follower.with_state(|state| state.append_entries(&args))
            })
    }

    /// If this server leads: appends the command to the log, and immediately returns its index and
    /// term.
    fn start(&self, command: Vec<u8>) -> Option<Started> {
        // Your code here (3B, section 5.3). Until then this server takes no command.
        let _ = command;
        None
    }

    /// The current term, and whether this server believes that it is the leader of that term.
    fn get_state(&self) -> (u64, bool) {
        // Your code here (3A). This server never leads.
        (self.state.lock().current_term, false)
    }

    /// The lab has a snapshot of everything up to `index`: the log can drop these entries.
    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        // Your code here (3D, section 7).
        let _ = (index, snapshot);
    }

    /// The lab is done with this server: its threads have to end.
    fn kill(&self) {
        self.killed.store(true, Ordering::Relaxed);
    }
}

impl Raft {
    /// Runs a rule with the lock held, and saves what it changed before another server can see the
    /// change.
    pub fn with_state<T>(&self, rule: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let result = rule(&mut state);
        state.save_to(&self.persister);
        result
    }

    /// Runs until the server is killed: stands for election when it has heard from no leader for
    /// too long.
    fn tick(&self) {
        while !self.killed.load(Ordering::Relaxed) {
            // Your code here (3A, section 5.2): is it time to stand for election?

            // Some time between 50 and 350 ms; servers that wake together split the vote.
            let pause_ms = rand::rng().random_range(50..=350);
            thread::sleep(Duration::from_millis(pause_ms));
        }
    }

    /// Asks one server for its vote. It returns when the reply has come, or when it is known that
    /// none will come. That can take seconds: call it on a thread of its own, with no lock held.
    pub fn send_request_vote(
        &self,
        server: usize,
        args: &RequestVoteArgs,
    ) -> Option<RequestVoteReply> {
        self.ends[server].call("Raft.RequestVote", args).ok()
    }

    /// The same for AppendEntries.
    pub fn send_append_entries(
        &self,
        server: usize,
        args: &AppendEntriesArgs,
    ) -> Option<AppendEntriesReply> {
        self.ends[server].call("Raft.AppendEntries", args).ok()
    }
}

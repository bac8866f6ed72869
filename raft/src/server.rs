//! One server: its threads, the one door to its state, and what the lab asks of it.

pub(crate) mod senders;

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam_channel::Sender;
use labrpc::{ClientEnd, Service};
use parking_lot::{Condvar, Mutex, MutexGuard};
use raftapi::{ApplyMsg, Inspect, PeerContext, Persister, RaftPeer, Started};

use crate::senders::{Request, Senders};
use crate::state::State;

/// One server of the cluster.
pub(crate) struct Raft {
    me: usize,
    ends: Vec<ClientEnd>,
    persister: Arc<Persister>,
    state: Mutex<State>,
    /// Wakes the ticker: the next deadline is sooner than it was.
    sooner: Condvar,
    /// Wakes the applier: there is something to apply.
    committed: Condvar,
    senders: Senders,
}

impl Raft {
    /// A follower with what was saved before the last crash (section 5.2: servers start up as
    /// followers).
    pub(crate) fn start(context: PeerContext) -> Arc<Raft> {
        let PeerContext { ends, me, persister, apply } = context;
        let state = State::restored_from(me, ends.len(), &persister);
        let raft = Arc::new(Raft {
            me,
            senders: Senders::new(ends.len()),
            ends,
            persister,
            state: Mutex::new(state),
            sooner: Condvar::new(),
            committed: Condvar::new(),
        });
        let (ticking, applying) = (Arc::clone(&raft), Arc::clone(&raft));
        raft.spawn("ticker", move || ticking.tick());
        raft.spawn("applier", move || applying.apply(&apply));
        raft
    }

    /// The one door to the state: runs a rule, saves what it changed, and wakes the threads that
    /// have to do with it. Nobody can hear of a change before it is saved, since the lock is held
    /// until then. After `kill` nothing happens any more, and there is no result.
    pub(crate) fn with_state<T>(&self, rule: impl FnOnce(&mut State) -> T) -> Option<T> {
        let mut state = self.state.lock();
        if state.killed {
            return None;
        }
        let deadline_before = state.deadline();
        let result = rule(&mut state);
        state.save_to(&self.persister);
        if is_sooner(state.deadline(), deadline_before) {
            self.sooner.notify_one();
        }
        if state.has_something_to_apply() {
            self.committed.notify_one();
        }
        Some(result)
    }

    /// The ticker: sleeps until the next deadline, sends what is due, and so on until `kill`.
    fn tick(self: &Arc<Self>) {
        while self.wait_for_deadline() {
            let requests = self.with_state(|state| state.on_deadline(Instant::now()));
            for (server, request) in requests.into_iter().flatten() {
                self.senders.send(self, server, request);
            }
        }
    }

    /// False once this server was killed.
    fn wait_for_deadline(&self) -> bool {
        let mut state = self.state.lock();
        while !state.killed {
            match state.deadline() {
                None => self.sooner.wait(&mut state),
                Some(deadline) if Instant::now() >= deadline => return true,
                Some(deadline) => {
                    self.sooner.wait_until(&mut state, deadline);
                }
            }
        }
        false
    }

    /// The applier, the only thread that sends on the channel: so what the service gets is in
    /// order. The service may take its time, and may call `snapshot` meanwhile.
    fn apply(&self, channel: &Sender<ApplyMsg>) {
        let mut state = self.state.lock();
        while !state.killed {
            let Some(message) = state.next_to_apply() else {
                self.committed.wait(&mut state);
                continue;
            };
            let sent = MutexGuard::unlocked(&mut state, || channel.send(message));
            if sent.is_err() {
                return; // The service is gone.
            }
        }
    }

    /// A sender: makes one call after the other, until `kill`.
    pub(crate) fn make_calls(&self) {
        while let Some((server, request)) = self.senders.next() {
            self.call(server, &request);
            self.senders.done(server);
        }
    }

    /// Makes one call, and has the answer judged by the state of the moment in which it comes.
    /// Without an answer there is nothing to do: what matters is sent again by and by.
    fn call(&self, server: usize, request: &Request) {
        let end = &self.ends[server];
        let now = Instant::now;
        match request {
            Request::Vote(args) => {
                if let Ok(reply) = end.call("Raft.RequestVote", args) {
                    self.with_state(|state| state.count_vote(server, args, &reply, now()));
                }
            }
            Request::Append(args) => {
                if let Ok(reply) = end.call("Raft.AppendEntries", args) {
                    self.with_state(|state| state.note_appended(server, args, &reply, now()));
                }
            }
            Request::Install(args) => {
                if let Ok(reply) = end.call("Raft.InstallSnapshot", args) {
                    self.with_state(|state| state.note_installed(server, args, &reply, now()));
                }
            }
        }
    }

    /// A thread of this server, named so that a stack dump says whose it is.
    pub(crate) fn spawn(&self, what: &str, work: impl FnOnce() + Send + 'static) {
        thread::Builder::new()
            .name(format!("server {} {what}", self.me))
            .spawn(work)
            .expect("failed to start a thread");
    }
}

fn is_sooner(deadline: Option<Instant>, than: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| than.is_none_or(|than| deadline < than))
}

impl RaftPeer for Raft {
    /// A killed server has nothing to say: its default answers are of term 0, which nobody heeds.
    fn service(self: Arc<Self>) -> Service {
        let (voter, follower, installer) = (Arc::clone(&self), Arc::clone(&self), self);
        Service::new("Raft")
            .method("RequestVote", move |args| {
                voter.with_state(|state| state.request_vote(&args)).unwrap_or_default()
            })
            .method("AppendEntries", move |args| {
                follower.with_state(|state| state.append_entries(args)).unwrap_or_default()
            })
            .method("InstallSnapshot", move |args| {
                installer.with_state(|state| state.install_snapshot(args)).unwrap_or_default()
            })
    }

    fn start(&self, command: Vec<u8>) -> Option<Started> {
        self.with_state(|state| state.start(command, Instant::now())).flatten()
    }

    fn get_state(&self) -> (u64, bool) {
        let state = self.state.lock();
        (state.current_term, state.is_leader())
    }

    fn inspect(&self) -> Option<Inspect> {
        Some(self.state.lock().inspect())
    }

    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        self.with_state(|state| state.snapshot(index, snapshot));
    }

    fn kill(&self) {
        self.state.lock().killed = true;
        self.sooner.notify_all();
        self.committed.notify_all();
        self.senders.close();
    }
}

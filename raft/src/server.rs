//! One server: its threads, the one door to its state, and what the lab asks of it.

mod senders;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use labrpc::{ClientEnd, Service};
use parking_lot::{Condvar, Mutex, MutexGuard};
use raftapi::{ApplyMsg, Inspect, PeerContext, Persister, RaftPeer, Started};
use rand::RngExt;

use self::senders::Senders;
use crate::rules::clock::{Clock, ELECTION_TIMEOUT_MS};
use crate::rules::messages::Request;
use crate::rules::state::State;

/// One server of the cluster.
pub(crate) struct Raft {
    me: usize,
    ends: Vec<ClientEnd>,
    persister: Arc<Persister>,
    guarded: Mutex<Guarded>,
    /// Wakes the ticker: the next deadline is sooner than it was.
    sooner: Condvar,
    /// Wakes the applier: there is something to apply.
    committed: Condvar,
    senders: Senders,
}

/// All mutable state, guarded by one mutex.
struct Guarded {
    state: State,
    killed: bool,
}

impl Raft {
    /// A follower with what was saved before the last crash (section 5.2: servers start up as
    /// followers).
    pub(crate) fn start(context: PeerContext) -> Arc<Raft> {
        let PeerContext { ends, me, persister, apply } = context;
        let state = State::restored_from(me, ends.len(), &persister, &ThreadClock);
        let raft = Arc::new(Raft {
            me,
            senders: Senders::new(ends.len()),
            ends,
            persister,
            guarded: Mutex::new(Guarded { state, killed: false }),
            sooner: Condvar::new(),
            committed: Condvar::new(),
        });
        let (ticking, applying) = (Arc::clone(&raft), Arc::clone(&raft));
        raft.spawn("ticker", move || ticking.tick());
        raft.spawn("applier", move || applying.apply(&apply));
        raft
    }

    /// The door to the rules: runs one, saves what it changed, and wakes the threads that have to
    /// act on it. The lock is held until the change is saved, so no reply or request can reveal it
    /// earlier. After `kill` no rule runs, and there is no result.
    fn with_state<T>(&self, rule: impl FnOnce(&mut State) -> T) -> Option<T> {
        let mut guarded = self.guarded.lock();
        if guarded.killed {
            return None;
        }
        let state = &mut guarded.state;
        let deadline_before = state.deadline();
        let result = rule(state);
        state.save_to(&self.persister);
        state.assert_consistent();
        if is_sooner(state.deadline(), deadline_before) {
            self.sooner.notify_one();
        }
        if state.has_something_to_apply() {
            self.committed.notify_one();
        }
        Some(result)
    }

    /// The ticker: sleeps until the next deadline, sends what is due, and repeats until `kill`.
    fn tick(self: &Arc<Self>) {
        while self.wait_for_deadline() {
            let requests = self.with_state(|state| state.on_deadline(&ThreadClock));
            for (server, request) in requests.into_iter().flatten() {
                self.send(server, request);
            }
        }
    }

    /// False once this server was killed.
    fn wait_for_deadline(&self) -> bool {
        let mut guarded = self.guarded.lock();
        while !guarded.killed {
            match guarded.state.deadline() {
                None => self.sooner.wait(&mut guarded),
                Some(deadline) if Instant::now() >= deadline => return true,
                Some(deadline) => {
                    self.sooner.wait_until(&mut guarded, deadline);
                }
            }
        }
        false
    }

    /// The applier, the only thread that sends on the channel, so the service gets everything in
    /// order. It holds no lock while it sends: the service may be slow, and may call `snapshot`
    /// meanwhile. It changes nothing that has to be saved, so it needs no door.
    fn apply(&self, channel: &Sender<ApplyMsg>) {
        let mut guarded = self.guarded.lock();
        while !guarded.killed {
            let Some(message) = guarded.state.next_to_apply() else {
                self.committed.wait(&mut guarded);
                continue;
            };
            let sent = MutexGuard::unlocked(&mut guarded, || channel.send(message));
            if sent.is_err() {
                return; // The service is gone.
            }
        }
    }

    /// Has a sender make the call, at once.
    fn send(self: &Arc<Self>, server: usize, request: Request) {
        if self.senders.enqueue(server, request) {
            let calling = Arc::clone(self);
            self.spawn("sender", move || calling.make_calls());
        }
    }

    /// A sender: makes one call after the other, until `kill`.
    fn make_calls(&self) {
        while let Some((server, request)) = self.senders.next() {
            self.call(server, &request);
            self.senders.done(server);
        }
    }

    /// Makes one call, and runs the rule for the reply on the state at that moment. If the call
    /// fails there is nothing to do: the next heartbeat or election sends again what matters.
    fn call(&self, server: usize, request: &Request) {
        let end = &self.ends[server];
        match request {
            Request::Vote(args) => {
                if let Ok(reply) = end.call("Raft.RequestVote", args) {
                    self.with_state(|state| state.count_vote(server, args, &reply, &ThreadClock));
                }
            }
            Request::Append(args) => {
                if let Ok(reply) = end.call("Raft.AppendEntries", args) {
                    self.with_state(|state| {
                        state.note_appended(server, args, &reply, &ThreadClock);
                    });
                }
            }
            Request::Install(args) => {
                if let Ok(reply) = end.call("Raft.InstallSnapshot", args) {
                    self.with_state(|state| {
                        state.note_installed(server, args, &reply, &ThreadClock);
                    });
                }
            }
        }
    }

    /// Starts a thread of this server, named so that a stack dump says whose it is.
    fn spawn(&self, what: &str, work: impl FnOnce() + Send + 'static) {
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
    /// A killed server sends default replies: they are of term 0, so every server ignores them.
    fn service(self: Arc<Self>) -> Service {
        let (voter, follower, installer) = (Arc::clone(&self), Arc::clone(&self), self);
        Service::new("Raft")
            .method("RequestVote", move |args| {
                voter
                    .with_state(|state| state.request_vote(&args, &ThreadClock))
                    .unwrap_or_default()
            })
            .method("AppendEntries", move |args| {
                follower
                    .with_state(|state| state.append_entries(args, &ThreadClock))
                    .unwrap_or_default()
            })
            .method("InstallSnapshot", move |args| {
                installer
                    .with_state(|state| state.install_snapshot(args, &ThreadClock))
                    .unwrap_or_default()
            })
    }

    fn start(&self, command: Vec<u8>) -> Option<Started> {
        self.with_state(|state| state.start(command, &ThreadClock)).flatten()
    }

    fn get_state(&self) -> (u64, bool) {
        let state = &self.guarded.lock().state;
        (state.current_term(), state.is_leader())
    }

    fn inspect(&self) -> Option<Inspect> {
        Some(self.guarded.lock().state.inspect())
    }

    fn inspect_with_details(&self) -> Option<(Inspect, raftapi::Details)> {
        let state = &self.guarded.lock().state;
        Some((state.inspect(), state.details()))
    }

    fn snapshot(&self, index: u64, snapshot: Vec<u8>) {
        self.with_state(|state| state.snapshot(index, snapshot));
    }

    fn kill(&self) {
        self.guarded.lock().killed = true;
        self.sooner.notify_all();
        self.committed.notify_all();
        self.senders.close();
    }
}

/// The clock and the random generator of the thread that runs a rule.
struct ThreadClock;

impl Clock for ThreadClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn election_timeout(&self) -> Duration {
        Duration::from_millis(rand::rng().random_range(ELECTION_TIMEOUT_MS))
    }
}

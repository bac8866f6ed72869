//! The runtime of one server: openraft's tasks, and what the lab and other servers ask of them.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::time::Duration;

use openraft::SnapshotPolicy;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use parking_lot::Mutex;
use raftapi::Started;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task;

use crate::network::{Ends, InstallRequest};
use crate::storage::{Log, Service};
use crate::store::Store;
use crate::types::{Config, Raft};

/// openraft's clock ticks every one and a half of this. A leader sends heartbeats every tick, and
/// waits as long as this for the reply.
const HEARTBEAT_MS: u64 = 50;
/// How often it ticks.
const TICK_MS: u64 = HEARTBEAT_MS * 3 / 2;
/// openraft draws one election timeout from this range when it starts, looks at it only when it
/// ticks, and adds the maximum while it thinks that a leader lives: an election begins after 0.8 to
/// 1.2 s of silence. A candidate that has seen a longer log adds another 1.2 s. With a maximum of
/// 1 s the five seconds that the lab grants are often too short.
const ELECTION_TIMEOUT_MS: (u64, u64) = (200, 600);
/// So long a thread for blocking work waits for more. `kill` does not wait for it.
const IDLE_THREAD: Duration = Duration::from_secs(1);

/// The way into a server's runtime.
#[derive(Clone)]
pub(crate) struct Inbox(pub(crate) UnboundedSender<Input>);

/// What a runtime is asked, with the channel for the answer.
pub(crate) enum Input {
    Append(AppendEntriesRequest<Config>, SyncSender<AppendEntriesResponse<u64>>),
    Vote(VoteRequest<u64>, SyncSender<VoteResponse<u64>>),
    Install(Box<InstallRequest>, SyncSender<SnapshotResponse<u64>>),
    Start(Vec<u8>, SyncSender<Option<Started>>),
    /// The store has a new snapshot.
    Compacted,
    Kill,
}

impl Inbox {
    pub(crate) fn append_entries(
        &self,
        request: AppendEntriesRequest<Config>,
    ) -> Option<AppendEntriesResponse<u64>> {
        self.ask(|answer| Input::Append(request, answer))
    }

    pub(crate) fn request_vote(&self, request: VoteRequest<u64>) -> Option<VoteResponse<u64>> {
        self.ask(|answer| Input::Vote(request, answer))
    }

    pub(crate) fn install_snapshot(
        &self,
        request: InstallRequest,
    ) -> Option<SnapshotResponse<u64>> {
        self.ask(|answer| Input::Install(Box::new(request), answer))
    }

    pub(crate) fn start(&self, command: Vec<u8>) -> Option<Started> {
        self.ask(|answer| Input::Start(command, answer)).flatten()
    }

    /// Asks, and waits on a thread of the lab's. None after `kill`: all that is left unanswered is
    /// dropped then.
    fn ask<T>(&self, question: impl FnOnce(SyncSender<T>) -> Input) -> Option<T> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.0.send(question(answer)).ok()?;
        answered.recv().ok()
    }
}

/// Runs a server until `kill`, on the calling thread. The runtime is this server's alone, so its
/// threads are as well.
pub(crate) fn run(
    me: u64,
    ends: Ends,
    store: &Arc<Mutex<Store>>,
    service: Service,
    inbox: UnboundedReceiver<Input>,
) {
    let runtime = runtime(me);
    runtime.block_on(async {
        // Servers that are started at once would tick at the same instants.
        tokio::time::sleep(random_ms(TICK_MS)).await;
        let stood = Arc::new(Notify::new());
        let log = Log { store: Arc::clone(store), stood: Arc::clone(&stood) };
        let raft = Raft::new(me, config(), ends, log, service).await.expect("openraft starts");
        task::spawn(vary_elections(raft.clone(), stood));
        serve(&raft, store, inbox).await;
    });
    // Its tasks end here. A call that is under way ends later, on its own thread.
    runtime.shutdown_background();
    store.lock().close();
}

fn runtime(me: u64) -> Runtime {
    Builder::new_current_thread()
        // Timers only: no epoll.
        .enable_time()
        .thread_name(format!("server {me} call"))
        .thread_keep_alive(IDLE_THREAD)
        .build()
        .expect("failed to make a runtime")
}

fn config() -> Arc<openraft::Config> {
    let config = openraft::Config {
        heartbeat_interval: HEARTBEAT_MS,
        election_timeout_min: ELECTION_TIMEOUT_MS.0,
        election_timeout_max: ELECTION_TIMEOUT_MS.1,
        // The lab says when.
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: 0,
        ..openraft::Config::default()
    };
    Arc::new(config.validate().expect("a valid configuration"))
}

/// Draws the election timeout anew for each election (section 5.2), as openraft does not: after
/// each candidacy the next one waits for a random time more. Otherwise two servers whose timeouts
/// end at the same tick split the votes forever.
async fn vary_elections(raft: Raft, stood: Arc<Notify>) {
    loop {
        stood.notified().await;
        raft.runtime_config().elect(false);
        tokio::time::sleep(random_ms(ELECTION_TIMEOUT_MS.0)).await;
        raft.runtime_config().elect(true);
    }
}

/// Less than `limit_ms`, drawn from the standard library's own source of random numbers.
fn random_ms(limit_ms: u64) -> Duration {
    Duration::from_millis(RandomState::new().hash_one(0) % limit_ms)
}

/// Hands each input to a task of its own, so that none waits for another. But a vote is noted
/// before openraft hears of anything that came later: the log may be the candidate's after that.
async fn serve(raft: &Raft, store: &Arc<Mutex<Store>>, mut inbox: UnboundedReceiver<Input>) {
    while let Some(input) = inbox.recv().await {
        let is_vote = matches!(input, Input::Vote(..));
        if matches!(input, Input::Kill) {
            return;
        }
        let answer = answer(raft.clone(), Arc::clone(store), input);
        if is_vote {
            // What came earlier goes first.
            task::yield_now().await;
            answer.await;
        } else {
            task::spawn(answer);
        }
    }
}

/// An answer that does not come is dropped, and who asked may have given up.
async fn answer(raft: Raft, store: Arc<Mutex<Store>>, input: Input) {
    match input {
        Input::Append(request, answer) => {
            let _ = raft.append_entries(request).await.map(|reply| answer.send(reply));
        }
        Input::Vote(request, answer) => {
            let vote = request.vote;
            let Ok(reply) = raft.vote(request).await else { return };
            if reply.vote_granted {
                store.lock().give(&vote);
            }
            let _ = answer.send(reply);
        }
        Input::Install(request, answer) => {
            let (vote, meta, snapshot) = *request;
            let snapshot = openraft::Snapshot { meta, snapshot: Box::new(snapshot) };
            let reply = raft.install_full_snapshot(vote, snapshot).await;
            let _ = reply.map(|reply| answer.send(reply));
        }
        Input::Start(command, asked) => {
            let command = store.lock().ticket(command, asked);
            let ticket = command.ticket.expect("it was given one");
            // The store answers when openraft appends the command. If it never does, this ends.
            let _ = raft.client_write(command).await;
            store.lock().answer(ticket, None);
        }
        Input::Compacted => {
            let _ = raft.trigger().snapshot().await;
        }
        Input::Kill => unreachable!("the loop ends before"),
    }
}

//! The runtime of one server: openraft's tasks, and the requests of the lab and other servers.

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

/// openraft's clock ticks every 1.5 times this. A leader sends heartbeats at every tick, and waits
/// this long for the reply.
const HEARTBEAT_MS: u64 = 50;
/// How often it ticks.
const TICK_MS: u64 = HEARTBEAT_MS * 3 / 2;
/// openraft draws one election timeout from this range when it starts, looks at it only when it
/// ticks, and adds the maximum while it assumes that a leader is alive. So an election begins after
/// 0.8 to 1.2 s of silence. A candidate that has seen a longer log adds another 1.2 s. With a
/// maximum of 1 s, elections often take longer than the lab's limit of five seconds.
const ELECTION_TIMEOUT_MS: (u64, u64) = (200, 600);
/// An idle thread for blocking work ends after this time. `kill` does not wait for it.
const IDLE_THREAD: Duration = Duration::from_secs(1);

/// Sends inputs to a server's runtime.
#[derive(Clone)]
pub(crate) struct Inbox(pub(crate) UnboundedSender<Input>);

/// The inputs of a runtime, with channels for the answers.
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

    /// Sends an input, and waits for the answer on the lab's thread. None after `kill`, which drops
    /// all inputs without an answer.
    fn ask<T>(&self, question: impl FnOnce(SyncSender<T>) -> Input) -> Option<T> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.0.send(question(answer)).ok()?;
        answered.recv().ok()
    }
}

/// Runs a server until `kill`, on the calling thread. The runtime belongs only to this server, and
/// so do its threads.
pub(crate) fn run(
    me: u64,
    ends: Ends,
    store: &Arc<Mutex<Store>>,
    service: Service,
    inbox: UnboundedReceiver<Input>,
) {
    let runtime = runtime(me);
    runtime.block_on(async {
        // Servers that start together would otherwise tick at the same instants.
        tokio::time::sleep(random_ms(TICK_MS)).await;
        let stood = Arc::new(Notify::new());
        let log = Log { store: Arc::clone(store), stood: Arc::clone(&stood) };
        let raft = Raft::new(me, config(), ends, log, service).await.expect("openraft starts");
        task::spawn(vary_elections(raft.clone(), stood));
        serve(&raft, store, inbox).await;
    });
    // The runtime's tasks end here. A call that is under way ends later, on its own thread.
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
        // The lab decides when to make a snapshot.
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: 0,
        ..openraft::Config::default()
    };
    Arc::new(config.validate().expect("a valid configuration"))
}

/// Makes each election timeout random (section 5.2), which openraft does not: after each candidacy,
/// the next one waits an additional random time. Otherwise two servers whose timeouts end at the
/// same tick split the votes again and again.
async fn vary_elections(raft: Raft, stood: Arc<Notify>) {
    loop {
        stood.notified().await;
        raft.runtime_config().elect(false);
        tokio::time::sleep(random_ms(ELECTION_TIMEOUT_MS.0)).await;
        raft.runtime_config().elect(true);
    }
}

/// A random time below `limit_ms`, from the standard library's own source of random numbers.
fn random_ms(limit_ms: u64) -> Duration {
    Duration::from_millis(RandomState::new().hash_one(0) % limit_ms)
}

/// Runs each input in a task of its own, so that no input waits for another. But a vote is recorded
/// before openraft gets any later input, which can replace the log by the candidate's.
async fn serve(raft: &Raft, store: &Arc<Mutex<Store>>, mut inbox: UnboundedReceiver<Input>) {
    while let Some(input) = inbox.recv().await {
        let is_vote = matches!(input, Input::Vote(..));
        if matches!(input, Input::Kill) {
            return;
        }
        let answer = answer(raft.clone(), Arc::clone(store), input);
        if is_vote {
            // Earlier inputs go first.
            task::yield_now().await;
            answer.await;
        } else {
            task::spawn(answer);
        }
    }
}

/// Answers one input. If openraft gives no answer, the channel is dropped. The caller can have
/// given up.
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
            // The store answers when openraft appends the command. If it never does, the answer is
            // none.
            let _ = raft.client_write(command).await;
            store.lock().answer(ticket, None);
        }
        Input::Compacted => {
            let _ = raft.trigger().snapshot().await;
        }
        Input::Kill => unreachable!("the loop ends before"),
    }
}

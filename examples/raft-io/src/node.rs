//! The thread that owns raft-io's state machine: it takes one input after the other, and carries
//! out the actions that each one causes.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender};
use std::time::{Duration, Instant};

use labrpc::ClientEnd;
use raft_io::{Action, Error, Event, Message, RaftConfig, RaftLog, RaftNode};
use raftapi::{ApplyMsg, Inspect, Role, Started};

use crate::log::{self, Log, Numbering};
use crate::peer::spawn;
use crate::wire::{self, Reply, Request};

/// raft-io's clock runs in ticks of this length.
const TICK: Duration = Duration::from_millis(10);
/// A leader sends heartbeats every 100 ms: the lab allows a few dozen calls a second.
const HEARTBEAT_TICKS: u32 = 10;
/// Election timeouts are drawn from 400 to 800 ms, so that a few heartbeats can be lost, and
/// several timeouts fit into the lab's limit of five seconds.
const ELECTION_TICKS: (u32, u32) = (40, 80);

/// The inputs of a server's thread, with channels for the answers.
pub(crate) enum Input {
    /// Another server calls.
    Request(Request, SyncSender<Reply>),
    /// A message from the reply of another server to a call.
    Answer(Message),
    Start(Vec<u8>, SyncSender<Option<Started>>),
    State(SyncSender<(u64, bool)>),
    /// The lab's index, and the service's bytes.
    Snapshot {
        index: u64,
        snapshot: Vec<u8>,
        done: SyncSender<()>,
    },
    Inspect(SyncSender<Option<Inspect>>),
    Kill,
}

/// The last index that a server handed over, and whether the server was killed.
pub(crate) struct Progress {
    last_applied: AtomicU64,
    killed: AtomicBool,
}

impl Progress {
    pub(crate) fn from(last_applied: u64) -> Progress {
        Progress { last_applied: last_applied.into(), killed: false.into() }
    }

    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
    }

    /// A message is about to be handed over. False if the server was killed.
    pub(crate) fn count(&self, message: &ApplyMsg) -> bool {
        let (ApplyMsg::Command { index, .. } | ApplyMsg::Snapshot { index, .. }) = message;
        self.last_applied.store(*index, Ordering::SeqCst);
        !self.killed.load(Ordering::SeqCst)
    }
}

/// One server's state machine, and where its actions go.
pub(crate) struct Node {
    me: usize,
    raft: RaftNode<Log>,
    ends: Vec<ClientEnd>,
    /// For the threads that make this server's calls.
    inbox: Sender<Input>,
    to_apply: Sender<ApplyMsg>,
    /// raft-io's index of the last entry that went to the applier.
    handed_over: u64,
    progress: Arc<Progress>,
}

impl Node {
    pub(crate) fn new(
        me: usize,
        ends: Vec<ClientEnd>,
        log: Log,
        inbox: Sender<Input>,
        to_apply: Sender<ApplyMsg>,
        progress: Arc<Progress>,
    ) -> Node {
        // raft-io's ids may start at 0, as the lab's numbers do.
        let config = RaftConfig::new(me as u64, 0..ends.len() as u64)
            .with_heartbeat_interval(HEARTBEAT_TICKS)
            .with_election_timeout(ELECTION_TICKS.0, ELECTION_TICKS.1)
            // The standard library's own source of random numbers.
            .with_seed(RandomState::new().hash_one(me));
        let handed_over = log.snapshot_index();
        let raft = RaftNode::with_log(config, log);
        Node { me, raft, ends, inbox, to_apply, handed_over, progress }
    }

    /// Runs until `kill`. The state machine is never called from another thread.
    pub(crate) fn run(mut self, inputs: &Receiver<Input>) {
        let mut next_tick = Instant::now() + TICK;
        loop {
            match inputs.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
                Ok(Input::Kill) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(input) => self.take(input),
                Err(RecvTimeoutError::Timeout) => {
                    self.step(Event::Tick);
                    // From now, not from the last tick: otherwise a pause would cause a burst of
                    // ticks.
                    next_tick = Instant::now() + TICK;
                }
            }
        }
    }

    /// The caller can have given up: then the answer is dropped.
    fn take(&mut self, input: Input) {
        match input {
            Input::Request(request, answer) => {
                let answers = request.message().map(|message| self.step(Event::Message(message)));
                let _ = answer.send(Reply::new(&answers.unwrap_or_default()));
            }
            Input::Answer(message) => {
                self.step(Event::Message(message));
            }
            Input::Start(command, answer) => {
                let _ = answer.send(self.start(command));
            }
            Input::State(answer) => {
                let _ = answer.send((self.raft.term(), self.raft.is_leader()));
            }
            Input::Snapshot { index, snapshot, done } => {
                self.compact(index, &snapshot);
                let _ = done.send(());
            }
            Input::Inspect(answer) => {
                let _ = answer.send(self.inspect());
            }
            Input::Kill => unreachable!("the loop ends before"),
        }
    }

    /// Appends a command, if this server leads.
    fn start(&mut self, command: Vec<u8>) -> Option<Started> {
        let actions = match self.raft.step(Event::Propose(command)) {
            Ok(actions) => actions,
            Err(Error::NotLeader { .. }) => return None,
            Err(error) => panic!("raft-io failed: {error}"),
        };
        self.carry_out(actions);
        Some(Started { index: self.raft.log().last_lab_index(), term: self.raft.term() })
    }

    fn compact(&mut self, lab_index: u64, snapshot: &[u8]) {
        // None if a newer snapshot covers the index.
        if let Some(index) = self.raft.log().index_of(lab_index) {
            self.step(Event::Snapshot { index, data: log::encode_snapshot(lab_index, snapshot) });
        }
    }

    /// Figure 2's state, if the lab uses raft-io's indices. Otherwise the log would lack the terms
    /// of raft-io's own entries, and votes depend on these.
    fn inspect(&self) -> Option<Inspect> {
        let log = self.raft.log();
        if log.numbering() != Numbering::Entries {
            return None;
        }
        let start = log.snapshot_index();
        Some(Inspect {
            role: match self.raft.role() {
                raft_io::Role::Follower => Role::Follower,
                raft_io::Role::Candidate => Role::Candidate,
                raft_io::Role::Leader => Role::Leader,
            },
            current_term: self.raft.term(),
            voted_for: log.hard_state().voted_for.map(server_of),
            log_terms: log.entries(start + 1, log.last_index()).iter().map(|e| e.term).collect(),
            commit_index: self.raft.commit_index(),
            last_applied: self.progress.last_applied.load(Ordering::SeqCst),
            last_included_index: start,
            last_included_term: log.term_at(start).unwrap_or_default(),
        })
    }

    /// One step of raft-io. It saves through [`Log`] before it returns, so its messages can be sent
    /// then. Sends the requests, and returns the answers.
    fn step(&mut self, event: Event) -> Vec<Message> {
        let actions = self.raft.step(event).expect("the log takes all that raft-io writes");
        self.carry_out(actions)
    }

    fn carry_out(&mut self, actions: Vec<Action>) -> Vec<Message> {
        let mut answers = Vec::new();
        for action in actions {
            match action {
                Action::Send { to, message } => match wire::method_for(&message) {
                    Some(method) => self.call(server_of(to), method, &message),
                    None => answers.push(message),
                },
                Action::Apply { index, command, .. } => self.apply(index, command),
                Action::RestoreSnapshot { index, term, data } => {
                    let (lab_index, snapshot) = log::decode_snapshot(&data);
                    self.hand_over(ApplyMsg::Snapshot { index: lab_index, term, snapshot });
                    self.handed_over = index;
                }
                // The members never change, and reads are not used. Its hints to make a snapshot
                // are off: the lab decides when to make one.
                _ => {}
            }
        }
        self.apply_own_entries(self.raft.last_applied());
        answers
    }

    /// Each call has a thread of its own: a call to a server that is cut off can take seven
    /// seconds.
    fn call(&self, to: usize, method: &'static str, message: &Message) {
        let (end, inbox) = (self.ends[to].clone(), self.inbox.clone());
        let request = Request::new(message);
        spawn(self.me, "call", move || {
            // A lost message needs no report: raft-io sends it again with the next heartbeat.
            let reply: Reply = end.call(method, &request).unwrap_or_default();
            for answer in reply.messages() {
                let _ = inbox.send(Input::Answer(answer));
            }
        });
    }

    fn apply(&mut self, index: u64, command: Vec<u8>) {
        self.apply_own_entries(index - 1);
        let lab_index = self.raft.log().lab_index(index).expect("a command has an index");
        self.hand_over(ApplyMsg::Command { index: lab_index, command });
        self.handed_over = index;
    }

    /// Hands over raft-io's own entries up to this index as empty commands, if they count.
    fn apply_own_entries(&mut self, up_to: u64) {
        for index in self.handed_over + 1..=up_to {
            if let Some(index) = self.raft.log().lab_index(index) {
                self.hand_over(ApplyMsg::Command { index, command: Vec::new() });
            }
            self.handed_over = index;
        }
    }

    fn hand_over(&self, message: ApplyMsg) {
        // The applier is gone after `kill`.
        let _ = self.to_apply.send(message);
    }
}

fn server_of(id: u64) -> usize {
    usize::try_from(id).expect("there are few servers")
}

//! TiKV's state machine, and how each of its `Ready`s is carried out: save, then send and apply.

use std::collections::VecDeque;
use std::sync::Arc;

use raft::eraftpb::{Entry, Message, MessageType};
use raft::{Config, RawNode, SnapshotStatus, StateRole};
use raftapi::{ApplyMsg, Inspect, Persister, Role, Started};
use slog::Logger;

use crate::saved;
use crate::storage::{COMMAND, Log, Numbering};

/// The unit of TiKV's timers in milliseconds.
pub(crate) const TICK_MS: u64 = 10;
/// Ten heartbeats a second.
const HEARTBEAT_TICKS: usize = 10;
/// TiKV draws each election timeout between this and twice this: 400 to 800 ms, so that a few
/// heartbeats can be lost, and several timeouts fit into the lab's limit of five seconds.
const ELECTION_TICKS: usize = 40;
/// The maximum bytes of entries in one message; a single larger entry is still sent.
const ENTRIES_BYTES_MAX: u64 = 1 << 20;

/// One server's state machine with its log.
pub(crate) struct Node {
    raw: RawNode<Log>,
    persister: Arc<Persister>,
    /// Messages that are committed and not handed over yet.
    to_apply: VecDeque<ApplyMsg>,
    /// The lab's index of the last message that was handed over.
    last_applied: u64,
    pub(crate) killed: bool,
}

impl Node {
    /// A follower with what was saved before the last crash.
    pub(crate) fn restored(
        numbering: Numbering,
        me: usize,
        servers: usize,
        persister: Arc<Persister>,
    ) -> Node {
        let log = saved::restore(numbering, servers, &persister);
        let last_applied = log.start.lab_index;
        let config = Config {
            id: id_of(me),
            election_tick: ELECTION_TICKS,
            heartbeat_tick: HEARTBEAT_TICKS,
            // The service starts from the same snapshot.
            applied: log.start.index,
            max_size_per_msg: ENTRIES_BYTES_MAX,
            // Commands that are proposed while a message is under way go into the next message
            // together.
            max_inflight_msgs: 1,
            // As TiKV runs it: a leader that reaches no majority steps down, and a server that
            // comes back does not disturb servers that hear from a leader. Without them the crate
            // answers no message of an older term, and resets its election timer at every higher
            // term. So a candidate with an old log delays the better candidates.
            check_quorum: true,
            pre_vote: true,
            ..Config::default()
        };
        let silence = Logger::root(slog::Discard, slog::o!());
        let raw = RawNode::new(&config, log, &silence).expect("what was saved is a valid state");
        Node { raw, persister, to_apply: VecDeque::new(), last_applied, killed: false }
    }

    pub(crate) fn tick(&mut self) {
        self.raw.tick();
    }

    /// A message has come. TiKV refuses some messages, such as a late answer. That is correct: a
    /// message may always be lost.
    pub(crate) fn step(&mut self, message: Message) {
        let _refused = self.raw.step(message);
    }

    /// This message will get no answer. TiKV has to learn that: after a snapshot it sends the
    /// follower nothing else until then.
    pub(crate) fn lost(&mut self, message: &Message) {
        self.raw.report_unreachable(message.to);
        if message.get_msg_type() == MessageType::MsgSnapshot {
            self.raw.report_snapshot(message.to, SnapshotStatus::Failure);
        }
    }

    /// Appends a command, if this server leads.
    pub(crate) fn propose(&mut self, command: Vec<u8>) -> Option<Started> {
        let (term, is_leader) = self.state();
        // On a server that does not lead, TiKV would forward the command to the leader.
        if !is_leader || self.raw.propose(COMMAND.to_vec(), command).is_err() {
            return None;
        }
        // All earlier entries are in the log already: `settle` has put them there.
        Some(Started { index: self.raw.store().last_lab_index() + 1, term })
    }

    pub(crate) fn compact(&mut self, lab_index: u64, snapshot: Vec<u8>) {
        self.raw.mut_store().compact(lab_index, snapshot);
    }

    /// The term, and whether this server leads it.
    pub(crate) fn state(&self) -> (u64, bool) {
        (self.raw.raft.term, self.raw.raft.state == StateRole::Leader)
    }

    pub(crate) fn has_something_to_apply(&self) -> bool {
        !self.to_apply.is_empty()
    }

    pub(crate) fn next_to_apply(&mut self) -> Option<ApplyMsg> {
        let next = self.to_apply.pop_front()?;
        let (ApplyMsg::Command { index, .. } | ApplyMsg::Snapshot { index, .. }) = &next;
        self.last_applied = *index;
        Some(next)
    }

    /// Figure 2's state, if the lab uses TiKV's indices. Otherwise the log would lack the terms of
    /// the empty entries, and votes depend on these.
    pub(crate) fn inspect(&self) -> Option<Inspect> {
        let (raft, log) = (&self.raw.raft, self.raw.store());
        if log.numbering() != Numbering::Entries {
            return None;
        }
        Some(Inspect {
            role: match raft.state {
                // A server in a pre-vote has not stood for election yet.
                StateRole::Follower | StateRole::PreCandidate => Role::Follower,
                StateRole::Candidate => Role::Candidate,
                StateRole::Leader => Role::Leader,
            },
            current_term: raft.term,
            voted_for: (raft.vote != raft::INVALID_ID).then(|| server_of(raft.vote)),
            log_terms: log.entries_in_memory().map(|entry| entry.term).collect(),
            commit_index: raft.raft_log.committed,
            last_applied: self.last_applied,
            last_included_index: log.start.index,
            last_included_term: log.start.term,
        })
    }

    /// Carries out everything that TiKV wants to do now, and returns the messages to send. They are
    /// sent only after this returns, so one save at the end is enough.
    pub(crate) fn settle(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while self.raw.has_ready() {
            let mut ready = self.raw.ready();
            if !ready.snapshot().is_empty() {
                let (start, snapshot) = saved::decode_snapshot(ready.snapshot());
                self.raw.mut_store().install(start, snapshot.clone());
                let (index, term) = (start.lab_index, start.term);
                self.to_apply.push_back(ApplyMsg::Snapshot { index, term, snapshot });
            }
            self.apply(ready.take_committed_entries());
            self.raw.mut_store().append(ready.take_entries());
            if let Some(hard_state) = ready.hs() {
                self.raw.mut_store().set_hard_state(hard_state.clone());
            }
            messages.extend(ready.take_messages());
            messages.extend(ready.take_persisted_messages());

            let mut rest = self.raw.advance(ready);
            if let Some(commit) = rest.commit_index() {
                self.raw.mut_store().hard_state.commit = commit;
            }
            self.apply(rest.take_committed_entries());
            messages.extend(rest.take_messages());
            self.raw.advance_apply();
        }
        saved::save(self.raw.mut_store(), &self.persister);
        messages
    }

    /// Queues the entries that have an index of the lab for the service.
    fn apply(&mut self, committed: Vec<Entry>) {
        for entry in committed {
            if let Some(index) = self.raw.store().lab_index(entry.index) {
                self.to_apply.push_back(ApplyMsg::Command { index, command: entry.data.to_vec() });
            }
        }
    }
}

/// The lab counts servers from 0, TiKV from 1.
fn id_of(server: usize) -> u64 {
    server as u64 + 1
}

pub(crate) fn server_of(id: u64) -> usize {
    usize::try_from(id - 1).expect("there are few servers")
}

//! What survives a crash (Figure 2, persistent state): saved before anyone is told of it.

use std::time::Instant;

use labrpc::codec;
use raftapi::Persister;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::log::{Entry, Log};
use crate::state::{Role, State, election_timeout};

/// So many entries are encoded together.
const CHUNK_ENTRIES: usize = 64;

/// The persistent state as it is saved; the snapshot is saved beside it.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Saved {
    current_term: u64,
    voted_for: Option<usize>,
    last_included_index: u64,
    last_included_term: u64,
    /// The entries, in chunks that are encoded each by itself. Most changes of a log are at its
    /// end, and what a chunk was encoded to for the last save is still good then. To encode all of
    /// a long log for each of its entries took most of the time of the whole lab.
    chunks: Vec<Chunk>,
}

#[derive(Serialize, Deserialize)]
struct Chunk {
    /// The index and the term of its last entry.
    last_index: u64,
    last_term: u64,
    entries: ByteBuf,
}

impl State {
    /// Saves the persistent state if it has changed. State and snapshot go together: neither is
    /// worth anything beside an older one of the other.
    pub(crate) fn save_to(&mut self, persister: &Persister) {
        if !self.must_save {
            return;
        }
        self.saved.current_term = self.current_term;
        self.saved.voted_for = self.voted_for;
        self.saved.take_log(&self.log);
        persister.save(encode(&self.saved), self.snapshot.clone());
        self.must_save = false;
    }

    /// The state of a server that starts, maybe after a crash. The service starts from the same
    /// snapshot, so what that stands for is committed and applied (section 7).
    pub(crate) fn restored_from(me: usize, servers: usize, persister: &Persister) -> State {
        let raft_state = persister.read_raft_state();
        let saved = if raft_state.is_empty() {
            Saved::default() // It never ran before.
        } else {
            decode::<Saved>(&raft_state)
        };
        State {
            me,
            servers,
            current_term: saved.current_term,
            voted_for: saved.voted_for,
            log: saved.log(),
            snapshot: persister.read_snapshot(),
            commit_index: saved.last_included_index,
            last_applied: saved.last_included_index,
            role: Role::Follower,
            election_due: Instant::now() + election_timeout(),
            saved,
            must_save: false,
            killed: false,
        }
    }
}

impl Saved {
    fn log(&self) -> Log {
        let chunks = self.chunks.iter();
        let entries = chunks.flat_map(|chunk| decode::<Vec<Entry>>(&chunk.entries)).collect();
        Log::new(self.last_included_index, self.last_included_term, entries)
    }

    /// By the Log Matching Property (section 5.3) a chunk is still good if its last entry has the
    /// same index and term as before.
    fn take_log(&mut self, log: &Log) {
        if self.last_included_index != log.last_included_index() {
            self.last_included_index = log.last_included_index();
            self.last_included_term = log.last_included_term();
            self.chunks.clear();
        }
        let is_good = |chunk: &&Chunk| log.term_at(chunk.last_index) == Some(chunk.last_term);
        self.chunks.truncate(self.chunks.iter().take_while(is_good).count());
        // The last one is made anew, so that each is filled before the next begins.
        self.chunks.pop();
        let mut last_index = self.chunks.last().map_or(self.last_included_index, |c| c.last_index);
        for entries in log.slice_from(last_index + 1).chunks(CHUNK_ENTRIES) {
            last_index += entries.len() as u64;
            let last_term = log.term_at(last_index).expect("the index of an entry");
            let entries = ByteBuf::from(encode(entries));
            self.chunks.push(Chunk { last_index, last_term, entries });
        }
    }
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    codec::encode(value).expect("plain data has an encoding")
}

fn decode<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> T {
    codec::decode(bytes).expect("what was saved can be read")
}

//! What survives a crash, as bytes: Figure 2's persistent state, the commit index, and where the
//! log begins.

use labrpc::codec;
use protobuf::{CodedInputStream, Message as _};
use raft::eraftpb::{Entry, HardState, Snapshot};
use raftapi::Persister;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

use crate::storage::{Log, Numbering, Start};

#[derive(Default, Serialize, Deserialize)]
struct Saved {
    term: u64,
    vote: u64,
    commit: u64,
    start_index: u64,
    start_term: u64,
    start_lab_index: u64,
    /// All entries, each as its length and its protobuf.
    entries: ByteBuf,
}

/// Saves the log if it has changed. State and snapshot are saved together: each is useless with an
/// older version of the other.
pub(crate) fn save(log: &mut Log, persister: &Persister) {
    if !log.must_save {
        return;
    }
    let mut entries = Vec::new();
    for entry in log.entries_in_memory() {
        entry.write_length_delimited_to_vec(&mut entries).expect("an entry has an encoding");
    }
    let saved = Saved {
        term: log.hard_state.term,
        vote: log.hard_state.vote,
        commit: log.hard_state.commit,
        start_index: log.start.index,
        start_term: log.start.term,
        start_lab_index: log.start.lab_index,
        entries: ByteBuf::from(entries),
    };
    let raft_state = codec::encode(&saved).expect("plain data has an encoding");
    persister.save(raft_state, log.snapshot.clone());
    log.must_save = false;
}

/// The log as it was saved last; an empty one if nothing was.
pub(crate) fn restore(numbering: Numbering, servers: usize, persister: &Persister) -> Log {
    let raft_state = persister.read_raft_state();
    let saved = if raft_state.is_empty() {
        Saved::default()
    } else {
        codec::decode(&raft_state).expect("what was saved can be read")
    };
    let start = Start {
        index: saved.start_index,
        term: saved.start_term,
        lab_index: saved.start_lab_index,
    };
    let hard_state = HardState {
        term: saved.term,
        vote: saved.vote,
        commit: saved.commit,
        ..HardState::default()
    };
    let entries = read_entries(&saved.entries);
    Log::new(numbering, servers, hard_state, start, persister.read_snapshot(), entries)
}

fn read_entries(bytes: &[u8]) -> Vec<Entry> {
    let mut input = CodedInputStream::from_bytes(bytes);
    let mut entries = Vec::new();
    while !input.eof().expect("bytes in memory can be read") {
        entries.push(input.read_message().expect("what was saved can be read"));
    }
    entries
}

/// The service's snapshot as it is sent to another server, with the lab's index of the last command
/// that it covers.
pub(crate) fn encode_snapshot(lab_index: u64, snapshot: &[u8]) -> Vec<u8> {
    codec::encode(&(lab_index, Bytes::new(snapshot))).expect("plain data has an encoding")
}

/// The arguments of [`encode_snapshot`], and the snapshot's place in the log.
pub(crate) fn decode_snapshot(snapshot: &Snapshot) -> (Start, Vec<u8>) {
    let (lab_index, bytes): (u64, ByteBuf) =
        codec::decode(&snapshot.data).expect("another server encoded it");
    let metadata = snapshot.get_metadata();
    (Start { index: metadata.index, term: metadata.term, lab_index }, bytes.into_vec())
}

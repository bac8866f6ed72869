//! The types with which openraft is instantiated.

use openraft::EmptyNode;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

openraft::declare_raft_types!(
    /// openraft with the lab's commands and snapshots.
    pub(crate) Config:
        D = Command,
        R = (),
        NodeId = u64,
        Node = EmptyNode,
        SnapshotData = Snapshot,
);

pub(crate) type Entry = openraft::Entry<Config>;
pub(crate) type LogId = openraft::LogId<u64>;
pub(crate) type Raft = openraft::Raft<Config>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<u64, EmptyNode>;
pub(crate) type StorageError = openraft::StorageError<u64>;
pub(crate) type StoredMembership = openraft::StoredMembership<u64, EmptyNode>;
pub(crate) type Vote = openraft::Vote<u64>;

/// A command of the lab.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Command {
    pub(crate) bytes: ByteBuf,
    /// Identifies the caller that waits for the command's index. It stays on the server that took
    /// the command.
    #[serde(skip)]
    pub(crate) ticket: Option<u64>,
}

/// The service's snapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// The lab's index of the last command that it covers.
    pub(crate) lab_index: u64,
    /// As the lab made it.
    pub(crate) bytes: ByteBuf,
}

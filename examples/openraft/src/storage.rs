//! openraft's traits for its log and its state machine, over the store.

use std::fmt::Debug;
use std::ops::RangeBounds;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use openraft::storage::{LogFlushed, RaftLogStorage, RaftStateMachine};
use openraft::{EntryPayload, LogState, RaftLogReader, RaftSnapshotBuilder};
use parking_lot::Mutex;
use raftapi::ApplyMsg;
use tokio::sync::Notify;

use crate::store::Store;
use crate::types::{
    Config, Entry, LogId, Snapshot, SnapshotMeta, StorageError, StoredMembership, Vote,
};

type Result<T> = std::result::Result<T, StorageError>;

/// openraft's log. Each change is saved before the method returns, and openraft sends messages only
/// after that.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) store: Arc<Mutex<Store>>,
    /// Is notified of each candidacy of this server.
    pub(crate) stood: Arc<Notify>,
}

impl RaftLogReader<Config> for Log {
    async fn try_get_log_entries<R>(&mut self, range: R) -> Result<Vec<Entry>>
    where
        R: RangeBounds<u64> + Clone + Debug + Send,
    {
        Ok(self.store.lock().entries(range))
    }
}

impl RaftLogStorage<Config> for Log {
    type LogReader = Log;

    async fn get_log_state(&mut self) -> Result<LogState<Config>> {
        let (last_purged_log_id, last_log_id) = self.store.lock().ends();
        Ok(LogState { last_purged_log_id, last_log_id })
    }

    async fn get_log_reader(&mut self) -> Log {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<()> {
        if self.store.lock().set_vote(*vote) {
            self.stood.notify_one();
        }
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>> {
        Ok(self.store.lock().vote())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<()> {
        self.store.lock().set_committed(committed);
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>> {
        Ok(self.store.lock().committed())
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<Config>) -> Result<()>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let first = entries.first().map_or(0, |entry| entry.log_id.index);
        // The state machine's task first has to install the snapshot that comes before.
        while !self.store.lock().reaches(first) {
            tokio::task::yield_now().await;
        }
        self.store.lock().append(entries);
        callback.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, since: LogId) -> Result<()> {
        self.store.lock().truncate(since.index);
        Ok(())
    }

    async fn purge(&mut self, upto: LogId) -> Result<()> {
        self.store.lock().purge(upto);
        Ok(())
    }
}

/// openraft's state machine: the lab's service, at the other end of the apply channel.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) store: Arc<Mutex<Store>>,
    /// To the applier.
    pub(crate) to_apply: Sender<ApplyMsg>,
}

impl Service {
    fn hand_over(&self, message: ApplyMsg) {
        // The applier is gone after `kill`.
        let _ = self.to_apply.send(message);
    }
}

impl RaftStateMachine<Config> for Service {
    type SnapshotBuilder = Service;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership)> {
        Ok(self.store.lock().applied_state())
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<()>>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let mut replies = Vec::new();
        for entry in entries {
            if let Some(index) = self.store.lock().lab_index(entry.log_id.index) {
                let command = match entry.payload {
                    EntryPayload::Normal(command) => command.bytes.into_vec(),
                    _ => Vec::new(),
                };
                self.hand_over(ApplyMsg::Command { index, command });
            }
            replies.push(());
        }
        Ok(replies)
    }

    async fn get_snapshot_builder(&mut self) -> Service {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Snapshot>> {
        unreachable!("snapshots are sent whole")
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, data: Box<Snapshot>) -> Result<()> {
        let last = meta.last_log_id.expect("no snapshot covers nothing");
        self.store.lock().install(last, (*data).clone());
        self.hand_over(ApplyMsg::Snapshot {
            index: data.lab_index,
            term: last.leader_id.term,
            snapshot: data.bytes.into_vec(),
        });
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<openraft::Snapshot<Config>>> {
        Ok(current_snapshot(&self.store))
    }
}

/// The lab has made the snapshot before openraft learns of it.
impl RaftSnapshotBuilder<Config> for Service {
    async fn build_snapshot(&mut self) -> Result<openraft::Snapshot<Config>> {
        Ok(current_snapshot(&self.store).expect("openraft was asked to since there is one"))
    }
}

fn current_snapshot(store: &Mutex<Store>) -> Option<openraft::Snapshot<Config>> {
    let (meta, snapshot) = store.lock().snapshot()?;
    Some(openraft::Snapshot { meta, snapshot: Box::new(snapshot) })
}

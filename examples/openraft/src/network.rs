//! openraft's calls as calls through the lab's ends.
//!
//! A call blocks its thread, up to seven seconds, so it runs on one of tokio's threads for blocking
//! work. openraft has timeouts of its own: it can have given up before the call returns.

use std::future::Future;

use labrpc::{CallError, ClientEnd, Service};
use openraft::EmptyNode;
use openraft::error::{
    Fatal, NetworkError, RPCError, RaftError, ReplicationClosed, StreamingError,
};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::{task, time};

use crate::server::Inbox;
use crate::types::{Config, Snapshot, SnapshotMeta, Vote};

type CallResult<T> = Result<T, RPCError<u64, EmptyNode, RaftError<u64>>>;
/// A snapshot under way: the leader's vote, and the snapshot.
pub(crate) type InstallRequest = (Vote, SnapshotMeta, Snapshot);

/// The lab's service. A method's name tells the lab what kind of call it is. A reply is `None` if
/// the server was killed meanwhile.
pub(crate) fn service(inbox: Inbox) -> Service {
    let (vote, append) = (inbox.clone(), inbox.clone());
    Service::new("Raft")
        .method("RequestVote", move |request| vote.request_vote(request))
        .method("AppendEntries", move |request| append.append_entries(request))
        .method("InstallSnapshot", move |request| inbox.install_snapshot(request))
}

/// All ends of a server.
pub(crate) struct Ends(pub(crate) Vec<ClientEnd>);

impl RaftNetworkFactory<Config> for Ends {
    type Network = Connection;

    async fn new_client(&mut self, target: u64, _: &EmptyNode) -> Connection {
        Connection(self.0[target as usize].clone())
    }
}

/// The connection to one server.
pub(crate) struct Connection(ClientEnd);

impl Connection {
    async fn call<Q, R>(&self, method: &'static str, request: Q) -> Result<R, NetworkError>
    where
        Q: Serialize + Send + 'static,
        R: DeserializeOwned + Send + 'static,
    {
        let end = self.0.clone();
        let call = task::spawn_blocking(move || end.call::<Q, Option<R>>(method, &request));
        match call.await {
            Ok(Ok(Some(reply))) => Ok(reply),
            Ok(Err(error)) => Err(NetworkError::new(&error)),
            // One of the two servers was killed.
            Ok(Ok(None)) | Err(_) => Err(NetworkError::new(&CallError::NoAnswer)),
        }
    }
}

impl RaftNetwork<Config> for Connection {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Config>,
        _: RPCOption,
    ) -> CallResult<AppendEntriesResponse<u64>> {
        Ok(self.call("Raft.AppendEntries", request).await?)
    }

    async fn vote(
        &mut self,
        request: VoteRequest<u64>,
        _: RPCOption,
    ) -> CallResult<VoteResponse<u64>> {
        Ok(self.call("Raft.RequestVote", request).await?)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: openraft::Snapshot<Config>,
        _cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<u64>, StreamingError<Config, Fatal<u64>>> {
        let request: InstallRequest = (vote, snapshot.meta, *snapshot.snapshot);
        let call = self.call("Raft.InstallSnapshot", request);
        // This is the only one of its three calls for which openraft sets no timeout itself.
        let reply = time::timeout(option.hard_ttl(), call).await;
        Ok(reply.map_err(|elapsed| NetworkError::new(&elapsed))??)
    }
}

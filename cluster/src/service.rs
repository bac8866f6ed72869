//! The service that the servers of a cluster offer. The cluster itself knows nothing of it.

use std::sync::Arc;

use history::Incarnation;
use labrpc::ClientEnd;
use raftapi::Persister;
use verdict::Life;

use crate::disk::Disk;

/// A service that a cluster of servers offers.
pub trait Service: Send + Sync + 'static {
    /// One of its servers.
    type Server: ?Sized + Send + Sync + 'static;

    /// Makes a server. None if that failed; the failure was then reported to the referee.
    fn start(&self, start: Start) -> Option<Arc<Self::Server>>;

    /// The RPC handlers of a server.
    fn handlers(server: Arc<Self::Server>) -> labrpc::Service;

    /// Asks a server to stop. Must return without waiting.
    fn kill(server: &Self::Server);
}

/// What a server is made from.
pub struct Start {
    /// The server and the number of its start.
    pub of: Incarnation,
    /// The same incarnation as the referee knows it.
    pub life: Life,
    /// A client end for each server of the cluster, by number.
    pub ends: Vec<ClientEnd>,
    /// What the server saved before its last crash.
    pub persister: Arc<Persister>,
    /// The storage of the persister.
    pub disk: Arc<Disk>,
}

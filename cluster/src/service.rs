//! What the servers of a cluster do. The cluster itself does not know it.

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

    /// Makes a server. None if that failed, after the failure was reported to the referee.
    fn start(&self, start: Start) -> Option<Arc<Self::Server>>;

    /// The RPC handlers of a server.
    fn handlers(server: Arc<Self::Server>) -> labrpc::Service;

    /// Tells a server to stop. Must return at once.
    fn kill(server: &Self::Server);
}

/// What a server is made from.
pub struct Start {
    /// Which server, and which start of it.
    pub of: Incarnation,
    /// The same for the referee.
    pub life: Life,
    /// An end to each server of the cluster, by number.
    pub ends: Vec<ClientEnd>,
    /// What the server saved before its last crash.
    pub persister: Arc<Persister>,
    /// Where the persister keeps it.
    pub disk: Arc<Disk>,
}

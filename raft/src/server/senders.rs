//! The threads that make the calls: as many as there are calls under way, and no more than that.
//!
//! A call to a server that is cut off may take seven seconds to fail. It must neither delay the
//! calls to other servers nor the next one to the same, so a thread is started whenever all are
//! busy; one that is done waits for another call. The first requests to a server that does not
//! answer thus cost a thread each, up to a bound.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::election::RequestVoteArgs;
use crate::raft::Raft;
use crate::replication::AppendEntriesArgs;
use crate::snapshot::InstallSnapshotArgs;

/// At most so many calls to one server are under way. A request for which there is no room is
/// dropped, as the network might drop it. Calls to a server that is cut off fail after 3.5 s on
/// average, so that with a heartbeat every 100 ms there is nearly always room, and one that comes
/// back hears of its leader at once.
const CALLS_PER_SERVER_MAX: usize = 40;

/// What one server sends to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Vote(RequestVoteArgs),
    Append(AppendEntriesArgs),
    Install(InstallSnapshotArgs),
}

/// The sender threads of one server.
pub(crate) struct Senders {
    queue: Mutex<Queue>,
    changed: Condvar,
}

struct Queue {
    requests: VecDeque<(usize, Request)>,
    /// The threads that wait for a request.
    idle: usize,
    /// The calls under way, and the requests in the queue, by the server they go to.
    under_way: Vec<usize>,
    closed: bool,
}

impl Senders {
    /// Of a cluster with so many servers.
    pub(crate) fn new(servers: usize) -> Senders {
        let under_way = vec![0; servers];
        let queue = Queue { requests: VecDeque::new(), idle: 0, under_way, closed: false };
        Senders { queue: Mutex::new(queue), changed: Condvar::new() }
    }

    /// Has a thread of `raft` make the call, at once.
    pub(crate) fn send(&self, raft: &Arc<Raft>, server: usize, request: Request) {
        let mut queue = self.queue.lock();
        if queue.closed || queue.under_way[server] == CALLS_PER_SERVER_MAX {
            return;
        }
        queue.under_way[server] += 1;
        queue.requests.push_back((server, request));
        if queue.requests.len() <= queue.idle {
            self.changed.notify_one();
            return;
        }
        drop(queue);
        let calling = Arc::clone(raft);
        raft.spawn("sender", move || calling.make_calls());
    }

    /// Lets every thread end, as soon as its call has returned; what is in the queue is dropped.
    pub(crate) fn close(&self) {
        let mut queue = self.queue.lock();
        queue.closed = true;
        queue.requests.clear();
        self.changed.notify_all();
    }

    /// The next request; none after [`Senders::close`].
    pub(crate) fn next(&self) -> Option<(usize, Request)> {
        let mut queue = self.queue.lock();
        queue.idle += 1;
        while queue.requests.is_empty() && !queue.closed {
            self.changed.wait(&mut queue);
        }
        queue.idle -= 1;
        queue.requests.pop_front()
    }

    /// The call has returned.
    pub(crate) fn done(&self, server: usize) {
        self.queue.lock().under_way[server] -= 1;
    }
}

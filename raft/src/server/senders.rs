//! The queue of calls that the sender threads make; there are as many threads as calls in flight.
//!
//! A call to a server that is cut off may take seven seconds to fail. It must delay neither the
//! calls to other servers nor the next one to the same, so a thread is started whenever all are
//! busy; one that is done waits for another call.
//!
//! A thread for each call, like 6.824's `go func`, would be shorter. The pool stays because
//! starting a thread is a step of a simulated run: without the pool every RPC would cost one, and
//! every seed would be another run than it was.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use crate::rules::messages::Request;

/// Maximum number of calls in flight to one server. A request beyond it is dropped, as the network
/// might drop it. Calls to a server that is cut off fail after 3.5 s on average, so with a
/// heartbeat every 100 ms there is nearly always room, and a server that comes back hears from its
/// leader at once.
const CALLS_PER_SERVER_MAX: usize = 40;

/// What the sender threads of one server share.
pub(super) struct Senders {
    queue: Mutex<Queue>,
    changed: Condvar,
}

struct Queue {
    requests: VecDeque<(usize, Request)>,
    /// The threads that wait for a request.
    idle: usize,
    /// The number of calls in flight and of requests in the queue, by the server they go to.
    under_way: Vec<usize>,
    closed: bool,
}

impl Senders {
    /// For a cluster of this many servers.
    pub(super) fn new(servers: usize) -> Senders {
        let under_way = vec![0; servers];
        let queue = Queue { requests: VecDeque::new(), idle: 0, under_way, closed: false };
        Senders { queue: Mutex::new(queue), changed: Condvar::new() }
    }

    /// Adds a request to the queue. True if all threads are busy: then the caller has to start
    /// another.
    #[must_use]
    pub(super) fn enqueue(&self, server: usize, request: Request) -> bool {
        let mut queue = self.queue.lock();
        if queue.closed || queue.under_way[server] == CALLS_PER_SERVER_MAX {
            return false;
        }
        queue.under_way[server] += 1;
        queue.requests.push_back((server, request));
        if queue.requests.len() <= queue.idle {
            self.changed.notify_one();
            return false;
        }
        true
    }

    /// Ends every thread as soon as its call has returned, and drops what is in the queue.
    pub(super) fn close(&self) {
        let mut queue = self.queue.lock();
        queue.closed = true;
        queue.requests.clear();
        self.changed.notify_all();
    }

    /// Waits for the next request; none after [`Senders::close`].
    pub(super) fn next(&self) -> Option<(usize, Request)> {
        let mut queue = self.queue.lock();
        queue.idle += 1;
        while queue.requests.is_empty() && !queue.closed {
            self.changed.wait(&mut queue);
        }
        queue.idle -= 1;
        queue.requests.pop_front()
    }

    /// The call has returned.
    pub(super) fn done(&self, server: usize) {
        self.queue.lock().under_way[server] -= 1;
    }
}

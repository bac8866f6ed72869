//! Threads that run a server's handlers, one handler each, so that a handler that waits delays no
//! other.
//!
//! A thread that has finished its handler waits for another. A new one is started whenever all are
//! busy. They end when the server is dropped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex};

type Job = Box<dyn FnOnce() + Send>;

/// The threads of one server.
pub(crate) struct Workers {
    shared: Arc<Shared>,
    /// The server that owns the threads. A thread of another server, the caller's, may have to
    /// start them.
    label: sim::Label,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    idle: usize,
    closed: bool,
}

impl Workers {
    /// The threads get the label of the thread that calls this.
    pub(crate) fn new() -> Workers {
        Workers { shared: Arc::default(), label: sim::current_label() }
    }

    /// Runs `job` immediately on a thread of its own. `thread_name` is for a thread that must be
    /// started.
    pub(crate) fn run(
        &self,
        thread_name: impl FnOnce() -> String,
        job: impl FnOnce() + Send + 'static,
    ) {
        let mut queue = self.shared.queue.lock();
        if queue.jobs.len() < queue.idle {
            queue.jobs.push_back(Box::new(job));
            self.shared.changed.notify_one();
            return;
        }
        drop(queue);
        let (shared, label) = (Arc::clone(&self.shared), self.label);
        let work = move || {
            let _label = sim::label(label);
            // A thread of a paused group stops only at its next point, which can come too late.
            thread::yield_now();
            job();
            shared.work();
        };
        thread::Builder::new()
            .name(thread_name())
            .spawn(work)
            .expect("failed to start a thread for an RPC handler");
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.queue.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn work(&self) {
        let mut queue = self.queue.lock();
        loop {
            queue.idle += 1;
            while queue.jobs.is_empty() && !queue.closed {
                self.changed.wait(&mut queue);
            }
            queue.idle -= 1;
            let Some(job) = queue.jobs.pop_front() else { return };
            drop(queue);
            job();
            queue = self.queue.lock();
        }
    }
}

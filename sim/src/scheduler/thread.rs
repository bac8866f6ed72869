//! What the scheduler knows of one thread.

use crate::engine::thread::SimThread;
use crate::label::Label;

/// What a thread waits for, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The slot has no thread.
    Free,
    Running,
    Ready,
    /// Ready, but its group is paused.
    Held,
    Sleeping,
    Futex {
        address: usize,
    },
    Joining {
        id: u32,
    },
    /// It will never run again.
    Discarded,
}

/// Why a thread that blocked goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    Woken,
    TimedOut,
    Spurious,
}

/// One thread of the run. It lives in a slot, which a later thread may use again.
#[derive(Debug)]
pub(crate) struct Thread {
    /// Its number in the run, in order of creation.
    pub(crate) id: u32,
    pub(crate) label: Label,
    pub(crate) name: [u8; 16],
    pub(crate) state: State,
    /// When the state began, in ns.
    pub(crate) since: u64,
    /// On the group's own clock, in ns.
    pub(crate) deadline: Option<u64>,
    /// Whether the timer that runs is a spurious wake-up, not the deadline.
    pub(crate) spurious: bool,
    pub(crate) wake: Wake,
    pub(crate) sim_thread: Option<&'static SimThread>,
}

impl Thread {
    pub(crate) fn new(id: u32, label: Label, since: u64, sim_thread: &'static SimThread) -> Thread {
        Thread {
            id,
            label,
            name: [0; 16],
            state: State::Ready,
            since,
            deadline: None,
            spurious: false,
            wake: Wake::Woken,
            sim_thread: Some(sim_thread),
        }
    }
}

/// A name as the system keeps it: up to a zero byte.
pub(crate) fn name_of(bytes: &[u8; 16]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

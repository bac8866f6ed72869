//! A thread as the scheduler sees it.

use crate::engine::thread::SimThread;
use crate::label::Label;

/// What a thread does or waits for.
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

/// The reason for which a thread that blocked continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    Woken,
    TimedOut,
    Spurious,
}

/// A thread of the run. It has a slot, which a later thread can use again.
#[derive(Debug)]
pub(crate) struct Thread {
    /// Its number in the run, in order of creation.
    pub(crate) id: u32,
    pub(crate) label: Label,
    pub(crate) name: [u8; 16],
    pub(crate) state: State,
    /// The time at which the state began, in ns.
    pub(crate) since: u64,
    /// The time at which its wait ends, on the group's own clock, in ns.
    pub(crate) deadline: Option<u64>,
    /// Whether the running timer is for a spurious wake-up and not for the deadline.
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

/// A name in the system's form, which ends at a zero byte.
pub(crate) fn name_of(bytes: &[u8; 16]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
